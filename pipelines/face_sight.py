"""What is kept of the picture of a face that was found: to tell later who it is, and what hides its mouth.

So nobody has to decode a frame again for it, and what the film's pixels cost is paid once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.face_descriptor import face_chip
from pipelines.head_pose import pitch_deg, yaw_deg
from pipelines.mouth_cover import CoverView, cover_view

Pixels = NDArray[np.uint8]  # [H, W, 3] RGB
Floats = NDArray[np.float64]

CHIP_EVERY = 10  # frames: every track that may be painted has one
MOUTH_EVERY = 3  # frames: an eighth of a second
NUM_CHIPS = 3  # one alone may have its eyes shut


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceSight:
    """Pictures of one face in one frame.

    Attributes:
        turned_deg: how far the head looks away from the camera.
        chip: [150, 150, 3] to recognise it, of every tenth frame.
        mouth: to see what hides it, of every third.
    """

    turned_deg: float
    chip: Pixels | None
    mouth: CoverView | None


def face_sight(frame: Pixels, landmarks: Floats, index: int, pts: int) -> FaceSight | None:
    """What is kept of a face; None where nothing is.

    Args:
        frame: [H, W, 3] RGB.
        landmarks: [468, 2] face mesh in pixels of it.
        index: of the frame in its shot.
        pts: of the frame.
    """
    has_chip, has_mouth = index % CHIP_EVERY == 0, index % MOUTH_EVERY == 0
    if not has_chip and not has_mouth:
        return None
    return FaceSight(
        turned_deg=float(np.hypot(yaw_deg(landmarks), pitch_deg(landmarks))),
        chip=face_chip(frame, landmarks) if has_chip else None,
        mouth=cover_view(pts, frame, landmarks) if has_mouth else None,
    )


def best_chips(sights: Sequence[FaceSight]) -> list[Pixels]:
    """The chips of a track that show best who it is: of each third the one that looks ahead most.

    Args:
        sights: of the track, in order of time.
    """
    chips = [(sight.turned_deg, sight.chip) for sight in sights if sight.chip is not None]
    thirds = [part for part in np.array_split(np.arange(len(chips)), NUM_CHIPS) if len(part)]
    return [min((chips[place] for place in part.tolist()), key=lambda chip: chip[0])[1] for part in thirds]
