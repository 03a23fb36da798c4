"""Of a sheet that is followed a person is told what in it was passed over, and what may be meant otherwise."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.cue_sheet import sheet_digest
from pipelines.media.sound import write_wav
from pipelines.sheet_notices import MAX_OVERLAPS_TOLD, sheet_notices
from pipelines.stage import Row
from pipelines.takes import PlaceTakes
from schemas.film import FILM
from schemas.line import STEM_RATE_HZ

TONE = (0.25 * np.cos(np.arange(STEM_RATE_HZ) * 0.03)).astype(np.float32)


def film(sheet: Path | None, script: Path | None = None, frames: int = 25) -> Row:
    sheet_uri, script_uri = (str(path) if path else None for path in (sheet, script))
    rate = {"num": frames, "den": 1}
    return {"sheet_uri": sheet_uri, "script_uri": script_uri, "frame_rate": rate, "lines_uri": None}


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


def placed(sheet: Path, *takes: str) -> Row:
    """FILM of 20 s whose sheet was placed with takes of 1 s."""
    for take in takes or ("a.wav", "b.wav", "c.wav", "d.wav"):
        write_wav(sheet.with_name(take), TONE, STEM_RATE_HZ)
    times = {"start_pts": 0, "end_pts": 500, "time_base": {"num": 1, "den": 25}}
    row = dict.fromkeys(FILM.names) | film(sheet) | times | {"sheet_digest": sheet_digest(sheet)}
    return row | PlaceTakes(str(sheet.parent / "work")).facts(row)


def as_csv(lines: list[dict[str, Any]]) -> str:
    return "\n".join([",".join(lines[0]), *(",".join(map(str, line.values())) for line in lines)])


def as_srt(lines: list[dict[str, Any]]) -> str:
    shown = "{n}\n00:00:{start:06.3f} --> 00:00:{end:06.3f}\n{character}: No.\ntake: {take}\n"
    return "\n".join(shown.format(n=number, **line) for number, line in enumerate(lines, start=1))


@pytest.mark.parametrize(("suffix", "written"), [("csv", as_csv), ("json", json.dumps), ("srt", as_srt)])
def test_overlaps_of_one_character_are_told_and_those_of_two_people_are_not(
    tmp_path: Path, suffix: str, written: Any
) -> None:
    who = ("ANA", "ANA", "ANA", "JON", "ANA", "ANA")
    starts, ends = (0.0, 3.0, 5.0, 6.5, 9.0, 11.0), (1.0, 6.0, 7.0, 7.5, 11.05, 12.0)
    takes = ("a.wav", "b.wav", "c.wav", "d.wav", "a.wav", "b.wav")
    named = ("character", "start", "end", "take")
    lines = [dict(zip(named, line, strict=True)) for line in zip(who, starts, ends, takes, strict=True)]
    sheet = tmp_path / f"sheet.{suffix}"
    sheet.write_text(written(lines))

    assert sheet_notices(placed(sheet)) == [f"sheet.{suffix}: lines 2 and 3 of ANA overlap by 1.00 s: both are heard"]


def test_of_lines_without_an_end_and_of_takes_that_are_missing_only_what_is_heard_overlaps(tmp_path: Path) -> None:
    sheet = write(tmp_path, "id,character,start,take\nx,Ana,1,a.wav\ny,ana,1.6,b.wav\nz,Ana,1.7,gone.wav\n")

    assert sheet_notices(placed(sheet, "a.wav", "b.wav")) == [
        "sheet.csv: lines x and y of ana overlap by 0.40 s: both are heard"
    ]


@pytest.mark.parametrize(
    ("again", "told"),
    [
        ("1,,a.wav", ["lines 1 and 2 are the same take at the same time: it is heard 6 dB too loud"]),
        ("1.25,,a.wav", ["lines 1 and 2 are the same take, 0.25 s apart: it is heard over itself"]),
        ("1,1.9,a.wav", ["lines 1 and 2 are the same take, 0.00 s apart: it is heard over itself"]),
        ("2,,a.wav", []),
        ("1,,b.wav", []),
    ],
)
def test_a_take_that_is_heard_over_itself_is_told_whoever_says_it(tmp_path: Path, again: str, told: list[str]) -> None:
    sheet = write(tmp_path, f"start,end,take\n1,,a.wav\n{again}\n")

    assert sheet_notices(placed(sheet)) == [f"sheet.csv: {one}" for one in told]


def test_of_many_that_overlap_the_first_are_told_and_the_rest_is_counted(tmp_path: Path) -> None:
    lines = "\n".join(f"Ana,{1 + place / 100:.2f},3,{'ab'[place % 2]}.wav" for place in range(12))
    told = sheet_notices(placed(write(tmp_path, f"character,start,end,take\n{lines}\n")))

    assert len(told) == MAX_OVERLAPS_TOLD + 1
    assert told[-1] == f"sheet.csv: {11 - MAX_OVERLAPS_TOLD} more lines lie over others so"
