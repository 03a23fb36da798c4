"""Short windows of two sounds of one channel: each by itself must be as loud as the other, and like it.

What is told apart is what people speak: up to 4 kHz, where a lossy codec keeps the wave itself. A sentence that is
gone fills some windows, and hides in the mean of eleven seconds.
"""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

WINDOW_S = Fraction(3, 20)  # a syllable
LEAST_SHARE = 0.5  # of a window: a shorter last one is its neighbour's


@dataclass(slots=True)
class SoundWindows:
    """The worst windows of all that were compared."""

    likeness_min: float = 1.0  # correlation of a window that is loud enough
    level_db_max: float = 0.0  # of the same, found over expected, the farthest from 0
    together_db_max: float = 0.0  # of all windows of a block that are loud enough together, the farthest from 0
    loudest_in_silence: float = 0.0  # RMS over what is expected, in a window that is not
    worst_s: float = 0.0  # where the window that is least alike, or as silent, begins, from the film's first frame
    num_windows: int = 0  # that were loud enough to be compared
    _farthest: float = field(default=0.0, repr=False)

    def note(self, found: Floats, expected: Floats, audible: float, start_s: float, rate: int) -> None:
        """Keep what is worse than what was kept.

        Args:
            found: [n] samples up to 4 kHz.
            expected: [n] the same moments of what should be heard.
            audible: RMS from which on a window is loud enough.
            start_s: of the first sample, from the film's first frame.
            rate: in Hz.
        """
        edges = window_edges(len(found), rate)
        if not edges.size:
            return
        squares = [_sums(one, other, edges) for one, other in ((found, found), (expected, expected))]
        rms = [np.sqrt(one / np.diff(edges, append=len(found))) for one in squares]
        is_loud = rms[1] >= audible
        likeness = _sums(found, expected, edges) / np.sqrt(np.maximum(squares[0] * squares[1], 1e-20))
        level_db = 20 * np.log10(np.maximum(rms[0], 1e-6) / np.maximum(rms[1], 1e-6))
        sums = [max(float(one[is_loud].sum()), 1e-12) for one in squares]
        self.together_db_max = max(self.together_db_max, 10 * float(np.log10(sums[0] / sums[1])), key=abs)
        self.num_windows += int(is_loud.sum())
        self.loudest_in_silence = max(self.loudest_in_silence, float((rms[0] - rms[1])[~is_loud].max(initial=0)))
        for place in np.flatnonzero(is_loud):
            self._note(float(likeness[place]), float(level_db[place]), start_s + float(edges[place]) / rate)

    def _note(self, likeness: float, level_db: float, at_s: float) -> None:
        if abs(level_db) > abs(self.level_db_max):
            self.level_db_max = level_db
        self.likeness_min = min(self.likeness_min, likeness)
        badness = max(1 - likeness, abs(level_db) / 10)
        if badness > self._farthest:
            self._farthest, self.worst_s = badness, at_s


def window_edges(num_samples: int, rate: int) -> NDArray[np.intp]:
    """Where windows begin that fill a stretch evenly; none in one that is shorter than half a window."""
    size = float(WINDOW_S * rate)
    if num_samples < LEAST_SHARE * size:
        return np.zeros(0, np.intp)
    num_windows = max(1, round(num_samples / size))
    return (np.arange(num_windows) * num_samples // num_windows).astype(np.intp)


def _sums(one: Floats, other: Floats, edges: NDArray[np.intp]) -> Doubles:
    return np.asarray(np.add.reduceat(one.astype(np.float64) * other, edges), np.float64)
