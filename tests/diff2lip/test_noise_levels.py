"""Levels descend from near pure noise; those of the published sampler are the published ones."""

import numpy as np
import pytest

from diff2lip.diffusion import alpha_bars
from diff2lip.noise_levels import NUM_LEVELS, log_snr_levels, published_levels, trailing_levels
from tests.diff2lip.published import FIGURES


def test_the_25_levels_are_the_published_ones() -> None:
    levels = published_levels(25)

    assert levels[::-1] == FIGURES["schedule"]["timestep_map"]
    np.testing.assert_allclose(alpha_bars()[levels[::-1]].numpy(), FIGURES["schedule"]["alphas_cumprod"], rtol=1e-9)


def test_a_step_count_without_a_whole_stride_is_refused() -> None:
    with pytest.raises(ValueError, match="no whole stride"):
        published_levels(300)


@pytest.mark.parametrize("steps", [1, 4, 6, 7, 25, 1000])
def test_trailing_levels_begin_at_the_highest_and_never_repeat(steps: int) -> None:
    levels = trailing_levels(steps)
    assert levels[0] == NUM_LEVELS - 1
    assert levels == sorted(set(levels), reverse=True)
    assert len(levels) == steps


def test_more_levels_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match=r"in \[1, 1000\]"):
        trailing_levels(1001)


def test_levels_by_log_snr_are_as_even_in_it_as_whole_levels_can_be() -> None:
    levels = log_snr_levels(6)
    shares = alpha_bars().numpy()
    log_snr = np.log(shares / (1 - shares))
    wanted = np.linspace(log_snr[levels[0]], log_snr[levels[-1]], 6)
    assert (levels[0], levels[-1]) == (940, 1)
    assert log_snr_levels(1) == [940]
    for level, value in zip(levels, wanted, strict=True):
        beside = [abs(log_snr[near] - value) for near in (level - 1, level + 1)]
        assert abs(log_snr[level] - value) <= min(beside)


@pytest.mark.parametrize("steps", [0, 400])
def test_too_few_or_too_many_levels_by_log_snr_are_refused(steps: int) -> None:
    with pytest.raises(ValueError, match="steps"):
        log_snr_levels(steps)
