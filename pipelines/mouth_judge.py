"""What one painted face track of a shot measures beside the film: sharpness, movement, identity, sync."""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.face_descriptor import FaceDescriber, face_chip
from pipelines.face_frame import mouth_opening
from pipelines.face_mesh import FaceMesh
from pipelines.grain import Blocks, measure_grain
from pipelines.heard_sound import HeardSound
from pipelines.mask import OUTER_LIPS
from pipelines.media.coding import Coding
from pipelines.patch import Patch
from pipelines.skin_blocks import GRAIN_FRAMES, skin_blocks
from pipelines.speaking import Mouth, piece_evidence, speech_pieces
from pipelines.speech import SampleSpan
from schemas.timing import ANALYSIS_RATE_HZ

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Pixels = NDArray[np.uint8]  # [H, W, 3] RGB
Samples = NDArray[np.uint8] | NDArray[np.uint16]

SHARPNESS_FLOOR = 0.5  # 8-bit codes: below it detail is noise
UNDER_GRAIN = 0.2  # of the grain of a film: detail below it is not seen
LIPS_AROUND = 0.15  # of the mouth's width around the filmed lips, for painted ones open wider
MOVEMENT_FLOOR = 0.01  # of an opening, over the mouth's width: below it a mouth rests
LEAST_MOVING = 12  # frames, half a second: of less nobody can tell whether a mouth moves
NUM_CHIPS = 3  # of a track, to compare who it is


class MouthJudge:
    """Sums over the painted frames of one track from which its measures follow."""

    def __init__(self, pts: Sequence[int], mesh: FaceMesh, describer: FaceDescriber) -> None:
        """Nothing seen yet.

        Args:
            pts: the frames that will be seen.
            mesh: finds the painted lips.
            describer: tells who it is.
        """
        self.pts = list(pts)
        self._mesh, self._describer = mesh, describer
        self._compared = {pts[(2 * place + 1) * len(pts) // (2 * NUM_CHIPS)] for place in range(NUM_CHIPS)}
        self._details: list[tuple[float, float]] = []
        self._skin: list[Blocks] = []
        self._scale = 1  # codes per 8-bit code
        self._distances: list[float] = []
        self.openings: list[float] = []

    def patched(self, before: Samples, patch: Patch, landmarks: Floats, scale: int) -> None:
        """Take in the luma of a patch.

        Args:
            before: [H, W] the film's luma in the patch's rectangle.
            patch: new samples.
            landmarks: [468, 2] of the filmed face, in film px.
            scale: codes per 8-bit code.
        """
        lips = _lips(landmarks - (patch.rect.x, patch.rect.y), before.shape) & patch.mask
        if lips.any():
            self._details.append((_detail(before, lips, scale), _detail(patch.planes[0], lips, scale)))

    def skin(self, planes: list[Samples], landmarks: Floats, coding: Coding) -> None:
        """Take in the planes of a whole frame as filmed: its grain is no detail of a mouth, filmed or painted.

        Args:
            planes: Y, Cb, Cr.
            landmarks: [468, 2] of the filmed face, in film px.
            coding: how the film writes colours.
        """
        if len(self._skin) < GRAIN_FRAMES:
            self._skin += skin_blocks(planes[:1], landmarks, coding)
            self._scale = 1 << (coding.bits - 8)

    def seen(self, pts: int, before: Pixels, after: Pixels, landmarks: Floats) -> None:
        """Take in a frame, upright, as it was filmed and as it is painted.

        Args:
            pts: the frame.
            before: [H, W, 3] RGB.
            after: [H, W, 3] RGB.
            landmarks: [468, 2] of the filmed face, in pixels of both.
        """
        painted = self._mesh.refined(after, landmarks).landmarks
        self.openings.append(mouth_opening(painted))
        if pts in self._compared:
            filmed, now = self._describer.describe([face_chip(frame, landmarks) for frame in (before, after)])
            self._distances.append(float(np.linalg.norm(filmed - now)))

    @property
    def sharpness_ratio(self) -> float | None:
        """Fine detail of luma on the lips, painted over filmed: the root of the mean square of its Laplacian.

        Without that of the film's grain, which the painted mouth is given: a smear with grain on it stays a smear.
        """
        if not self._details:
            return None
        grain = measure_grain(self._skin).laplacian_variance / self._scale**2
        old, new = np.sqrt((np.mean(np.square(self._details), 0) - grain).clip(0))
        floor = SHARPNESS_FLOOR + UNDER_GRAIN * np.sqrt(grain)
        return float((new + floor) / (old + floor))

    @property
    def identity_distance(self) -> float | None:
        """The furthest that the descriptor of the painted face lies from that of the filmed one, of three frames."""
        return max(self._distances, default=None)

    def movement_ratio(self, filmed: Floats, speaks: Bools) -> float | None:
        """How far the painted mouth opens and closes over how far the filmed one does, where the dub speaks.

        None where that is for less than `LEAST_MOVING` frames: a mouth that is silent in the dub is to rest.

        Args:
            filmed: [F] openings in the painted frames.
            speaks: [F] whether the dub speaks in them.
        """
        if np.count_nonzero(speaks) < LEAST_MOVING:
            return None
        painted = np.array(self.openings)[speaks]
        return float((np.std(painted) + MOVEMENT_FLOOR) / (np.std(filmed[speaks]) + MOVEMENT_FLOOR))


def likeness(mouths: Sequence[Mouth], heard: HeardSound, speech: Sequence[SampleSpan]) -> float | None:
    """How well a mouth follows a sound where somebody speaks, -1..1; None where it is seen too shortly.

    Args:
        mouths: it, over times without a gap.
        heard: the sound's curves.
        speech: where it speaks, in samples.
    """
    found = [
        one
        for mouth in mouths
        if len(mouth.times_s) > 1 and (pieces := speech_pieces(_within(speech, mouth)))
        for one in piece_evidence(mouth, heard, pieces)
        if one is not None
    ]
    seen_s = sum(one.seen_s for one in found)
    return sum(one.likeness * one.seen_s for one in found) / seen_s if seen_s else None


def runs_of(times_s: Floats, openings: Floats, places: Sequence[int]) -> list[Mouth]:
    """A mouth in pieces without gaps.

    Args:
        times_s: [F] of frames of a track.
        openings: [F] in them.
        places: of these frames in the track, ascending.
    """
    edges = [0, *(at + 1 for at, (one, other) in enumerate(pairwise(places)) if other > one + 1), len(places)]
    return [Mouth(times_s[start:end], openings[start:end]) for start, end in pairwise(edges)]


def _within(speech: Sequence[SampleSpan], mouth: Mouth) -> list[SampleSpan]:
    """The speech while a mouth is seen."""
    first, last = (round(float(at) * ANALYSIS_RATE_HZ) for at in mouth.times_s[[0, -1]])
    clipped = [(max(start, first), min(end, last)) for start, end in speech]
    return [(start, end) for start, end in clipped if end > start]


def _lips(landmarks: Floats, shape: tuple[int, ...]) -> Bools:
    """[H, W] true on the lips and a little around them."""
    outline = landmarks[list(OUTER_LIPS)]
    filled = np.zeros(shape, np.uint8)
    cv2.fillPoly(filled, [outline.round().astype(np.int32)], 1)
    around = max(1, round(LIPS_AROUND * float(np.ptp(outline[:, 0]))))
    return np.asarray(cv2.dilate(filled, np.ones((2 * around + 1, 2 * around + 1), np.uint8)) > 0)


def _detail(luma: Samples, where: Bools, scale: int) -> float:
    """Root of the mean square of the Laplacian somewhere, in 8-bit codes."""
    fine = cv2.Laplacian(luma.astype(np.float32) / np.float32(scale), cv2.CV_32F)
    return float(np.sqrt(np.mean(np.square(fine[where]))))
