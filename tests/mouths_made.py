"""Made mouths and the sounds that they make: what the evidence of speaking is tried on."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pipelines.speaking import Mouth
from schemas.timing import ANALYSIS_RATE_HZ

Floats = NDArray[np.float64]

CURVE_HZ = 100


def syllables(seed: int, seconds: float = 6) -> Floats:
    """How far a mouth opens over time, at 100 Hz: smooth noise at the pace of syllables, never below 0."""
    noise = np.random.default_rng(seed).normal(size=round(seconds * CURVE_HZ))
    curve = gaussian_filter1d(noise, 7)
    return np.maximum(0, curve / curve.std() * 0.12 + 0.15)


def resting(seed: int, seconds: float = 6) -> Floats:
    """A mouth that rests, with the tremor of its landmarks."""
    return 0.03 + np.random.default_rng(seed).normal(0, 0.004, round(seconds * CURVE_HZ))


def voice(openings: Floats) -> NDArray[np.float32]:
    """[N] at 16 kHz: noise as loud as the mouth is open."""
    count = len(openings) * ANALYSIS_RATE_HZ // CURVE_HZ
    loud = np.interp(np.arange(count) / ANALYSIS_RATE_HZ * CURVE_HZ, np.arange(len(openings)), openings)
    return (np.random.default_rng(9).normal(0, 0.3, count) * loud**1.5).astype(np.float32)


def seen(openings: Floats, rate_hz: float = 25.0, late_s: float = 0.0) -> Mouth:
    """The mouth as a film of a frame rate shows it, so much later than its sound."""
    times = np.arange(0, len(openings) / CURVE_HZ - 0.02, 1 / rate_hz)
    return Mouth(times + late_s, np.interp(times * CURVE_HZ, np.arange(len(openings)), openings))


def samples(*seconds: float) -> tuple[int, int]:
    """A span of samples at 16 kHz."""
    start, end = (round(at * ANALYSIS_RATE_HZ) for at in seconds)
    return start, end
