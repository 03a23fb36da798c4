"""What is claimed of stitching fails where it is slower, or needs more memory, than is said."""

import pytest

from benchmarks.stitch import claims

FAST, FLAT, TALKING = {0.02: 20.0, 0.1: 6.0, 0.5: 1.0}, {1: 200.0, 5: 400.0, 10: 230.0}, {1: 60.0, 2: 63.0}


def held(
    minutes: int = 10,
    fast: dict[float, float] = FAST,
    peaks: dict[int, float] = FLAT,
    talking: dict[int, float] = TALKING,
) -> list[bool]:
    return [claim.holds for claim in claims(minutes, fast, peaks, talking)]


def test_figures_at_their_bounds_are_enough() -> None:
    assert held() == [True, True, True, True]


@pytest.mark.parametrize(
    ("fast", "expected"), [({0.02: 19.9, 0.1: 6.1}, [False, True]), ({0.02: 25.0, 0.1: 5.9}, [True, False])]
)
def test_a_slower_splice_fails(fast: dict[float, float], expected: list[bool]) -> None:
    assert held(fast=fast)[:2] == expected


def test_speeds_of_shorter_films_are_not_judged() -> None:
    assert held(minutes=9, fast={0.02: 1.0, 0.1: 1.0}) == [True, True]


def test_memory_that_grows_with_the_film_fails() -> None:
    assert held(peaks={10: 231.0, 1: 200.0})[2] is False


def test_runs_at_once_that_take_longer_than_one_by_one_fail() -> None:
    assert held(talking={1: 60.0, 2: 67.0})[3] is False


def test_what_was_not_measured_is_not_judged() -> None:
    assert held(fast={}, peaks={1: 200.0}, talking={2: 60.0}) == []
