"""What one painted face track of a shot measures beside the film: sharpness, identity, sync."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.face_descriptor import FaceDescriber, face_chip
from pipelines.face_frame import mouth_opening
from pipelines.face_mesh import FaceMesh
from pipelines.heard_sound import HeardSound
from pipelines.patch import Patch
from pipelines.speaking import Mouth, piece_evidence, speech_pieces
from pipelines.speech import SampleSpan

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]  # [H, W, 3] RGB
Samples = NDArray[np.uint8] | NDArray[np.uint16]

SHARPNESS_FLOOR = 0.5  # 8-bit codes: below it detail is noise
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
        self._mesh, self._describer = mesh, describer
        self._compared = {pts[(2 * place + 1) * len(pts) // (2 * NUM_CHIPS)] for place in range(NUM_CHIPS)}
        self._details: list[tuple[float, float]] = []
        self._distances: list[float] = []
        self.openings: list[float] = []
        self.outside_change = 0

    def patched(self, before: Samples, patch: Patch, scale: int) -> None:
        """Take in the luma of a patch.

        Args:
            before: [H, W] the film's luma in the patch's rectangle.
            patch: new samples.
            scale: codes per 8-bit code.
        """
        after = patch.planes[0]
        self.outside_change += int(np.count_nonzero((before != after) & ~patch.mask))
        if patch.mask.any():
            self._details.append((_detail(before, patch.mask, scale), _detail(after, patch.mask, scale)))

    def seen(self, pts: int, before: Pixels, after: Pixels, landmarks: Floats) -> None:
        """Take in a frame, upright, as it was filmed and as it is painted.

        Args:
            pts: the frame.
            before: [H, W, 3] RGB.
            after: [H, W, 3] RGB.
            landmarks: [468, 2] of the filmed face, in pixels of both.
        """
        painted, _ = self._mesh.refined(after, landmarks)
        self.openings.append(mouth_opening(painted))
        if pts in self._compared:
            filmed, now = self._describer.describe([face_chip(frame, landmarks) for frame in (before, after)])
            self._distances.append(float(np.linalg.norm(filmed - now)))

    @property
    def sharpness_ratio(self) -> float | None:
        """Fine detail of luma in the mask, painted over filmed: the root of the mean square of its Laplacian."""
        if not self._details:
            return None
        old, new = np.sqrt(np.mean(np.square(self._details), 0))
        return float((new + SHARPNESS_FLOOR) / (old + SHARPNESS_FLOOR))

    @property
    def identity_distance(self) -> float | None:
        """Mean distance of the descriptors of the painted face from those of the filmed one."""
        return float(np.mean(self._distances)) if self._distances else None


def likeness(mouth: Mouth, heard: HeardSound, speech: Sequence[SampleSpan]) -> float | None:
    """How well a mouth follows a sound where somebody speaks, -1..1; None where it is seen too shortly.

    Args:
        mouth: over time.
        heard: the sound's curves.
        speech: where it speaks, in samples.
    """
    pieces = [] if len(mouth.openings) < 2 else speech_pieces(speech)
    found = [one for one in piece_evidence(mouth, heard, pieces) if one is not None] if pieces else []
    seen_s = sum(one.seen_s for one in found)
    return sum(one.likeness * one.seen_s for one in found) / seen_s if seen_s else None


def _detail(luma: Samples, mask: NDArray[np.bool_], scale: int) -> float:
    """Root of the mean square of the Laplacian within the mask, in 8-bit codes."""
    fine = cv2.Laplacian(luma.astype(np.float32) / np.float32(scale), cv2.CV_32F)
    return float(np.sqrt(np.mean(np.square(fine[mask]))))
