"""Of two people of whom one speaks, only that one's mouth is painted; the other keeps every sample."""

from collections.abc import Iterator
from pathlib import Path
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
from tests.portraits import SIDE_PX, spoken_face, syllables, voice
from tests.real_assets import real_asset
from tests.synthetic import FilmSpec, make_film
from tests.tiny_model import TINY, save_tiny_model

NUM_FRAMES = 60
SMALL_CROPS = Eligibility(max_enlargement=20, sure_enlargement=20)  # the tiny model paints 32 px


@pytest.fixture(scope="module")
def composited(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The first seconds of a real clip of two people, up to its patches."""
    return composite(tmp_path_factory.mktemp("listener"), real_asset("clip-obama-speech"))


def composite(folder: Path, path: Path) -> SimpleNamespace:
    """The first seconds of a film in which somebody speaks all the time, up to its patches."""
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
    pictures = list(laid_pictures(composited))
    assert len(pictures) > NUM_FRAMES // 2
    for pts, planes, painted in pictures:
        left, top, right, bottom = boxes[pts]
        middle = (left + right) / 2
        for number, (old, new) in enumerate(zip(planes, painted, strict=True)):
            rows, columns = np.nonzero(old != new)
            x, y = (columns, rows) if number == 0 else (columns * 2, rows * 2)  # chroma of 4:2:0
            assert np.abs(x - middle).max(initial=0) < (right - left) * 0.75
            assert y.min(initial=10_000) > top + (bottom - top) * 0.4
            assert number > 0 or len(rows) > 100


@pytest.mark.parametrize(("speaker", "yawn"), [(0, 0.0), (1, 0.5)], ids=["right one rests", "left one yawns"])
def test_the_half_of_the_picture_in_which_a_listener_is_keeps_every_sample(
    speaker: int, yawn: float, tmp_path: Path
) -> None:
    """Two people side by side, of whom one is heard; the mouth of the other is shut, or opens once."""
    said = syllables(NUM_FRAMES)
    idle = (yawn * np.hanning(NUM_FRAMES)).tolist()
    shown = (said, idle) if speaker == 0 else (idle, said)
    film = make_film(
        tmp_path / "film.mp4",
        FilmSpec(num_frames=NUM_FRAMES, cuts=(), width_px=2 * SIDE_PX, height_px=SIDE_PX),
        draw=lambda index: np.hstack([spoken_face(openings[index]) for openings in shown]),
        sound=lambda count, rate_hz: voice(said, 25.0, count, rate_hz),
    )

    made = composite(tmp_path, film.path)

    (painted,) = [one["track_index"] for one in made.row["verdicts"] if one["verdict"] == Verdict.DUB]
    assert (boxes_of(made, painted)[:, 0].mean() > SIDE_PX) == bool(speaker)
    halves = [0, 0]
    for _, old, new in laid_pictures(made):
        for before, after in zip(old, new, strict=True):
            middle = before.shape[1] // 2
            changed = before != after
            halves = [halves[0] + changed[:, :middle].sum(), halves[1] + changed[:, middle:].sum()]
    assert halves[speaker] > 100 * NUM_FRAMES // 2
    assert halves[1 - speaker] == 0


def laid_pictures(composited: SimpleNamespace) -> Iterator[tuple[int, list[np.ndarray], list[np.ndarray]]]:
    """Pts, planes as filmed and as painted of every frame that is painted."""
    patches = {row["pts"]: row for row in read_table(composited.row["patch_uri"]).to_pylist()}
    span = composited.row["shot_start_pts"], composited.row["shot_end_pts"]
    for pts, planes, coding in coded_frames(composited.path, *span):
        if pts in patches:
            painted = [plane.copy() for plane in planes]
            lay(patch_of(patches[pts], coding), painted, coding)
            yield pts, list(planes), painted


def boxes_of(composited: SimpleNamespace, index: int) -> np.ndarray:
    return np.array([row["box"] for row in track_rows(composited, index)])


def pts_of(composited: SimpleNamespace, index: int) -> list[int]:
    return [row["pts"] for row in track_rows(composited, index)]


def track_rows(composited: SimpleNamespace, index: int) -> list[dict[str, object]]:
    return [row for row in read_table(composited.row["tracks_uri"]).to_pylist() if row["track_index"] == index]
