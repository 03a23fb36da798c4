"""What is measured of a painted mouth is told by construction: its own samples, softened, grainy, still, another's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from pipelines.faces import TrackFaces
from pipelines.gate import GateConfig
from pipelines.judge import JudgeShot
from pipelines.mask import Rect
from pipelines.media.picture import coded_frames
from pipelines.patch import Patch, window
from pipelines.storage import ObjectStore
from schemas.frames import PATCH
from schemas.shot import ALIGNED_SHOT, COMPOSITED_SHOT, JUDGED_SHOT
from tests.film_rows import UNHEARD, film_row
from tests.portraits import SIDE_PX, talking_portrait
from tests.real_assets import real_asset
from tests.synthetic import FilmSpec

Planes = list[NDArray[Any]]
Change = Callable[[int, Planes], None]

SPEC = FilmSpec(num_frames=75, cuts=(), width_px=SIDE_PX, height_px=SIDE_PX)
MOUTH, FACE = Rect(120, 196, 144, 112), Rect(60, 40, 264, 320)
RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A face that says what is heard; the dub is the film's own sound."""
    for name in ("retinaface-mobilenet025", "face-mesh", "dlib-face-recognition"):
        real_asset(name)
    folder = tmp_path_factory.mktemp("judged")
    film = talking_portrait(folder / "film.mp4", SPEC).film
    speech = [{"start": 0, "end": 48_000}]
    spans = {"dub_speech": speech, "original_speech": speech, "original_overlap": [], **UNHEARD}
    sound = {"dub_start_sample": 0, "dub_end_sample": 48_000, "lag_samples": 0}
    shot = {"shot_index": 0, "num_shots": 1, "shot_start_pts": film.pts[0], "shot_end_pts": film.end_pts}
    row = film_row(film) | {"dub_digest": "f" * 64} | shot | {"shot_num_frames": len(film.pts)} | sound | spans
    (found,) = TrackFaces(store_uri=str(folder))(pa.Table.from_pylist([row], schema=ALIGNED_SHOT)).to_pylist()
    assert len(found["tracks"]) == 1
    return found | {"folder": folder}


def judged(tracked: dict[str, Any], name: str, change: Change, rect: Rect = MOUTH, **row: Any) -> dict[str, Any]:
    """The try of a shot whose samples in a rectangle were changed."""
    store, patches = ObjectStore(str(tracked["folder"])), []
    span = tracked["shot_start_pts"], tracked["shot_end_pts"]
    for place, (pts, planes, coding) in enumerate(coded_frames(Path(tracked["film_uri"]), *span)):
        fresh = [view.copy() for view in window(planes, rect, coding)]
        change(place, fresh)
        mask = np.zeros((rect.height, rect.width), bool)
        mask[2:-2, 2:-2] = True
        patches.append(Patch(pts, 0, rect, fresh, mask).row())
    uri = store.put_table(name, pa.Table.from_pylist(patches, schema=PATCH))
    empty: dict[str, Any] = {field.name: None for field in COMPOSITED_SHOT}
    shot = empty | {key: value for key, value in tracked.items() if key != "folder"} | {"patch_uri": uri} | row
    shot |= {
        "verdicts": [],
        "painted": [],
        "num_frames_changed": len(patches),
        "seam_ratio": 1.0,
        "flicker_ratio": 1.0,
    }
    table = pa.Table.from_pylist([shot], schema=COMPOSITED_SHOT)
    result = JudgeShot(str(tracked["folder"]), GateConfig())(table)
    assert result.schema == JUDGED_SHOT
    (found,) = result["tries"].to_pylist()[0]
    return dict(found)


def inside(plane: NDArray[Any]) -> NDArray[Any]:
    """What of a luma plane the mask of `judged` lets change."""
    return plane[2:-2, 2:-2]


@pytest.mark.assets
def test_a_films_own_samples_pass_with_nothing_changed(tracked: dict[str, Any]) -> None:
    found = judged(tracked, "own", lambda place, planes: None)

    assert found["how"] == "first"
    assert found["sharpness_ratio"] == pytest.approx(1)
    assert found["identity_distance"] == pytest.approx(0, abs=1e-6)
    assert abs(found["sync_loss"]) < 0.05
    assert found["sync"] > 0.5
    assert found["outside_change"] == 0
    assert found["failed"] == []


@pytest.mark.assets
def test_a_soft_mouth_and_a_grainy_one_are_told_from_a_sharp_one(tracked: dict[str, Any]) -> None:
    def soften(place: int, planes: Planes) -> None:
        inside(planes[0])[:] = cv2.GaussianBlur(planes[0], (0, 0), 4)[2:-2, 2:-2]

    def grain(place: int, planes: Planes) -> None:
        noisy = inside(planes[0]) + RNG.normal(0, 12, inside(planes[0]).shape)
        inside(planes[0])[:] = noisy.clip(0, 255).astype(np.uint8)

    soft, grainy = judged(tracked, "soft", soften), judged(tracked, "grainy", grain)

    assert soft["sharpness_ratio"] < 0.4
    assert grainy["sharpness_ratio"] > 2.5
    assert soft["failed"] == ["sharpness_ratio"]
    assert "sharpness_ratio" in grainy["failed"]


@pytest.mark.assets
def test_a_mouth_that_stands_still_while_somebody_speaks_is_out_of_sync(tracked: dict[str, Any]) -> None:
    first: list[NDArray[Any]] = []

    def stand_still(place: int, planes: Planes) -> None:
        first.extend(plane.copy() for plane in planes[len(first) :])
        for plane, still in zip(planes, first, strict=True):
            plane[:] = still

    found = judged(tracked, "still", stand_still)

    assert found["sync_loss"] > 0.35
    assert "sync_loss" in found["failed"]


@pytest.mark.assets
def test_another_face_in_its_place_is_another_person(tracked: dict[str, Any]) -> None:
    other = cv2.imread(str(real_asset("still-obama")), cv2.IMREAD_GRAYSCALE)

    def replace(place: int, planes: Planes) -> None:
        height, width = other.shape
        face = other[height // 10 : height * 9 // 10, width // 5 : width * 4 // 5]
        inside(planes[0])[:] = cv2.resize(face, planes[0].shape[::-1])[2:-2, 2:-2]

    found = judged(tracked, "other", replace, FACE)

    assert found["identity_distance"] > 0.45
    assert "identity_distance" in found["failed"]


@pytest.mark.assets
def test_samples_beside_the_mask_are_counted(tracked: dict[str, Any]) -> None:
    def spill(place: int, planes: Planes) -> None:
        planes[0][0, :5] += 1

    found = judged(tracked, "spilt", spill)

    assert found["outside_change"] == 5 * SPEC.num_frames
    assert found["failed"] == ["outside_change"]


def test_a_shot_without_patches_was_not_tried(tmp_path: Path) -> None:
    assert JudgeShot(str(tmp_path), GateConfig()).facts({"patch_uri": None}) == {"tries": []}
    assert JudgeShot(str(tmp_path), GateConfig(max_tries=0)).facts({"patch_uri": "p"}) == {"tries": []}
