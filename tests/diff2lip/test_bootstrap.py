"""An interval of a mean over people: it covers the truth as often as it says, and people count, not clips."""

import numpy as np
import pytest

from diff2lip.bootstrap import TooFewError, mean_interval


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    rng, covered = np.random.default_rng(0), 0
    for _ in range(200):
        values = rng.normal(0.3, 1.0, 30)
        found = mean_interval(values.tolist(), [f"id{index}" for index in range(30)])
        covered += found.low <= 0.3 <= found.high

    assert 0.88 <= covered / 200 <= 0.99  # the percentile bootstrap of 30 is a little narrow


def test_clips_of_one_person_are_one_observation() -> None:
    once = mean_interval([1.0, 2.0, 4.0], ["a", "b", "c"])
    often = mean_interval([1.0, 2.0, 4.0, 4.0, 4.0, 4.0], ["a", "b", "c", "c", "c", "c"])

    assert once == often
    assert (once.mean, once.num_people) == (pytest.approx(7 / 3), 3)


def test_equal_values_have_no_width_and_two_people_no_interval() -> None:
    assert mean_interval([0.5] * 3, ["a", "b", "c"]).low == 0.5
    with pytest.raises(TooFewError, match="2 people are too few"):
        mean_interval([1.0, 2.0, 3.0], ["a", "b", "b"])
