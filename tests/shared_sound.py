"""Made-up soundtracks that share music and effects, and in which different people speak."""

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.signal import lfilter

from schemas.timing import ANALYSIS_RATE_HZ

Floats = NDArray[np.float32]
Rng = np.random.Generator


def music(rng: Rng, seconds: float, rate_hz: int = ANALYSIS_RATE_HZ) -> Floats:
    """Notes with overtones, some with a noise, that begin in a rhythm of chance."""
    sound, at = np.zeros(round(seconds * rate_hz)), 0
    while at < len(sound):
        length, hertz, level = round(rng.uniform(0.1, 1.5) * rate_hz), rng.uniform(80, 2000), rng.uniform(0.02, 0.2)
        times = np.arange(min(length, len(sound) - at)) / rate_hz
        note = sum(np.sin(2 * np.pi * hertz * over * times + rng.uniform(0, 6)) / over for over in (1, 2, 3))
        if rng.random() < 0.4:
            note = note + rng.normal(0, 0.5, len(times))
        sound[at : at + len(times)] += level * np.exp(-times * rate_hz / (length / 3)) * note
        at += round(rng.uniform(0.05, 0.6) * rate_hz)
    return sound.astype(np.float32)


def speech(rng: Rng, seconds: float, rate_hz: int = ANALYSIS_RATE_HZ) -> Floats:
    """Noise of speech's colour at the pace of syllables, with pauses."""
    sound, at = np.zeros(round(seconds * rate_hz)), 0
    while at < len(sound):
        times = np.arange(min(round(rng.uniform(0.8, 3) * rate_hz), len(sound) - at)) / rate_hz
        voice = lfilter([1], [1, -0.9], rng.normal(size=len(times)))
        syllables = 0.5 + 0.5 * np.sin(2 * np.pi * 4 * times + rng.uniform(0, 6))
        sound[at : at + len(times)] = 0.1 * syllables * voice / (np.std(voice) or 1.0)
        at += len(times) + round(rng.uniform(0.3, 1.5) * rate_hz)
    return sound.astype(np.float32)


def original_and_mix(seed: int, seconds: float, rate: float, lag_s: float) -> tuple[Floats, Floats, float]:
    """A film's sound, a mix that lies on it as asked, and the lag to the sample that it has."""
    rng = np.random.default_rng(seed)
    shared = music(rng, seconds)
    original, mix = shared + speech(rng, seconds), shared + speech(rng, seconds)
    return original, *laid(mix, rate, lag_s)


def laid(mix: Floats, rate: float, lag_s: float, rate_hz: int = ANALYSIS_RATE_HZ) -> tuple[Floats, float]:
    """A mix [N] that is `rate` times as long and begins later, and the lag to the sample that it has."""
    longer = mix if rate == 1 else soxr.resample(mix, rate_hz, rate_hz * rate, "VHQ")
    late = round(lag_s * rate_hz)
    moved = np.concatenate([np.zeros(late, np.float32), longer]) if late >= 0 else longer[-late:]
    return moved.astype(np.float32), late / rate_hz
