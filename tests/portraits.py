"""A talking portrait: a film of a face whose mouth says what is heard, by a known amount in every frame.

The face is the astronaut of scikit-image (NASA, public domain). The voice is a buzz of harmonics that is as loud
as the mouth is open and whose first formant rises with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from skimage import data

from pipelines.portrait import MouthFrame, warp_mouth
from tests.synthetic import PAL_25, FilmSpec, SyntheticFilm, make_film

SIDE_PX = 384
FACE_ROWS, FACE_COLUMNS = slice(20, 212), slice(128, 320)
# Mesh points 78, 308, 13, 14 of the enlarged face: left and right corner, inner lips.
MOUTH_PX = ((151.3, 239.0), (230.2, 243.6), (189.8, 243.1), (188.8, 259.5))
PITCH_HZ, SECOND_FORMANT_HZ, HIGHEST_HZ = 120.0, 1400.0, 4000.0
SYLLABLES_PER_S, WORD_S = 4.0, 1.2


@dataclass(frozen=True)
class TalkingPortrait:
    """The film, and what was said: opening in [0, 1] of each frame."""

    film: SyntheticFilm
    openings: tuple[float, ...]


def talking_portrait(
    path: Path, spec: FilmSpec | None = None, openings: Sequence[float] | None = None
) -> TalkingPortrait:
    """Write a film of a face that talks.

    Args:
        path: where to write.
        spec: of the film; its picture is a square of 384 px. Two seconds without a cut by default.
        openings: of each frame; syllables with a pause after every word by default.
    """
    spec = spec or FilmSpec(cuts=(), width_px=SIDE_PX, height_px=SIDE_PX)
    said = syllables(spec.num_frames, float(spec.frame_rate)) if openings is None else tuple(openings)
    film = make_film(
        path,
        spec,
        draw=lambda index: spoken_face(said[index]),
        sound=lambda count, rate_hz: voice(said, float(spec.frame_rate), count, rate_hz),
    )
    return TalkingPortrait(film, said)


def syllables(num_frames: int, frame_rate: float = float(PAL_25)) -> tuple[float, ...]:
    """Openings of somebody who speaks words of a second with short pauses."""
    time_s = np.arange(num_frames) / frame_rate
    talking = (time_s % WORD_S) < WORD_S - 1 / SYLLABLES_PER_S
    strength = 0.55 + 0.35 * np.sin(2.3 * np.floor(time_s * SYLLABLES_PER_S))
    return tuple((strength * np.sin(np.pi * SYLLABLES_PER_S * time_s) ** 2 * talking).tolist())


def spoken_face(opening: float, width: float = 0.0) -> NDArray[np.uint8]:
    """[384, 384, 3] RGB: the astronaut with her mouth at an opening and width."""
    mouth = MouthFrame.from_points(torch.tensor([MOUTH_PX]))
    warped = warp_mouth(face_tensor(), mouth, torch.tensor([opening]), torch.tensor([width]))
    return (warped[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)


@cache
def face_tensor() -> torch.Tensor:
    """[1, 3, 384, 384] in [0, 1]: the astronaut's face as it is."""
    face = cv2.resize(data.astronaut()[FACE_ROWS, FACE_COLUMNS], (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
    return torch.from_numpy(face).permute(2, 0, 1)[None].float() / 255


def voice(openings: Sequence[float], frame_rate: float, count: int, rate_hz: int) -> NDArray[np.float32]:
    """[N] a buzz, loud and bright where the mouth is open, silent where it is closed."""
    time_s = np.arange(count) / rate_hz
    opening = np.interp(time_s * frame_rate, np.arange(len(openings)) + 0.5, openings)
    first_formant_hz = 300 + 500 * opening
    buzz = np.zeros(count)
    for harmonic_hz in np.arange(PITCH_HZ, HIGHEST_HZ, PITCH_HZ):
        first = np.exp(-(((harmonic_hz - first_formant_hz) / 120) ** 2))
        second = 0.4 * np.exp(-(((harmonic_hz - SECOND_FORMANT_HZ) / 180) ** 2))
        buzz += (first + second + 0.02) * np.sin(2 * np.pi * harmonic_hz * time_s)
    return (0.25 * opening * buzz).astype(np.float32)
