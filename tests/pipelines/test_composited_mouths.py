"""Real faces with another mouth of their own, filmed a moment away: the compositor apart from any model."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from diff2lip.config import CropConfig
from jobs.inspect_job import film_row
from pipelines.composite import CompositeShot
from pipelines.face_crop import crop_frame
from pipelines.face_frame import apply
from pipelines.faces import TrackFaces
from pipelines.gate import GateConfig
from pipelines.judge import JudgeShot
from pipelines.mask import lips_mask
from pipelines.media.encode import with_planes
from pipelines.media.picture import coded_planes, frames, rgb_frames, to_rgb
from pipelines.media.probe import probe_film
from pipelines.patch import patch_of, window
from pipelines.storage import ObjectStore, read_table
from schemas.frames import PAINTED_FRAME
from schemas.reason import Verdict
from schemas.shot import COMPOSITED_SHOT
from tests.film_rows import as_shot
from tests.real_assets import real_asset

CLIPS = ["clip-test-movie", "clip-obama-speech"]
NUM_FRAMES = 14
CROP = CropConfig()
Crops = list[NDArray[np.uint8]]


@pytest.fixture(scope="module", params=CLIPS)
def tracked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The first frames of a real clip, with the rows of one of its face tracks and its crops."""
    for name in ("retinaface-mobilenet025", "face-mesh", "dlib-face-recognition"):
        real_asset(name)
    path, folder = real_asset(request.param), tmp_path_factory.mktemp("mouths")
    rows = as_shot(film_row(path, probe_film(path)), NUM_FRAMES)
    (row,) = TrackFaces(store_uri=str(folder))(rows).to_pylist()
    track = [one for one in read_table(row["tracks_uri"]).to_pylist() if one["track_index"] == 0]
    assert len(track) == NUM_FRAMES
    pictures = dict(rgb_frames(path, row["shot_start_pts"], row["shot_end_pts"]))
    crops = [crop_frame(pictures[one["pts"]], affine_of(one), CROP.size_px) for one in track]
    return {"folder": folder, "row": row, "track": track, "crops": crops}


def affine_of(one: dict[str, Any]) -> NDArray[np.float64]:
    return np.reshape(one["affine"], (2, 3)).astype(np.float64)


def composited(tracked: dict[str, Any], name: str, painted: Crops) -> dict[str, Any]:
    """The shot with crops in place of its own."""
    rows = [
        {
            "pts": one["pts"],
            "affine": one["affine"],
            "weight": 1.0,
            "landmarks": one["landmarks"],
            "source": source.tobytes(),
            "crop": crop.tobytes(),
        }
        for one, source, crop in zip(tracked["track"], tracked["crops"], painted, strict=True)
    ]
    uri = ObjectStore(str(tracked["folder"])).put_table(name, pa.Table.from_pylist(rows, schema=PAINTED_FRAME))
    shot: dict[str, Any] = {field.name: None for field in COMPOSITED_SHOT} | tracked["row"]
    shot |= {"verdicts": [{"track_index": 0, "verdict": Verdict.DUB.value, "reason": None}]}
    shot |= {"painted": [{"track_index": 0, "painted_uri": uri, "num_frames": len(rows)}]}
    return shot | CompositeShot(str(tracked["folder"]), CROP).facts(shot)


@pytest.mark.assets
def test_the_filmed_crops_of_a_real_face_change_nothing(tracked: dict[str, Any]) -> None:
    made = composited(tracked, "own", tracked["crops"])

    assert (made["patch_uri"], made["num_frames_changed"]) == (None, 0)
    assert (made["seam_ratio"], made["flicker_ratio"]) == (pytest.approx(1), pytest.approx(1))


@pytest.mark.assets
def test_another_mouth_of_the_same_face_comes_out_as_itself_without_a_seam(tracked: dict[str, Any]) -> None:
    other = tracked["crops"][::-1]  # aligned by the face, not by the picture

    made = composited(tracked, "other", other)

    (found,) = JudgeShot(str(tracked["folder"]), GateConfig()).facts(made)["tries"]
    assert made["num_frames_changed"] == NUM_FRAMES
    assert found["seam_ratio"] <= 1.15
    assert found["outside_change"] == 0
    assert {"flicker_ratio", "sharpness_ratio", "identity_distance"}.isdisjoint(found["failed"])
    to_source, to_other = distances(tracked, other, made)
    assert to_other < to_source / 2


def distances(tracked: dict[str, Any], other: Crops, made: dict[str, Any]) -> tuple[float, float]:
    """Codes between the delivered lips and the filmed ones, and the other ones; off the mask nothing differs."""
    patches = {row["pts"]: row for row in read_table(made["patch_uri"]).to_pylist()}
    span, found = (made["shot_start_pts"], made["shot_end_pts"]), []
    shown = zip(frames(Path(made["film_uri"]), *span), tracked["track"], tracked["crops"], other, strict=True)
    for (pts, frame), one, source, painted in shown:
        planes, coding = coded_planes(frame)
        patch = patch_of(patches[pts], coding)
        luma = window(planes, patch.rect, coding)[0]
        assert np.array_equal(luma[~patch.mask], patch.planes[0][~patch.mask])
        for view, fresh in zip(window(planes, patch.rect, coding), patch.planes, strict=True):
            view[:] = fresh
        delivered = crop_frame(to_rgb(with_planes(planes, frame)), affine_of(one), CROP.size_px).astype(int)
        landmarks = apply(affine_of(one), np.reshape(one["landmarks"], (-1, 2)).astype(np.float64))
        lips = lips_mask(landmarks, CROP.size_px, 0) > 0.5
        found.append([np.abs(delivered - crop)[lips].mean() for crop in (source, painted)])
    to_source, to_other = np.mean(found, 0)
    return float(to_source), float(to_other)
