"""Of a sheet that is followed a person is told what in it was passed over, and what may be meant otherwise."""

from pathlib import Path

import pytest

from pipelines.sheet_notices import sheet_notices
from pipelines.stage import Row


def film(sheet: Path | None, script: Path | None = None, frames: int = 25) -> Row:
    sheet_uri, script_uri = (str(path) if path else None for path in (sheet, script))
    return {"sheet_uri": sheet_uri, "script_uri": script_uri, "frame_rate": {"num": frames, "den": 1}}


def write(folder: Path, text: str) -> Path:
    (folder / "sheet.csv").write_text(text)
    return folder / "sheet.csv"


def test_columns_that_mean_nothing_are_told_of_a_sheet_and_of_a_script(tmp_path: Path) -> None:
    sheet = write(tmp_path, "start,ende,take,text,,Notes\n0,1,a.wav,No.,,x\n")
    words = "sheet.csv: these columns are passed over: ende, notes; those that are read are id, character,"
    for row in (film(sheet), film(None, sheet)):
        (told,) = sheet_notices(row)
        assert told.startswith(words)


@pytest.mark.parametrize(
    ("start", "end", "frames", "is_told"),
    [
        ("00:00:01.12", "00:00:02,24", 25, True),
        ("00:00:01.12", "", 25, True),
        ("00:00:01.12", "00:00:02.25", 25, False),
        ("00:00:01.12", "00:00:02.25", 30, True),
        ("00:00:01.12", "00:00:02.240", 25, False),
        ("00:00:01.00", "00:00:02.00", 25, False),
        ("00:00:01", "00:00:02", 25, False),
        ("1.12", "2.24", 25, False),
    ],
)
def test_times_are_told_whose_two_last_digits_may_all_be_frames(
    tmp_path: Path, start: str, end: str, frames: int, is_told: bool
) -> None:
    sheet = write(tmp_path, f"start;end;take\n{start};{end};a.wav\n")
    told = sheet_notices(film(sheet, frames=frames))
    assert [f"all below the {frames} frames of a second" in one for one in told] == [True] * is_told


def test_a_sheet_that_is_gone_and_a_film_without_one_have_nothing_to_tell(tmp_path: Path) -> None:
    assert sheet_notices(film(tmp_path / "gone.csv")) == sheet_notices(film(None)) == []
