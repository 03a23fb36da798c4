"""Whether a painted mouth follows this sound or only moves as mouths do: the truth against itself, shifted."""

import numpy as np
from numpy.typing import NDArray

LEAST_SHIFT = 10  # frames, two syllables: nearer, a mouth is too much like itself
FEWEST_SHIFTS = 19  # of which the p that can be had is 0.05
FEWEST_PAIRS = 5
Floats = NDArray[np.float64]


def shift_p(painted: Floats, true: Floats) -> float | None:
    """How often a painted mouth fits as well when it is moved in time: the p of a circular shift test.

    Shifting keeps how a mouth moves, which shuffling frames would not: neighbours are alike, and a correlation of
    such series is large by chance. Each shift counts, and no shift counts as one of them (Davison & Hinkley,
    "Bootstrap Methods and their Application" (1997), section 4.3).

    Args:
        painted: [F] openings of the painted mouth, NaN where none is found.
        true: [F] of the true one.

    Returns:
        In [1 / (shifts + 1), 1]; None where there are fewer than 19 shifts or a mouth does not move.
    """
    shifts = range(LEAST_SHIFT, len(true) - LEAST_SHIFT + 1)
    at_place = correlation_of(painted, true)
    if len(shifts) < FEWEST_SHIFTS or at_place is None:
        return None
    moved = [correlation_of(np.roll(painted, shift), true) for shift in shifts]
    as_good = sum(one is not None and one >= at_place for one in moved)
    return (1 + as_good) / (1 + len(shifts))


def correlation_of(first: Floats, second: Floats) -> float | None:
    """Pearson's, of the places [F] where both are numbers; None where fewer than five are, or one does not change."""
    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < FEWEST_PAIRS or not np.ptp(first[both]) or not np.ptp(second[both]):
        return None
    return float(np.corrcoef(first[both], second[both])[0, 1])
