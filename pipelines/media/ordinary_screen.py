"""Films in wide colours or high dynamic range as the models see them: on an ordinary screen; and the way back.

In the codes of PQ, HLG and BT.2020 a face is pale: the models never saw such. So they are given what a screen of
BT.709 and BT.1886 would show. Light of HDR is shown as it is up to three quarters of reference white, and pressed
together above, channel by channel. BT.2020 is turned into BT.709 in linear light, and what that screen cannot show is
clipped. What the models paint goes back the same way; the film itself is never converted.
"""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.media import hlg
from pipelines.media.hdr import PQ, RANGE, WHITE, Floats, pressed, to_code, to_light, unpressed
from pipelines.media.hlg import HLG
from pipelines.media.primaries import BT2020, TO_709, TO_2020

GAMMA = 2.4  # of an ordinary screen (ITU-R BT.1886), by which films of standard range are shown as well
HDR = (PQ, HLG)
CODES = np.arange(1 << 16) / 0xFFFF  # of 16 bits, 0..1
ROWS_AT_A_TIME = 32  # stay in the CPU's cache


def is_ordinary(transfer: int, primaries: int) -> bool:
    """Whether a film's R'G'B' is what an ordinary screen shows."""
    return transfer not in HDR and primaries != BT2020


def shown(samples: NDArray[np.uint16], transfer: int, primaries: int) -> NDArray[np.uint8]:
    """What an ordinary screen shows in place of a film's R'G'B'.

    Args:
        samples: [H, W, 3] codes of 16 bits.
        transfer: AVCOL_TRC number.
        primaries: AVCOL_PRI number.

    Returns:
        [H, W, 3] R'G'B' of BT.709, 0..255.
    """
    picture = np.empty(samples.shape, np.uint8)
    for row in range(0, len(samples), ROWS_AT_A_TIME):
        rows = slice(row, row + ROWS_AT_A_TIME)
        light = _light(samples[rows], transfer)
        light = cv2.transform(light, TO_709) if primaries == BT2020 else light
        most = np.float32(RANGE if transfer in HDR else 1)
        root = np.sqrt(np.clip(light, 0, most) / most) * np.float32(0xFFFF)  # finer codes where it is dark
        picture[rows] = _screen_codes(transfer in HDR)[np.rint(root).astype(np.uint16)]
    return picture


def filmed(screen: Floats, transfer: int, primaries: int) -> Floats:
    """A film's R'G'B' of what an ordinary screen shows: the way back, as far as that screen tells colours apart.

    Args:
        screen: [..., 3] R'G'B' of BT.709, 0..1; a little more or less in films of standard range.
        transfer: AVCOL_TRC number.
        primaries: AVCOL_PRI number.

    Returns:
        [..., 3] float32, 0..1.
    """
    is_hdr = transfer in HDR
    screen = screen.astype(np.float64)
    light = unpressed(np.clip(screen, 0, 1) ** GAMMA) * WHITE if is_hdr else _power(screen, GAMMA)
    light = light @ TO_2020.T if primaries == BT2020 else light
    if transfer == PQ:
        return to_code(light).astype(np.float32)
    return (hlg.to_code(hlg.of_scene(light)) if is_hdr else _power(light, 1 / GAMMA)).astype(np.float32)


def _light(samples: NDArray[np.uint16], transfer: int) -> NDArray[np.float32]:
    """[H, W, 3] linear light over that of white."""
    light = _light_of_codes(transfer)[samples]
    return np.asarray(hlg.displayed(light) / np.float32(WHITE), np.float32) if transfer == HLG else light


@cache
def _light_of_codes(transfer: int) -> NDArray[np.float32]:
    """[65536] light of each code: of HLG that of the scene, of others over that of white."""
    if transfer == HLG:
        return hlg.to_scene(CODES).astype(np.float32)
    return np.asarray(to_light(CODES) / WHITE if transfer == PQ else CODES**GAMMA, np.float32)


@cache
def _screen_codes(is_hdr: bool) -> NDArray[np.uint8]:
    """[65536] what the screen is given for light, by the root of its share of the brightest."""
    light = pressed(CODES**2 * RANGE) if is_hdr else CODES**2
    return np.asarray(np.rint(255 * light ** (1 / GAMMA)), np.uint8)


def _power(values: Floats, exponent: float) -> Floats:
    """The same for what is below 0 as for what is above: sharpened crops go a little beyond."""
    return np.asarray(np.sign(values) * np.abs(values) ** exponent)
