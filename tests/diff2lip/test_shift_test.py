"""A mouth that follows is told from one that only moves alike, and chance is called chance as often as it should."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from diff2lip.shift_test import correlation_of, shift_p

FRAMES = 150


def talking(rng: np.random.Generator, frames: int = FRAMES) -> NDArray[np.float64]:
    """[F] openings that change as slowly as a mouth's."""
    return np.asarray(gaussian_filter1d(rng.normal(size=frames), 2.0))


def test_a_mouth_that_follows_has_the_smallest_p_there_is() -> None:
    rng = np.random.default_rng(0)
    true = talking(rng)
    painted = true + 0.5 * talking(rng)

    shifts = FRAMES - 2 * 10 + 1
    assert shift_p(painted, true) == pytest.approx(1 / (shifts + 1))
    assert shift_p(np.roll(painted, 40), true) > 0.1  # type: ignore[operator]


def test_mouths_that_have_nothing_to_do_with_each_other_are_called_sure_as_seldom_as_p_says() -> None:
    rng = np.random.default_rng(1)

    values = np.array([shift_p(talking(rng), talking(rng)) for _ in range(300)], np.float64)

    for level in (0.05, 0.2, 0.5):
        assert (values <= level).mean() == pytest.approx(level, abs=0.06)


def test_frames_without_a_mouth_are_left_out() -> None:
    rng = np.random.default_rng(2)
    true = talking(rng)
    painted = true.copy()
    painted[::7] = np.nan

    assert correlation_of(painted, true) == pytest.approx(1)
    assert shift_p(painted, true) < 0.01  # type: ignore[operator]


def test_short_or_still_mouths_say_nothing() -> None:
    rng = np.random.default_rng(3)
    true = talking(rng)

    assert shift_p(true[:37], true[:37]) is None
    assert shift_p(true[:38], true[:38]) is not None
    assert shift_p(np.full(FRAMES, 0.2), true) is None
    assert correlation_of(true[:4], true[:4]) is None
