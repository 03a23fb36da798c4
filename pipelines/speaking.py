"""The speaking score: how surely a face track is the voice heard in the original.

Two witnesses must agree. The mouth moves at the pace of syllables while somebody speaks (a smile is one slow move, a
listener's mouth rests), and its movement follows the loudness. Calibrated on four talking heads and three silent ones,
each against its own sound and against the others'.
"""

from collections.abc import Sequence
from math import exp, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pipelines.stored_sound import Sound
from schemas.timing import ANALYSIS_RATE_HZ

Floats = NDArray[np.float64]

GRID_HZ = 50  # both witnesses are compared on one even grid, whatever the frame rate
HOP_SAMPLES = ANALYSIS_RATE_HZ // GRID_HZ
BLOCK_SAMPLES = 60 * GRID_HZ * HOP_SAMPLES  # a minute: so much sound is in memory at a time
MAX_LAG_STEPS = 6  # 120 ms: lips lead the sound, and films are a frame or two off
SYLLABLE_S, PHRASE_S = 0.05, 0.35  # syllables pass between these two smoothings, tremor and expressions do not
SPEED_S = 0.12
LOUDNESS_S = 0.06
SILENCE = 1e-12  # power
DYNAMIC_RANGE_DB = 35.0  # below the loudest: room tone says nothing
MARGIN_S = 0.25  # pauses this near to speech are listened to as well: a mouth that closes there tells much
MIN_SPEECH_S = 0.3  # of less nothing can be said

HALF_MOVEMENT = (
    0.017  # median syllabic move of the opening; speakers 0.032..0.046, smiles 0.022, listeners under 0.011
)
CHANCE_S = 0.7  # correlation halfway between right and foreign sound after 1 s; falls with the root of time
CHANCE_RANGE = (0.15, 0.45)
CERTAINTY = 12.0  # log-odds per unit of correlation after 1 s; grows with the root of time
PRIOR = 0.7  # log-odds that a mouth moving as in speech while a voice is heard is that voice's


def speaking_score(times_s: Floats, openings: Floats, loud: Floats, speech: Sequence[tuple[int, int]]) -> float:
    """How surely this mouth makes that sound, 0..1; 0 where nobody is heard.

    Args:
        times_s: [F] film time of each frame.
        openings: [F] inner-lip gap over mouth width.
        loud: `loudness` of the original.
        speech: where the original speaks, in samples.
    """
    steps = np.arange(round(times_s[0] * GRID_HZ), round(times_s[-1] * GRID_HZ) + 1)
    heard = _near_speech(steps, speech, 0.0)
    listened = _near_speech(steps, speech, MARGIN_S)
    seconds = float(heard.sum()) / GRID_HZ
    if seconds < MIN_SPEECH_S:
        return 0.0
    mouth = np.interp(steps / GRID_HZ, times_s, openings)
    return movement(mouth, heard) * agreement(mouth, _around(loud, steps), listened, seconds)


def movement(mouth: Floats, heard: NDArray[np.bool_]) -> float:
    """How much the mouth moves at the pace of syllables while somebody is heard, 0..1."""
    move = float(np.median(np.abs(_syllables(mouth, SYLLABLE_S)[heard])))
    return move**4 / (move**4 + HALF_MOVEMENT**4)


def agreement(mouth: Floats, loud: Floats, listened: NDArray[np.bool_], seconds: float) -> float:
    """How surely the mouth's opening and its speed follow the loudness, 0..1.

    Args:
        mouth: [S] openings on the grid.
        loud: [S + 2 * MAX_LAG_STEPS] loudness on the grid, `MAX_LAG_STEPS` earlier and later as well.
        listened: [S] where it counts.
        seconds: speech in it; the shorter, the more two curves agree by chance.
    """
    opening = _syllables(mouth, SYLLABLE_S)
    speed = _syllables(np.abs(np.gradient(mouth)), SPEED_S)
    sounding = _syllables(loud, 1 / GRID_HZ)
    lagged = [sounding[lag : lag + len(mouth)] for lag in range(2 * MAX_LAG_STEPS + 1)]
    likeness = [max(_correlation(curve[listened], wave[listened]) for wave in lagged) for curve in (opening, speed)]
    low, high = CHANCE_RANGE
    chance = min(high, max(low, CHANCE_S / sqrt(seconds)))
    return 1 / (1 + exp(-(CERTAINTY * sqrt(seconds) * (sum(likeness) / 2 - chance) + PRIOR)))


def loudness(sound: Sound) -> Floats:
    """Loudness of a whole film in dB, on the grid from film time 0: small enough to keep, unlike the sound.

    Args:
        sound: [N] mono at `ANALYSIS_RATE_HZ`, sample 0 at film time 0.
    """
    end = len(sound) // HOP_SAMPLES * HOP_SAMPLES
    blocks = (sound[first : min(first + BLOCK_SAMPLES, end)] for first in range(0, end, BLOCK_SAMPLES))
    power = np.concatenate([np.zeros(0), *map(_power, blocks)])
    return np.asarray(10 * np.log10(np.maximum(gaussian_filter1d(power, LOUDNESS_S * GRID_HZ), SILENCE)), np.float64)


def _power(samples: NDArray[np.float32]) -> Floats:
    """Mean square of each step of the grid."""
    return np.asarray(np.square(samples.reshape(-1, HOP_SAMPLES)).mean(1, dtype=np.float64), np.float64)


def _around(loud: Floats, steps: NDArray[np.int64]) -> Floats:
    """Loudness at each step and at `MAX_LAG_STEPS` more on both sides, its quiet end cut off."""
    wanted = np.arange(steps[0] - MAX_LAG_STEPS, steps[-1] + MAX_LAG_STEPS + 1)
    padded = np.append(loud, 10 * np.log10(SILENCE))
    found = padded[np.where((wanted >= 0) & (wanted < len(loud)), wanted, -1)]
    return np.asarray(np.maximum(found, found.max() - DYNAMIC_RANGE_DB), np.float64)


def _syllables(curve: Floats, sigma_s: float) -> Floats:
    """What of a curve on the grid goes up and down at the pace of syllables."""
    smoothed = gaussian_filter1d(curve, sigma_s * GRID_HZ)
    return np.asarray(smoothed - gaussian_filter1d(curve, PHRASE_S * GRID_HZ), np.float64)


def _near_speech(steps: NDArray[np.int64], speech: Sequence[tuple[int, int]], margin_s: float) -> NDArray[np.bool_]:
    """[S] whether each step lies in speech, or within the margin of it."""
    samples, margin = steps * HOP_SAMPLES, margin_s * ANALYSIS_RATE_HZ
    near = [(samples >= start - margin) & (samples < end + margin) for start, end in speech]
    return np.asarray(np.any([np.zeros(len(steps), bool), *near], axis=0), np.bool_)


def _correlation(one: Floats, other: Floats) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-9))
