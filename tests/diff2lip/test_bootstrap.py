"""An interval of a mean over people: it covers the truth as often as it says, and people count, not clips."""

from collections.abc import Callable

import numpy as np
import pytest

from diff2lip.bootstrap import FEWEST, Interval, TooFewError, mean_interval

TRIALS = 400
TRUE_MEAN = 0.3


def intervals(people: int, draw: Callable[[np.random.Generator, int], np.ndarray]) -> list[Interval]:
    """Of many samples whose true mean is known."""
    rng, names = np.random.default_rng(0), [f"id{index}" for index in range(people)]
    return [mean_interval((TRUE_MEAN + draw(rng, people)).tolist(), names) for _ in range(TRIALS)]


@pytest.mark.parametrize("people", [FEWEST, 12, 30])
@pytest.mark.parametrize("law", ["normal", "laplace"])
def test_the_interval_covers_the_true_mean_about_as_often_as_it_says(people: int, law: str) -> None:
    found = intervals(people, lambda rng, count: getattr(rng, law)(0, 1, count))

    covered = sum(one.low <= TRUE_MEAN <= one.high for one in found) / TRIALS
    too_good = sum(one.low > TRUE_MEAN for one in found) / TRIALS
    assert 0.915 <= covered <= 0.985
    assert too_good <= 0.05  # 0.025 is meant; the percentile bootstrap of six has 0.08


def test_clips_of_one_person_are_one_observation() -> None:
    once = mean_interval([1.0, 2.0, 4.0, 3.0, 5.0, 0.0], list("abcdef"))
    often = mean_interval([1.0, 2.0, 4.0, 4.0, 4.0, 4.0, 3.0, 5.0, 0.0], list("abccccdef"))

    assert once == often
    assert (once.mean, once.num_people) == (pytest.approx(2.5), 6)
    assert once.low < once.mean < once.high


def test_equal_values_have_no_width_and_five_people_no_interval() -> None:
    same = mean_interval([0.5] * FEWEST, list("abcdef"))
    assert (same.low, same.high) == (0.5, 0.5)
    with pytest.raises(TooFewError, match="5 people are too few"):
        mean_interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], list("abcdee"))
