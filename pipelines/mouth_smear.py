"""How far motion smears a mouth: what it moves while the shutter is open."""

import numpy as np

from pipelines.face_frame import MOUTH_LEFT, MOUTH_RIGHT
from pipelines.face_tracks import SmoothTrack

SHUTTER = 0.5  # of a frame's time: 180 degrees, as most films are shot
SHARE = 0.75  # of the frames smear no more than what is told


def mouth_smear(track: SmoothTrack) -> float:
    """How far the mouth moves while the shutter is open, over the mouth's width: three in four frames move no more.

    A sharp mouth painted into a smeared face is seen. What is measured is the motion, not the picture: at a short
    shutter time it is sharper.
    """
    corners = track.landmarks[:, [MOUTH_LEFT, MOUTH_RIGHT]]
    width = np.maximum(np.linalg.norm(corners[:, 1] - corners[:, 0], axis=-1), 1e-6)
    moved = np.linalg.norm(np.diff(corners.mean(1), axis=0), axis=-1)
    if not len(moved):
        return 0.0
    return float(np.quantile(SHUTTER * moved / width[1:], SHARE))
