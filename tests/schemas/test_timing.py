"""Time is exact: shots that tile a film tile its sound, and clocks are only for people."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.timing import ANALYSIS_RATE_HZ, Span, clock, fraction, pts_to_sample, rational

RATES = [Fraction(1001, 24_000), Fraction(1, 25), Fraction(1001, 30_000), Fraction(1, 90_000), Fraction(1, 12_800)]
time_bases = st.sampled_from(RATES)
cuts = st.lists(st.integers(-1000, 20_000_000), min_size=3, max_size=20, unique=True).map(sorted)


@given(cuts=cuts, time_base=time_bases, rate=st.sampled_from([ANALYSIS_RATE_HZ, 44_100, 48_000]))
def test_shots_that_tile_a_film_tile_its_sound(cuts: list[int], time_base: Fraction, rate: int) -> None:
    shots = [Span(a, b, time_base).to_samples(rate) for a, b in pairwise(cuts)]
    assert all(left[1] == right[0] for left, right in pairwise(shots))


@given(pts=st.integers(-(10**9), 10**9), time_base=time_bases)
def test_a_sample_is_never_further_than_half_a_sample_from_its_pts(pts: int, time_base: Fraction) -> None:
    sample = pts_to_sample(pts, time_base, ANALYSIS_RATE_HZ)
    assert abs(sample - pts * time_base * ANALYSIS_RATE_HZ) <= Fraction(1, 2)


@given(start=st.integers(0, 10**6), length=st.integers(1, 10**6), time_base=time_bases)
def test_a_span_lasts_as_long_as_its_ticks(start: int, length: int, time_base: Fraction) -> None:
    assert Span(start, start + length, time_base).duration == length * time_base


def test_two_hours_of_23_976_fps_do_not_drift() -> None:
    frames = 2 * 3600 * 24  # 7207.2 s exactly
    assert pts_to_sample(frames, Fraction(1001, 24_000), 48_000) == 345_945_600


@pytest.mark.parametrize(("start", "end"), [(5, 5), (6, 5)])
def test_an_empty_span_is_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="empty span"):
        Span(start, end, Fraction(1, 25))


def test_a_time_base_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        Span(0, 1, Fraction(0))


@given(st.fractions(min_value=0, max_denominator=10**6))
def test_a_rational_comes_back_from_its_row(value: Fraction) -> None:
    assert fraction(rational(value)) == value


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (Fraction(0), "00:00:00.000"),
        (Fraction(3661), "01:01:01.000"),
        (Fraction(59_9996, 10_000), "00:01:00.000"),
        (Fraction(-3, 2), "-00:00:01.500"),
        (Fraction(360_000), "100:00:00.000"),
    ],
)
def test_a_clock_is_read_by_people(seconds: Fraction, text: str) -> None:
    assert clock(seconds) == text
