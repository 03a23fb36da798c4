"""What mouths are compared with: the loudness of a film and the opening that its sound lets expect, on a grid."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pipelines.expected_opening import GRID_HZ, expected_opening
from pipelines.stored_sound import Sound
from schemas.timing import ANALYSIS_RATE_HZ

Floats = NDArray[np.float64]

HOP_SAMPLES = ANALYSIS_RATE_HZ // GRID_HZ
BLOCK_SAMPLES = 60 * GRID_HZ * HOP_SAMPLES  # a minute: so much sound is in memory at a time
LOUDNESS_S = 0.06
SILENCE = 1e-12  # power
DYNAMIC_RANGE_DB = 35.0  # below the loudest: room tone says nothing


@dataclass(frozen=True, slots=True)
class HeardSound:
    """Curves of a whole film, from film time 0: small enough to keep, unlike the sound.

    Attributes:
        loud: [T] loudness in dB.
        expected: [T] `expected_opening`.
    """

    loud: Floats
    expected: Floats

    def around(self, first: int, last: int) -> tuple[Floats, Floats]:
        """Both from step `first` to before `last`; silence beyond the ends, room tone cut off."""
        steps = np.arange(first, last)
        inside = (steps >= 0) & (steps < len(self.loud))
        loud = np.append(self.loud, 10 * np.log10(SILENCE))[np.where(inside, steps, -1)]
        expected = np.append(self.expected, 0.0)[np.where(inside, steps, -1)]
        return np.maximum(loud, loud.max() - DYNAMIC_RANGE_DB), expected


def heard_sound(sound: Sound) -> HeardSound:
    """The curves of a sound.

    Args:
        sound: [N] mono at 16 kHz, sample 0 at film time 0.
    """
    return HeardSound(loudness(sound), expected_opening(sound))


def loudness(sound: Sound) -> Floats:
    """[T] loudness of a whole film in dB, on the grid from film time 0.

    Args:
        sound: [N] mono at 16 kHz, sample 0 at film time 0.
    """
    end = len(sound) // HOP_SAMPLES * HOP_SAMPLES
    blocks = (sound[first : min(first + BLOCK_SAMPLES, end)] for first in range(0, end, BLOCK_SAMPLES))
    power = np.concatenate([np.zeros(0), *map(_power, blocks)])
    return np.asarray(10 * np.log10(np.maximum(gaussian_filter1d(power, LOUDNESS_S * GRID_HZ), SILENCE)), np.float64)


def _power(samples: NDArray[np.float32]) -> Floats:
    """Mean square of each step of the grid."""
    return np.asarray(np.square(samples.reshape(-1, HOP_SAMPLES)).mean(1, dtype=np.float64), np.float64)
