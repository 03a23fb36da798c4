"""Films in PQ (SMPTE ST 2084) as the models see them: a picture for an ordinary screen, and the way back.

In PQ codes a face is flat and pale: the models never saw such. So they are given what an ordinary screen would show:
light up to HDR reference white (203 cd/m2, ITU-R BT.2408) as it is, brighter light pressed together above three
quarters of it. What they paint goes back by the same curve, channel by channel; the film itself is never converted.
HLG (ARIB STD-B67) was made to be seen on ordinary screens as it is, so its codes stay what they are.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]

PQ = 16  # AVCOL_TRC number (ITU-T H.273, Table 3)
PEAK = 10_000.0  # cd/m2 of the highest code
WHITE = 203.0  # cd/m2
BRIGHTEST = 1000.0  # cd/m2 that are still told apart
KNEE = 0.75  # of reference white
ROOM = 1 - KNEE  # above the knee
BEND = ROOM / (BRIGHTEST / WHITE - KNEE - ROOM)  # so that the curve leaves the knee straight and ends with 1
GAMMA = 2.4  # of an ordinary screen (ITU-R BT.1886)
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


@cache
def proxy_table() -> NDArray[np.uint8]:
    """[65536] what an ordinary screen shows in place of a PQ code of 16 bits, 0..255."""
    relative = np.minimum(to_light(np.arange(1 << 16) / 0xFFFF) / WHITE, BRIGHTEST / WHITE)
    over = np.maximum(relative - KNEE, 0)
    shown = np.where(over > 0, KNEE + ROOM * over * (1 + BEND) / (over + ROOM * (1 + BEND)), relative)
    return np.asarray(np.rint(255 * shown ** (1 / GAMMA)), np.uint8)


def from_proxy(shown: Floats) -> Floats:
    """PQ codes 0..1 of what an ordinary screen shows, 0..1: the way back, up to the brightest that is told apart."""
    linear = np.clip(shown, 0, 1).astype(np.float64) ** GAMMA
    part = np.maximum(linear - KNEE, 0) / ROOM
    relative = np.where(part > 0, KNEE + part * ROOM * (1 + BEND) / (1 + BEND - part), linear)
    return to_code(relative * WHITE).astype(np.float32)
