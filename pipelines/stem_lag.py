"""Whether a dialogue stem as a whole seems late: a hint from where dub and film begin to speak, and no more than that.

A stem shares no sound with its film, but its lines are spoken where lips move. So the beginnings of its speech gather
at one lag from those of the film's own. They may do so by chance, or by the taste of a director: no stem is moved.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pipelines.speech import SampleSpan
from schemas.timing import ANALYSIS_RATE_HZ

GRID_HZ = 50
SPREAD_S = 0.08  # of the beginnings of lines that are dubbed in time
MIN_BEGINNINGS = 12  # in both sounds; of fewer any lag is found
MIN_LAG_S = 0.3  # less is the taste of actors
MIN_SHARE = 0.5  # of the beginnings that lie at the lag, more or less
MIN_OVER_ZERO = 2.0  # so many times more than lie in time

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LagHint:
    """By how much a stem seems late.

    Attributes:
        lag_s: positive = dub late.
        share: of the beginnings that gather there, 0..1.
    """

    lag_s: float
    share: float


def stem_lag(original: Sequence[SampleSpan], dub: Sequence[SampleSpan], max_lag_s: float) -> LagHint | None:
    """The lag at which beginnings of speech gather; None where they do so in time, or nowhere.

    Args:
        original: where the film's own sound speaks, in samples at 16 kHz from its first frame.
        dub: where the stem speaks, in the same.
        max_lag_s: the largest lag that is looked for, either way.
    """
    if min(len(original), len(dub)) < MIN_BEGINNINGS:
        return None
    length = round(max(original[-1][1], dub[-1][1]) / ANALYSIS_RATE_HZ * GRID_HZ) + 1
    own, late = (_beginnings(spans, length) for spans in (original, dub))
    most = round(max_lag_s * GRID_HZ)
    shares = _shares(own, late, most) / min(len(original), len(dub))
    best = int(shares.argmax())
    lag_s = (best - most) / GRID_HZ
    in_time = float(shares[most])
    is_clear = shares[best] >= MIN_SHARE and shares[best] >= MIN_OVER_ZERO * in_time
    return LagHint(lag_s, min(1.0, float(shares[best]))) if is_clear and abs(lag_s) >= MIN_LAG_S else None


def _beginnings(spans: Sequence[SampleSpan], length: int) -> Floats:
    """[T] how many spans begin at each step, blurred."""
    steps = np.array([round(start / ANALYSIS_RATE_HZ * GRID_HZ) for start, _ in spans])
    return np.asarray(
        gaussian_filter1d(np.bincount(steps, minlength=length).astype(np.float64), SPREAD_S * GRID_HZ, mode="constant")
    )


def _shares(own: Floats, late: Floats, most: int) -> Floats:
    """[2 * most + 1] at each lag, about how many beginnings of both fall together."""
    size = 1 << (len(own) + most).bit_length()
    products = np.fft.irfft(np.fft.rfft(late, size) * np.fft.rfft(own, size).conj(), size)
    together = products[np.arange(-most, most + 1)]
    alone = np.zeros(len(own))
    alone[len(own) // 2] = 1.0
    return np.asarray(
        together / (gaussian_filter1d(alone, SPREAD_S * GRID_HZ, mode="constant") ** 2).sum(), np.float64
    )
