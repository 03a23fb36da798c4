"""The noise schedule, and which of its 1000 levels a sampler visits."""

from collections.abc import Callable
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

NUM_LEVELS = 1000
BETA_FIRST, BETA_LAST = 1e-4, 0.02
NEARLY_NOISE, NEARLY_CLEAN = 940, 1  # few steps between these come nearest to many: benchmarks/sampler.py


class Spacing(StrEnum):
    """How the levels are chosen."""

    PUBLISHED = "published"
    TRAILING = "trailing"
    LOG_SNR = "log_snr"


def signal_shares() -> NDArray[np.float64]:
    """[1000] share of signal power at each noise level: products of 1 - beta, beta linear."""
    return np.cumprod(1 - np.linspace(BETA_FIRST, BETA_LAST, NUM_LEVELS), dtype=np.float64)


def published_levels(steps: int) -> list[int]:
    """The levels of the published sampler, highest first: the smallest stride from 0 that gives exactly `steps`.

    Raises:
        ValueError: no whole stride gives that many.
    """
    for stride in range(1, NUM_LEVELS + 1):
        if len(range(0, NUM_LEVELS, stride)) == steps:
            return list(range(0, NUM_LEVELS, stride))[::-1]
    raise ValueError(f"no whole stride visits exactly {steps} of {NUM_LEVELS} levels; try 5, 8, 10, 20, 25 or 50")


def trailing_levels(steps: int) -> list[int]:
    """Levels evenly spaced from the highest of all, none spent where the crop is clean already.

    Lin et al., "Common Diffusion Noise Schedules and Sample Steps are Flawed" (2024), section 3.3.

    Raises:
        ValueError: steps are not in [1, 1000].
    """
    if not 1 <= steps <= NUM_LEVELS:
        raise ValueError(f"steps must be in [1, {NUM_LEVELS}], got {steps}")
    return [round(NUM_LEVELS * (steps - index) / steps) - 1 for index in range(steps)]


def log_snr_levels(steps: int) -> list[int]:
    """Levels evenly spaced in the log of the signal-to-noise ratio, in which solvers of higher order take their steps.

    Lu et al., "DPM-Solver: A Fast ODE Solver for Diffusion Probabilistic Model Sampling" (2022), section 3.3.

    Raises:
        ValueError: steps are none, or so many that levels would repeat.
    """
    shares = signal_shares()
    log_snr = np.log(shares / (1 - shares))
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    wanted = np.linspace(log_snr[NEARLY_NOISE], log_snr[NEARLY_CLEAN], steps)
    levels = [int(np.abs(log_snr - value).argmin()) for value in wanted]
    if len(set(levels)) < steps:
        raise ValueError(f"{steps} steps would visit a level twice")
    return levels


SPACINGS: dict[Spacing, Callable[[int], list[int]]] = {
    Spacing.PUBLISHED: published_levels,
    Spacing.TRAILING: trailing_levels,
    Spacing.LOG_SNR: log_snr_levels,
}
