"""Colours of an ordinary film (BT.709) as films in BT.2020 write them: the formulas of the standards, written out.

Display light, by BT.1886 with white at HDR reference white (203 cd/m2, ITU-R BT.2408), in other primaries (BT.2087)
and by the curve of the film: BT.1886's own, PQ (SMPTE ST 2084), or HLG for its screen of 1000 cd/m2 (ITU-R BT.2100).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BT2020, SDR, PQ, HLG = 9, 14, 16, 18  # numbers of ITU-T H.273
D65 = (0.3127, 0.3290)
PRIMARIES = {
    709: ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
}
SKIN = ((224, 180, 158), (198, 150, 130), (141, 85, 64), (94, 60, 45))  # R'G'B' of BT.709, light to dark


def xyz_of(primaries: int) -> Floats:
    """[3, 3] linear RGB to XYZ (SMPTE RP 177)."""
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in PRIMARIES[primaries]]).T
    white = np.array([D65[0] / D65[1], 1, (1 - sum(D65)) / D65[1]])
    return np.asarray(columns * np.linalg.solve(columns, white))


def pq_code(light: Floats) -> Floats:
    """Light in cd/m2 as PQ codes 0..1."""
    power = (light / 10_000) ** 0.1593017578125
    return np.asarray(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def hlg_code(light: Floats) -> Floats:
    """[..., 3] cd/m2 on the screen as HLG codes 0..1."""
    luminance = np.maximum(light @ np.array([0.2627, 0.6780, 0.0593]), 1e-9)  # also of black
    scene = light / 1000 * (luminance[..., None] / 1000) ** (1 / 1.2 - 1)
    bright = 0.17883277 * np.log(12 * np.maximum(scene, 1 / 12) - 0.28466892) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright)


def wide_rgb(rgb: NDArray[Any], transfer: int) -> Floats:
    """[..., 3] R'G'B' of BT.709, 0..255, as R'G'B' of BT.2020, 0..1."""
    to_2020 = np.linalg.solve(xyz_of(2020), xyz_of(709))
    light = (np.asarray(rgb) / 255) ** 2.4 @ to_2020.T
    if transfer == SDR:
        return np.asarray(light ** (1 / 2.4))
    return pq_code(203 * light) if transfer == PQ else hlg_code(203 * light)


def wide_codes(rgb: NDArray[Any], transfer: int, bits: int = 10) -> Floats:
    """[..., 3] the same as Y, Cb and Cr of limited range, unrounded."""
    red, green, blue = np.moveaxis(wide_rgb(rgb, transfer), -1, 0)
    luma = 0.2627 * red + 0.6780 * green + 0.0593 * blue
    cb, cr = (blue - luma) / 1.8814, (red - luma) / 1.4746
    return np.stack([16 + 219 * luma, 128 + 224 * cb, 128 + 224 * cr], -1) * (1 << (bits - 8))
