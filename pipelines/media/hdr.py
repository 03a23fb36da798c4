"""PQ (SMPTE ST 2084) as light, and light of high dynamic range within what an ordinary screen can show."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]

PQ = 16  # AVCOL_TRC number (ITU-T H.273, Table 3)
PEAK = 10_000.0  # cd/m2 of the highest code
WHITE = 203.0  # cd/m2 of HDR reference white (ITU-R BT.2408)
BRIGHTEST = 1000.0  # cd/m2 that are still told apart
RANGE = BRIGHTEST / WHITE
KNEE = 0.75  # of reference white
ROOM = 1 - KNEE  # above the knee
BEND = ROOM / (RANGE - KNEE - ROOM)  # so that the curve leaves the knee straight and ends with 1
M1, M2 = 1305 / 8192, 2523 / 32
C1, C2, C3 = 107 / 128, 2413 / 128, 2392 / 128


def to_light(code: Floats) -> Floats:
    """PQ codes 0..1 as light, in cd/m2 (ST 2084, Eq. 4.1)."""
    power = np.maximum(code, 0) ** (1 / M2)
    return np.asarray(PEAK * (np.maximum(power - C1, 0) / (C2 - C3 * power)) ** (1 / M1))


def to_code(light: Floats) -> Floats:
    """Light in cd/m2 as PQ codes 0..1 (ST 2084, Eq. 5.1)."""
    power = (np.maximum(light, 0) / PEAK) ** M1
    return np.asarray(((C1 + C2 * power) / (1 + C3 * power)) ** M2)


def pressed(light: Floats) -> Floats:
    """Light over that of reference white, 0..`RANGE`, within 0..1: as it is up to the knee, pressed together above."""
    over = np.maximum(light - KNEE, 0)
    return np.asarray(np.where(over > 0, KNEE + ROOM * over * (1 + BEND) / (over + ROOM * (1 + BEND)), light))


def unpressed(light: Floats) -> Floats:
    """The way back from 0..1 to light over that of reference white."""
    part = np.maximum(light - KNEE, 0) / ROOM
    return np.asarray(np.where(part > 0, KNEE + part * ROOM * (1 + BEND) / (1 + BEND - part), light))
