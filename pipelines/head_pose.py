"""How far a head is turned and nods, by the place of its nose tip between its cheeks: pure functions of landmarks.

The nose tip stands before the line from cheek to cheek, so it moves across the face as the head turns. Measured in
face widths its place is about the same for everybody: beside the third dimension that the face mesh guesses, nods
correlate by 0.83 to 0.99 in six clips of five real people, and their medians differ by 2 degrees at most.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NOSE_TIP, CHEEK_LEFT, CHEEK_RIGHT = 1, 234, 454  # of the face mesh, left and right in the picture
NOSE_DEPTH = 0.625  # how far the nose tip stands before the cheeks' line, in face widths
NOSE_DROP = 0.118  # and how far below it, of a level head


def yaw_deg(landmarks: Floats) -> float:
    """How far the head is turned; positive to the right of the picture.

    Args:
        landmarks: [468, 2] face mesh, in any pixels.
    """
    across, _ = _nose_place(landmarks)
    return float(np.degrees(np.arctan(across / NOSE_DEPTH)))


def pitch_deg(landmarks: Floats) -> float:
    """How far the head nods; positive down.

    Args:
        landmarks: [468, 2] face mesh, in any pixels.
    """
    _, below = _nose_place(landmarks)
    foreshortened = np.cos(np.radians(yaw_deg(landmarks)))  # the width that it is measured in
    reach = float(np.hypot(NOSE_DEPTH, NOSE_DROP))
    level = float(np.arctan2(NOSE_DROP, NOSE_DEPTH))
    return float(np.degrees(np.arcsin(np.clip(below * foreshortened / reach, -1, 1)) - level))


def _nose_place(landmarks: Floats) -> tuple[float, float]:
    """Of the nose tip, from the cheeks' middle: along the line from cheek to cheek, and below it, in face widths."""
    axis = landmarks[CHEEK_RIGHT] - landmarks[CHEEK_LEFT]
    width = max(float(np.linalg.norm(axis)), 1e-6)
    from_middle = landmarks[NOSE_TIP] - (landmarks[CHEEK_LEFT] + landmarks[CHEEK_RIGHT]) / 2
    down = np.array([-axis[1], axis[0]])
    return float(from_middle @ axis) / width**2, float(from_middle @ down) / width**2
