"""Of two real people of whom one speaks, only that one's mouth is painted; the other keeps every sample."""

from types import SimpleNamespace

import numpy as np
import pytest

from diff2lip.config import SamplerConfig
from jobs.inspect_job import film_row
from pipelines.composite import CompositeShot
from pipelines.crops import CutCrops
from pipelines.eligibility import Eligibility
from pipelines.faces import TrackFaces
from pipelines.media.picture import coded_frames
from pipelines.media.probe import probe_film
from pipelines.paint import PaintMouths
from pipelines.patch import lay, patch_of
from pipelines.plan import plan_shots
from pipelines.storage import read_table
from schemas.reason import Verdict
from tests.film_rows import as_shot
from tests.real_assets import real_asset
from tests.tiny_model import TINY, save_tiny_model

NUM_FRAMES = 60
SMALL_CROPS = Eligibility(max_enlargement=20, sure_enlargement=20)  # the tiny model paints 32 px


@pytest.fixture(scope="module")
def composited(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The first seconds of a real clip of two people, up to its patches."""
    folder, path = tmp_path_factory.mktemp("listener"), real_asset("clip-obama-speech")
    model = save_tiny_model(folder / "tiny.safetensors", weight_std=0.05)
    stages = (
        TrackFaces(store_uri=str(folder), crop=TINY.crop),
        lambda tracked: plan_shots(tracked, SMALL_CROPS),
        CutCrops(str(folder), TINY.crop, SMALL_CROPS),
        PaintMouths(str(folder), str(model), SamplerConfig(steps=1, frames_per_batch=4), SMALL_CROPS, threads=1),
        CompositeShot(str(folder), TINY.crop),
    )
    rows = as_shot(film_row(path, probe_film(path)), NUM_FRAMES)
    for stage in stages:
        rows = stage(rows)
    return SimpleNamespace(path=path, row=rows.to_pylist()[0])


@pytest.mark.assets
def test_the_right_face_is_dubbed_and_the_left_one_left(composited: SimpleNamespace) -> None:
    verdicts = {verdict["track_index"]: verdict for verdict in composited.row["verdicts"]}
    lefts = {
        track["track_index"]: boxes_of(composited, track["track_index"])[:, 0].mean() for track in verdicts.values()
    }
    listener, speaker = sorted(verdicts, key=lambda index: lefts[index])

    assert (verdicts[listener]["verdict"], verdicts[listener]["reason"]) == (Verdict.LEAVE, "not_speaking")
    assert (verdicts[speaker]["verdict"], verdicts[speaker]["reason"]) == (Verdict.DUB, None)


@pytest.mark.assets
def test_outside_the_speakers_face_no_sample_of_any_plane_changes(composited: SimpleNamespace) -> None:
    (speaker,) = [one["track_index"] for one in composited.row["verdicts"] if one["verdict"] == Verdict.DUB]
    boxes = dict(zip(pts_of(composited, speaker), boxes_of(composited, speaker), strict=True))
    patches = {row["pts"]: row for row in read_table(composited.row["patch_uri"]).to_pylist()}
    assert len(patches) > NUM_FRAMES // 2
    span = composited.row["shot_start_pts"], composited.row["shot_end_pts"]
    for pts, planes, coding in coded_frames(composited.path, *span):
        if pts not in patches:
            continue
        painted = [plane.copy() for plane in planes]
        lay(patch_of(patches[pts], coding), painted, coding)
        left, top, right, bottom = boxes[pts]
        middle = (left + right) / 2
        for number, (old, new) in enumerate(zip(planes, painted, strict=True)):
            rows, columns = np.nonzero(old != new)
            x, y = (columns, rows) if number == 0 else (columns * coding.chroma_x, rows * coding.chroma_y)
            assert np.abs(x - middle).max(initial=0) < (right - left) * 0.75
            assert y.min(initial=10_000) > top + (bottom - top) * 0.4
            assert number > 0 or len(rows) > 100


def boxes_of(composited: SimpleNamespace, index: int) -> np.ndarray:
    return np.array([row["box"] for row in track_rows(composited, index)])


def pts_of(composited: SimpleNamespace, index: int) -> list[int]:
    return [row["pts"] for row in track_rows(composited, index)]


def track_rows(composited: SimpleNamespace, index: int) -> list[dict[str, object]]:
    return [row for row in read_table(composited.row["tracks_uri"]).to_pylist() if row["track_index"] == index]
