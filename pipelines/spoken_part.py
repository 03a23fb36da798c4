"""Where in a take somebody speaks: a click apart from the words is none of them, and quiet words after them are."""

import numpy as np
from numpy.typing import NDArray

from schemas.line import STEM_RATE_HZ

Floats = NDArray[np.float32]
Runs = list[tuple[int, int]]

LEVEL_STEP = STEM_RATE_HZ // 100  # 10 ms
ABOVE_FLOOR, BELOW_PEAK = 4.0, 0.02  # of room tone, and of the loudest 10 ms: from there on somebody speaks
QUIET_ABOVE_FLOOR = 1.6  # 4 dB over room tone, held, is heard
# In steps of 10 ms:
MIN_SOUND, MIN_QUIET = 5, 10  # a click, or what the room does, is shorter
CREAK = 2  # so far apart are the pulses of a creaky voice, which are one sound
BURST = 8  # from a plosive to its vowel; what clicks earlier is none
RELEASE = 15  # from a vowel to the plosive that ends it
SMOOTHED = 5  # over so many is a quiet sound told from room tone


def spoken_part(samples: Floats, silence_dbfs: float) -> tuple[int, int]:
    """Between which samples somebody speaks: over room tone, hum and the offset of a bad converter.

    From the first sound that lasts 50 ms, with the plosive directly before it, to the last one, with the plosive that
    ends it. Where none lasts so long, as in a cry that is cut short, whatever is loud is taken.

    Args:
        samples: [N] mono at 48 kHz.
        silence_dbfs: below it nothing is heard, however silent the rest is.

    Returns:
        The first sample and the one after the last; the same where nobody does.
    """
    steps, levels = _levels(samples)
    if not len(levels):
        return 0, 0
    over_room = min(ABOVE_FLOOR * np.percentile(levels, 10), BELOW_PEAK * levels.max())
    least = max(10 ** (silence_dbfs / 20), over_room)
    loud = levels > least
    if not loud.any():
        return 0, 0
    first, after = _spoken_steps(_runs(loud), loud)
    onset = int(np.flatnonzero(np.abs(steps[first]) > least)[0])
    return first * LEVEL_STEP + onset, min(len(samples), after * LEVEL_STEP)


def quiet_end(samples: Floats, after: int, silence_dbfs: float) -> int:
    """Where a quiet sound ends that follows the spoken part: a whisper after a shout, hardly louder than the room.

    Args:
        samples: [N] mono at 48 kHz.
        after: the sample after the spoken part.
        silence_dbfs: below it nothing is heard.

    Returns:
        The sample after it; `after` where there is none.
    """
    _, levels = _levels(samples)
    smooth = np.sqrt(np.convolve(levels**2, np.full(SMOOTHED, 1 / SMOOTHED), "same"))
    heard = smooth > max(10 ** (silence_dbfs / 20), QUIET_ABOVE_FLOOR * np.percentile(levels, 10))
    ends = [end for first, end in _runs(heard) if heard[first:end].sum() >= MIN_QUIET]
    return min(len(samples), max(after, ends[-1] * LEVEL_STEP)) if ends else after


def _levels(samples: Floats) -> tuple[Floats, NDArray[np.float64]]:
    """[K, step] samples around zero, and [K] how loud each step is."""
    centred = samples - np.median(samples) if len(samples) else samples
    steps = np.pad(centred, (0, -len(centred) % LEVEL_STEP)).reshape(-1, LEVEL_STEP)
    return steps, np.sqrt(np.mean(steps**2, axis=1, dtype=np.float64))


def _runs(loud: NDArray[np.bool_]) -> Runs:
    """Runs of loud steps, first and after the last; those that a creak parts are one."""
    places = np.flatnonzero(loud)
    parts = np.split(places, np.flatnonzero(np.diff(places) > CREAK + 1) + 1)
    return [(int(part[0]), int(part[-1]) + 1) for part in parts if len(part)]


def _spoken_steps(runs: Runs, loud: NDArray[np.bool_]) -> tuple[int, int]:
    lasting = [place for place, (first, after) in enumerate(runs) if loud[first:after].sum() >= MIN_SOUND]
    if not lasting:
        return runs[0][0], runs[-1][1]
    begin, end = lasting[0], lasting[-1]
    if begin and runs[begin][0] - runs[begin - 1][1] <= BURST:
        begin -= 1
    while end + 1 < len(runs) and runs[end + 1][0] - runs[end][1] <= RELEASE:
        end += 1
    return runs[begin][0], runs[end][1]
