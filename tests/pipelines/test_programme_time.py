"""A sheet in the time of the programme is refused also where its film is so long that many lines lie within it."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from pipelines.programme_time import first_timecode_s, misplaced

MINUTE_S = 60
HOUR_S = 3600


def every_minute(film_minutes: int, begin_s: int = 0) -> list[Fraction]:
    """A line in every minute of a film but its first and last."""
    return [Fraction(begin_s + minute * MINUTE_S) for minute in range(1, film_minutes - 1)]


@pytest.mark.parametrize("minutes", [30, 61, 100, 150, 240])
def test_lines_an_hour_late_are_refused_whatever_the_film_lasts_and_the_same_lines_in_its_time_are_not(
    minutes: int,
) -> None:
    duration_s = Fraction(minutes * MINUTE_S)

    detail = misplaced(every_minute(minutes, HOUR_S), duration_s, None)

    assert detail
    assert "take 01:00:00.000 off all of them" in detail
    assert misplaced(every_minute(minutes), duration_s, None) is None
    assert misplaced(every_minute(minutes), duration_s, HOUR_S) is None


def test_a_long_film_in_whose_first_hour_nobody_speaks_keeps_its_lines() -> None:
    late = [Fraction(HOUR_S + minute * MINUTE_S) for minute in range(1, 89)]
    assert misplaced(late, Fraction(150 * MINUTE_S), None) is None
    assert misplaced([*late, Fraction(151 * MINUTE_S)], Fraction(150 * MINUTE_S), None) is None  # cut since


def test_lines_all_within_a_long_film_are_refused_where_its_own_timecode_begins_when_they_do() -> None:
    within = [Fraction(HOUR_S + minute * MINUTE_S) for minute in range(1, 89)]
    detail = misplaced(within, Fraction(150 * MINUTE_S), HOUR_S)
    assert detail
    assert "its timecode begins at 01:00:00.000" in detail
    assert misplaced(within, Fraction(150 * MINUTE_S), 0) is None


def test_a_sheet_in_the_films_time_whose_last_lines_were_cut_is_not_refused() -> None:
    assert misplaced(every_minute(100), Fraction(40 * MINUTE_S), None) is None


def test_a_late_sheet_of_a_short_film_is_told_that_times_count_from_the_first_frame() -> None:
    detail = misplaced([Fraction(70)], Fraction(60), None)
    assert detail == (
        "its first line begins at 00:01:10.000, and the film lasts 00:01:00.000: "
        "times count from the film's first frame"
    )


@pytest.mark.parametrize(
    ("suffix", "timecode", "seconds"),
    [(".mov", "01:00:00:00", 3600), (".mkv", "00:59:50:12", 3590), (".mov", None, None), (".mkv", "noon", None)],
)
def test_the_timecode_of_a_film_is_read_to_its_full_seconds(
    tmp_path: Path, suffix: str, timecode: str | None, seconds: int | None
) -> None:
    path = tmp_path / f"film{suffix}"
    with av.open(str(path), "w") as film:
        stream = film.add_stream("mpeg4", rate=25, width=32, height=32)
        if timecode:
            film.metadata["timecode"] = timecode
        for _ in range(3):
            film.mux(stream.encode(VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")))
        film.mux(stream.encode(None))
    assert first_timecode_s(path) == seconds
