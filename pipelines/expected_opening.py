"""How far a mouth is open that makes a sound: what the lips of a speaker should do, from the sound alone.

A linear regression from log-mel, 120 ms before and after, to the opening of the phones' visemes (`pipelines.viseme`).
`jobs.fit_expected_opening` fits it to synthetic speech whose phones are known; it says better than loudness when lips
close, for a hummed M is loud. Only its ups and downs mean something: level and offset are not those of any one mouth.
"""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.stored_sound import Sound
from schemas.timing import ANALYSIS_RATE_HZ

Floats = NDArray[np.float64]

GRID_HZ = 50  # as `pipelines.speaking` compares curves
CONTEXT = 6  # steps before and after: 120 ms
NUM_BANDS = 20  # four mel bands make one
BLOCK_S = 60  # so much sound is in memory at a time
MARGIN_S = 1  # heard before and after each block: whole steps of mel and grid
WEIGHTS = Path(__file__).with_name("expected_opening.npz")


def expected_opening(sound: Sound) -> Floats:
    """[T] on the grid of 50 Hz from sample 0, for a sound of any length.

    Args:
        sound: [N] mono at 16 kHz.
    """
    weights, num_steps = _weights(), len(sound) * GRID_HZ // ANALYSIS_RATE_HZ
    parts = [np.zeros(0)]
    for first in range(0, num_steps, BLOCK_S * GRID_HZ):
        before = min(first, MARGIN_S * GRID_HZ)
        last = min(num_steps, first + BLOCK_S * GRID_HZ)
        heard = [step * ANALYSIS_RATE_HZ // GRID_HZ for step in (first - before, last + MARGIN_S * GRID_HZ)]
        features = sound_features(sound[heard[0] : heard[1]])
        parts.append(features[before : before + last - first] @ weights)
    return np.concatenate(parts)


def sound_features(wave: NDArray[np.float32]) -> Floats:
    """[T, 260] what the regression sees of a sound at each step of the grid.

    Args:
        wave: [N] mono at 16 kHz, at least one step long.
    """
    import torch  # much to load: only who listens pays, not all who are told of what was heard

    from diff2lip.mel import NUM_MELS, STEPS_PER_S, log_mel

    mel = log_mel(torch.from_numpy(wave)).numpy().reshape(NUM_BANDS, NUM_MELS // NUM_BANDS, -1).mean(1)
    steps = np.arange(len(wave) * GRID_HZ // ANALYSIS_RATE_HZ)
    places = steps * float(STEPS_PER_S) / GRID_HZ
    bands = np.stack([np.interp(places, np.arange(mel.shape[1]), band) for band in mel], 1)
    padded = np.pad(bands, ((CONTEXT, CONTEXT), (0, 0)), mode="edge")
    return np.concatenate([padded[place : place + len(steps)] for place in range(2 * CONTEXT + 1)], 1)


@cache
def _weights() -> Floats:
    """[260] of the features; what is constant does not matter."""
    with np.load(WEIGHTS) as file:
        return np.asarray(file["weights"], np.float64)
