"""A track is painted batch by batch from storage: the frames that are its own, in order, whatever lies around."""

import tracemalloc
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from diff2lip.config import SamplerConfig
from pipelines import row_table
from pipelines.eligibility import Eligibility
from pipelines.paint import PaintMouths
from pipelines.storage import read_table
from schemas.shot import CROPPED_SHOT
from tests.planned_rows import TICKS_PER_FRAME
from tests.planned_tracks import planned, track_rows
from tests.tiny_model import TINY, save_tiny_model

SIZE = TINY.crop.size_px
SPOKEN = (4, 24)  # frames; nothing is painted around them


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("model") / "tiny.safetensors")


def paint(model: Path, row: dict[str, Any], folder: Path) -> dict[str, Any]:
    stage = PaintMouths(
        str(folder),
        str(model),
        SamplerConfig(steps=1, frames_per_batch=4),
        Eligibility(paint_margin_s=Fraction(0)),
        threads=1,
    )
    (painted,) = stage(pa.Table.from_pylist([row], schema=CROPPED_SHOT)).to_pylist()[0]["painted"]
    return dict(painted)


def test_the_seen_frames_in_which_somebody_speaks_are_painted_in_order(model: Path, tmp_path: Path) -> None:
    row = planned(tmp_path, 30, SPOKEN, SIZE)

    painted = paint(model, row, tmp_path)

    expected = [frame for frame in track_rows(1, 30, SIZE)[slice(*SPOKEN)] if frame["detected"]]
    frames = read_table(painted["painted_uri"]).to_pylist()
    assert (painted["track_index"], painted["num_frames"]) == (1, len(expected))
    for name in ("pts", "affine", "landmarks"):
        assert [frame[name] for frame in frames] == [frame[name] for frame in expected]
    assert [frame["source"] for frame in frames] == [frame["crop"] for frame in expected]
    known = 3 * SIZE * TINY.crop.mask_row
    assert all(frame["crop"][:known] == frame["source"][:known] for frame in frames)
    assert all(frame["crop"][known:] != frame["source"][known:] for frame in frames)


@pytest.mark.parametrize(("begins_late", "ends_early"), [(False, False), (True, False), (False, True), (True, True)])
def test_a_mouth_fades_where_its_track_begins_or_ends_in_mid_shot_and_not_at_a_cut(
    model: Path, tmp_path: Path, begins_late: bool, ends_early: bool
) -> None:
    """Of 18 frames those of index 7 and 8 are hidden, and are faded to and from in each case."""
    row = planned(tmp_path, 18, (0, 18), SIZE)
    row["shot_start_pts"] -= begins_late * TICKS_PER_FRAME
    row["shot_end_pts"] += ends_early * TICKS_PER_FRAME

    weights = [frame["weight"] for frame in read_table(paint(model, row, tmp_path)["painted_uri"]).to_pylist()]

    first = [0.25, 0.5, 0.75] if begins_late else [1.0, 1.0, 1.0]
    last = [0.75, 0.5, 0.25] if ends_early else [1.0, 1.0, 1.0]
    assert weights == [*first, 1.0, 0.75, 0.5, 0.25, 0.25, 0.5, 0.75, *[1.0] * 3, *last]


def test_a_track_is_painted_the_same_however_few_rows_are_in_memory(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, names = planned(tmp_path, 30, SPOKEN, SIZE), []
    for rows, group_bytes in ((1000, 1 << 30), (3, 1)):
        monkeypatch.setattr(row_table, "ROWS_AT_A_TIME", rows)
        monkeypatch.setattr(row_table, "ROW_GROUP_BYTES", group_bytes)
        names.append(Path(paint(model, row, tmp_path / f"rows{rows}")["painted_uri"]))

    assert names[0].name == names[1].name
    assert read_table(str(names[0])).equals(read_table(str(names[1])))


def test_a_longer_track_needs_no_more_memory(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_table, "ROWS_AT_A_TIME", 4)
    peaks = []
    for num_frames in (8, 16, 56):  # the first one warms up
        folder = tmp_path / str(num_frames)
        folder.mkdir()
        row = planned(folder, num_frames, (0, num_frames), SIZE)
        tracemalloc.start()
        paint(model, row, folder)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    crops_bytes = 40 * 3 * SIZE**2  # of 40 frames more; as many painted crops and their landmarks come on top
    assert peaks[2] - peaks[1] < crops_bytes / 2
