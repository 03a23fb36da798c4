"""How far motion smears a mouth: what it moves while the shutter is open."""

import numpy as np

from pipelines.face_frame import MOUTH_LEFT, MOUTH_RIGHT
from pipelines.face_tracks import SmoothTrack

SHUTTER = 0.5  # of a frame's time: 180 degrees, as most films are shot


def mouth_smear(track: SmoothTrack) -> float:
    """How far the mouth moves while the shutter is open, over the mouth's width: the median of its frames.

    A sharp mouth painted into a smeared face is seen. What is measured is the motion, not the picture: at a short
    shutter time it is sharper.
    """
    corners = track.landmarks[:, [MOUTH_LEFT, MOUTH_RIGHT]]
    width = np.maximum(np.linalg.norm(corners[:, 1] - corners[:, 0], axis=-1), 1e-6)
    moved = np.linalg.norm(np.diff(corners.mean(1), axis=0), axis=-1)
    if not len(moved):
        return 0.0
    return float(np.median(SHUTTER * moved / width[1:]))
