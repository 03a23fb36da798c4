"""A face mesh drawn by hand: the contours that the compositor looks at, where an average face has them."""

import numpy as np
from numpy.typing import NDArray

from pipelines.face_frame import RIGID_INDICES, RIGID_TEMPLATE
from pipelines.mask import FACE_OVAL, OUTER_LIPS

Floats = NDArray[np.float64]


def drawn_landmarks(centre: tuple[float, float], eye_distance_px: float, roll_rad: float = 0.0) -> Floats:
    """[468, 2] film pixels: eyes' middle at `centre`, an oval around the face, lips at y = 0.8 eye distances."""
    points = np.tile((0.0, 0.5), (468, 1))
    points[list(RIGID_INDICES)] = RIGID_TEMPLATE
    turn = 2 * np.pi * np.arange(36) / 36
    points[list(FACE_OVAL)] = np.stack([0.8 * np.sin(turn), 0.45 - 0.9 * np.cos(turn)], 1)
    turn = 2 * np.pi * np.arange(20) / 20
    points[list(OUTER_LIPS)] = np.stack([-0.28 * np.cos(turn), 0.8 + 0.1 * np.sin(turn)], 1)
    turned = np.array([[np.cos(roll_rad), -np.sin(roll_rad)], [np.sin(roll_rad), np.cos(roll_rad)]])
    return points @ turned.T * eye_distance_px + centre
