"""Fits what `pipelines.expected_opening` expects of a mouth, to synthetic speech. Run once; the weights are kept.

    python -m jobs.training_packages --packages FOLDER
    python -m jobs.fit_expected_opening --packages FOLDER

needs flite and espeak-ng (Debian packages). Tells the correlation with the true opening for voices that it has not
heard, beside that of loudness.
"""

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jobs.training_reader import Voice, read_aloud, voices
from pipelines.expected_opening import GRID_HZ, WEIGHTS, sound_features
from pipelines.heard_sound import loudness
from pipelines.viseme import viseme_track

Floats = NDArray[np.float64]

SECONDS_A_VOICE = 15.0
PENALTY = 0.02  # ridge, of the features' variance
GAIN_DB, NOISE_DB = (-12.0, 6.0), (-55.0, -20.0)  # of what is heard; the noise relative to the voice


def spoken(packages: Path, voice: Voice, seed: int) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Of each sentence of a voice: features, true opening and loudness, on one grid."""
    dice, rng = random.Random(f"opening {voice.name}"), np.random.default_rng(seed)
    for utterance in read_aloud(packages, voice, dice, SECONDS_A_VOICE):
        gain, noise = (10 ** (rng.uniform(*span) / 20) for span in (GAIN_DB, NOISE_DB))
        level = gain * float(utterance.wave.std())
        wave = (gain * utterance.wave + rng.normal(0, noise * level, len(utterance.wave))).astype(np.float32)
        features, loud, opening = sound_features(wave), loudness(wave), viseme_track(utterance.phones, GRID_HZ)[:, 0]
        count = min(len(features), len(loud), len(opening))
        yield features[:count], opening[:count].astype(np.float64), loud[:count]


def fitted(features: Floats, openings: Floats) -> Floats:
    """[260] ridge regression; the constant is left out."""
    centred = features - features.mean(0)
    spread = np.diag(centred.T @ centred).mean()
    matrix = centred.T @ centred + PENALTY * spread * np.eye(features.shape[1])
    return np.asarray(np.linalg.solve(matrix, centred.T @ (openings - openings.mean())))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packages", type=Path, required=True, help="folder of the package archives")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    chosen = parser.parse_args()
    heard: dict[bool, list[tuple[Floats, Floats, Floats]]] = {False: [], True: []}
    for seed, voice in enumerate(voices()):
        heard[voice.is_held_out] += spoken(chosen.packages, voice, seed)
        print(f"{voice.synthesiser} {voice.name}", flush=True)
    learnt, held = ([np.concatenate(part) for part in zip(*heard[is_held], strict=True)] for is_held in (False, True))
    weights = fitted(learnt[0], learnt[1])
    np.savez(chosen.out, weights=weights.astype(np.float32))
    found, loud = (float(np.corrcoef(curve, held[1])[0, 1]) for curve in (held[0] @ weights, held[2]))
    print(
        f"{len(learnt[1]) / GRID_HZ:.0f} s learnt; {len(held[1]) / GRID_HZ:.0f} s of other voices: "
        f"correlation {found:.3f}, of loudness {loud:.3f}"
    )


if __name__ == "__main__":
    main()
