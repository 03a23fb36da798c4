"""A solid head that is turned and nods, seen from the front: its angles come back."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.head_pose import CHEEK_LEFT, CHEEK_RIGHT, NOSE_DEPTH, NOSE_DROP, NOSE_TIP, pitch_deg, yaw_deg

Floats = NDArray[np.float64]

WIDTH_PX = 80.0
SOLID = {  # x to the right, y down, z to the camera, in face widths
    NOSE_TIP: (0.0, NOSE_DROP, NOSE_DEPTH),
    CHEEK_LEFT: (-0.5, 0.0, 0.0),
    CHEEK_RIGHT: (0.5, 0.0, 0.0),
}


def seen(yaw: float, pitch: float, roll: float = 0.0) -> Floats:
    """[468, 2] of a head that nods, then is turned, then leans."""
    yaw, pitch, roll = np.radians([yaw, pitch, roll])
    nod = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    lean = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    landmarks = np.zeros((468, 2))
    for index, point in SOLID.items():
        landmarks[index] = 200 + WIDTH_PX * (lean @ turn @ nod @ point)[:2]
    return landmarks


@pytest.mark.parametrize("angle", [-40, -20, 0, 15, 35])
def test_yaw_follows_the_turned_head(angle: float) -> None:
    assert yaw_deg(seen(angle, 0)) == pytest.approx(angle, abs=0.1)
    assert pitch_deg(seen(angle, 0)) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("angle", [-35, -20, 0, 15, 30])
def test_pitch_follows_the_nod_and_a_leaning_head_is_no_nod(angle: float) -> None:
    assert pitch_deg(seen(0, angle)) == pytest.approx(angle, abs=0.1)
    assert pitch_deg(seen(0, angle, roll=25)) == pytest.approx(angle, abs=0.1)
    assert yaw_deg(seen(0, angle, roll=25)) == pytest.approx(0, abs=0.1)


def test_turning_and_nodding_at_once_are_told_apart() -> None:
    assert pitch_deg(seen(25, 20)) == pytest.approx(20, abs=3)
    assert yaw_deg(seen(25, 20)) == pytest.approx(25, abs=3)
