"""What is measured of a painted mouth is told by construction: its own samples, softened, grainy, still, another's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from diff2lip.config import CropConfig
from pipelines.face_descriptor import FaceDescriber
from pipelines.face_mesh import FaceMesh
from pipelines.faces import TrackFaces
from pipelines.gate import GateConfig
from pipelines.grain import Grain, draw_grain
from pipelines.heard_sound import HeardSound
from pipelines.judge import JudgeShot
from pipelines.mask import MaskConfig, Rect, mouth_mask
from pipelines.media.coding import Coding
from pipelines.media.picture import coded_frames
from pipelines.mouth_judge import MouthJudge, likeness, runs_of
from pipelines.patch import Patch, window
from pipelines.storage import ObjectStore, read_table
from schemas.frames import PATCH
from schemas.shot import ALIGNED_SHOT, COMPOSITED_SHOT, JUDGED_SHOT
from tests.film_rows import UNHEARD, film_row
from tests.pipelines.faces_drawn import drawn_landmarks
from tests.portraits import SIDE_PX, talking_portrait
from tests.real_assets import real_asset
from tests.synthetic import FilmSpec

Planes = list[NDArray[Any]]
Change = Callable[[int, Planes], None]

SPEC = FilmSpec(num_frames=75, cuts=(), width_px=SIDE_PX, height_px=SIDE_PX)
MOUTH, WHOLE = Rect(80, 180, 224, 180), Rect(0, 0, SIDE_PX, SIDE_PX)
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


def lower_face(tracked: dict[str, Any]) -> dict[int, NDArray[np.bool_]]:
    """[H, W] of each frame: where the compositor may change it."""
    crop, found = CropConfig(), {}
    whole = Rect(0, 0, SIDE_PX, SIDE_PX)
    for one in read_table(tracked["tracks_uri"]).to_pylist():
        landmarks, affine = np.reshape(one["landmarks"], (-1, 2)), np.reshape(one["affine"], (2, 3))
        found[one["pts"]] = mouth_mask(landmarks.astype(float), affine, whole, crop, MaskConfig()) > 0.5
    return found


def judged(tracked: dict[str, Any], name: str, change: Change, rect: Rect = MOUTH, **row: Any) -> dict[str, Any]:
    """The try of a shot of which the lower face was changed; a larger rectangle is changed as a whole."""
    store, patches, masks = ObjectStore(str(tracked["folder"])), [], lower_face(tracked)
    span = tracked["shot_start_pts"], tracked["shot_end_pts"]
    for place, (pts, planes, coding) in enumerate(coded_frames(Path(tracked["film_uri"]), *span)):
        fresh = [view.copy() for view in window(planes, rect, coding)]
        change(place, fresh)
        mask = window([masks[pts]], rect, coding)[0] if rect is MOUTH else np.ones((rect.height, rect.width), bool)
        patches.append(Patch(pts, 0, rect, fresh, mask).row())
    uri = store.put_table(name, pa.Table.from_pylist(patches, schema=PATCH))
    empty: dict[str, Any] = {field.name: None for field in COMPOSITED_SHOT}
    shot = empty | {key: value for key, value in tracked.items() if key != "folder"} | {"patch_uri": uri}
    shot |= {
        "verdicts": [],
        "painted": [],
        "num_frames_changed": len(patches),
        "hidden_tracks": [],
        "seam_ratio": 1.0,
        "flicker_ratio": 1.0,
    }
    table = pa.Table.from_pylist([shot | row], schema=COMPOSITED_SHOT)
    result = JudgeShot(str(tracked["folder"]), GateConfig())(table)
    assert result.schema == JUDGED_SHOT
    (found,) = result["tries"].to_pylist()[0]
    return dict(found)


def unchanged(place: int, planes: Planes) -> None:
    """The film's own samples."""


@pytest.mark.assets
def test_a_films_own_samples_pass_as_a_composite_in_which_nothing_changed(tracked: dict[str, Any]) -> None:
    found = judged(tracked, "own", unchanged)

    assert found["how"] == "first"
    assert found["sharpness_ratio"] == pytest.approx(1)
    assert found["movement_ratio"] == pytest.approx(1, abs=0.1)
    assert found["identity_distance"] == pytest.approx(0, abs=1e-6)
    assert abs(found["sync_loss"]) < 0.05
    assert found["sync"] > 0.5
    assert found["outside_change"] == 0
    assert found["failed"] == []


@pytest.mark.assets
def test_soft_lips_erased_ones_and_grainy_ones_are_told_from_sharp_ones_in_a_composite(
    tracked: dict[str, Any],
) -> None:
    def soften(place: int, planes: Planes) -> None:
        planes[0][:] = cv2.GaussianBlur(planes[0], (0, 0), 4)

    def erase(place: int, planes: Planes) -> None:
        planes[0][:] = int(planes[0].mean())

    def grain(place: int, planes: Planes) -> None:
        planes[0][:] = (planes[0] + RNG.normal(0, 12, planes[0].shape)).clip(0, 255).astype(np.uint8)

    soft, erased, grainy = (
        judged(tracked, change.__name__, change)["sharpness_ratio"] for change in (soften, erase, grain)
    )

    bounds = GateConfig()
    assert soft < bounds.min_sharpness_ratio
    assert erased < bounds.min_sharpness_ratio
    assert grainy > bounds.max_sharpness_ratio


@pytest.mark.assets
def test_a_composited_mouth_that_stands_still_while_somebody_speaks_fails(tracked: dict[str, Any]) -> None:
    """The face itself stands still here: its first lower face fits every frame, without a seam."""
    first: Planes = []

    def stand_still(place: int, planes: Planes) -> None:
        first.extend(plane.copy() for plane in planes[len(first) :])
        for plane, still in zip(planes, first, strict=True):
            plane[:] = still

    found = judged(tracked, "still", stand_still)

    hushed = judged(tracked, "still", stand_still, dub_speech=[])

    assert hushed["movement_ratio"] is None  # who is silent in the dub is to rest
    assert "movement_ratio" not in hushed["failed"]
    assert found["movement_ratio"] < GateConfig().min_movement_ratio
    assert "movement_ratio" in found["failed"]
    assert found["sync_loss"] > 0.1


@pytest.mark.assets
@pytest.mark.parametrize("code", [16, 128])
def test_a_composite_whose_lower_face_is_gone_fails_as_another_person(tracked: dict[str, Any], code: int) -> None:
    def fill(place: int, planes: Planes) -> None:
        planes[0][:] = code

    found = judged(tracked, f"filled{code}", fill)

    assert "identity_distance" in found["failed"]


@pytest.mark.assets
@pytest.mark.parametrize("plane", [0, 2])
def test_composited_samples_far_from_the_face_are_counted_in_all_planes(tracked: dict[str, Any], plane: int) -> None:
    def spill(place: int, planes: Planes) -> None:
        planes[plane][0, :5] += 9

    found = judged(tracked, f"spilt{plane}", spill, WHOLE)

    assert found["outside_change"] == 5 * SPEC.num_frames
    assert "outside_change" in found["failed"]


@pytest.mark.assets
def test_a_composite_in_a_film_without_sound_is_judged_by_all_else(tracked: dict[str, Any]) -> None:
    silent = {"original_speech": [], "dub_speech": [], "seam_ratio": 9.0}

    found = judged(tracked, "silent", unchanged, **silent)

    assert (found["sync"], found["sync_loss"]) == (None, None)
    assert found["failed"] == ["seam_ratio"]


@pytest.mark.assets
def test_a_sound_that_cannot_be_decoded_is_no_sync(tracked: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "noise.wav").write_bytes(b"no sound")

    found = judged(tracked, "deaf", unchanged, dub_uri=str(tmp_path / "noise.wav"), dub_digest="0" * 64)

    assert (found["sync"], found["sync_loss"], found["failed"]) == (None, None, [])


def test_a_mouth_is_heard_where_it_is_painted_and_not_across_a_gap() -> None:
    """It says two lines; between them it is not painted, and another one speaks."""
    times_s = np.arange(150) / 25
    said = np.sin(2 * np.pi * 4 * times_s) ** 2
    heard = HeardSound(np.interp(np.arange(600) / 100, times_s, 60 * said - 60), np.zeros(600))
    places = [*range(50), *range(100, 150)]
    painted = runs_of(times_s[places], said[places], places)

    alone = likeness(painted, heard, [(0, 32_000), (64_000, 96_000)])

    assert [len(run.times_s) for run in painted] == [50, 50]
    assert likeness(painted, heard, [(0, 96_000)]) == pytest.approx(alone, abs=0.02)
    assert likeness(painted, heard, [(36_000, 60_000)]) is None


def test_a_shot_without_patches_was_not_tried(tmp_path: Path) -> None:
    assert JudgeShot(str(tmp_path), GateConfig()).facts({"patch_uri": None}) == {"tries": []}
    assert JudgeShot(str(tmp_path), GateConfig(max_tries=0)).facts({"patch_uri": "p"}) == {"tries": []}


def test_a_composited_smear_with_grain_on_it_is_a_smear() -> None:
    """In a film with grain, which painted mouths are given: grain is no detail of a mouth."""
    landmarks, rect = drawn_landmarks((150.0, 120.0), 100.0), Rect(90, 160, 120, 80)
    film_grain, drawn = (draw_grain(Grain(4.0), 300, 300, np.random.default_rng(seed)) for seed in (0, 1))
    lips = 120 + 12 * np.sin(np.arange(300) * 2 * np.pi / 4) * np.ones((300, 1))
    film = np.rint(lips + film_grain).astype(np.uint8)
    film[:150] = np.rint(120 + film_grain[:150])
    place = slice(rect.y, rect.y + rect.height), slice(rect.x, rect.x + rect.width)

    def ratio(mouth: NDArray[np.float64], skin: bool) -> float:
        judge = MouthJudge([0], FaceMesh(), FaceDescriber())
        if skin:
            judge.skin([film], landmarks, Coding(bits=8, chroma_x=1, chroma_y=1, matrix=1, full_range=True))
        planes = [np.rint(mouth + drawn).astype(np.uint8)[place]]
        judge.patched(film[place], Patch(0, 0, rect, planes, np.ones(planes[0].shape, bool)), landmarks, 1)
        assert judge.sharpness_ratio is not None
        return judge.sharpness_ratio

    smear, least = np.full((300, 300), 120.0), GateConfig().min_sharpness_ratio
    assert ratio(lips, skin=True) == pytest.approx(1, abs=0.1)
    assert ratio(smear, skin=True) < least
    assert ratio(smear, skin=False) > least  # else this could not fail
