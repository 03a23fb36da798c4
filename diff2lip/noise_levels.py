"""Which of the 1000 noise levels a sampler visits."""

from collections.abc import Callable
from enum import StrEnum

NUM_LEVELS = 1000


class Spacing(StrEnum):
    """How the levels are chosen."""

    PUBLISHED = "published"
    TRAILING = "trailing"


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


SPACINGS: dict[Spacing, Callable[[int], list[int]]] = {
    Spacing.PUBLISHED: published_levels,
    Spacing.TRAILING: trailing_levels,
}
