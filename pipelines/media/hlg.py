"""Hybrid log-gamma (ARIB STD-B67, ITU-R BT.2100, Table 5): its codes as the light that the reference screen shows.

That screen has 1000 cd/m2; 75 % of the signal are 203 cd/m2 on it, HDR reference white (ITU-R BT.2408, Table 1).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]

HLG = 18  # AVCOL_TRC number (ITU-T H.273, Table 3)
PEAK = 1000.0  # cd/m2 of the reference screen
SYSTEM_GAMMA = 1.2  # of a screen of that peak
WEIGHTS = np.array([0.2627, 0.6780, 0.0593], np.float32)  # of red, green and blue in luminance
A, B, C = 0.17883277, 0.28466892, 0.55991073
LEAST = 1e-9  # luminance of black, so that it can be divided by


def to_scene(code: Floats) -> Floats:
    """HLG codes 0..1 as light of the scene, 0..1: the inverse OETF."""
    return np.asarray(np.where(code <= 0.5, code**2 / 3, (np.exp((code - C) / A) + B) / 12))


def to_code(scene: Floats) -> Floats:
    """Light of the scene, 0..1, as HLG codes 0..1: the OETF."""
    bright = np.maximum(scene, 1 / 12)
    return np.asarray(np.where(scene <= 1 / 12, np.sqrt(3 * scene), A * np.log(12 * bright - B) + C))


def displayed(scene: Floats) -> Floats:
    """[..., 3] light of the scene as the reference screen shows it, in cd/m2: the OOTF, Y^0.2 times as much."""
    luminance = np.maximum(scene @ WEIGHTS, LEAST)[..., None]
    return np.asarray(PEAK * scene * luminance ** np.float32(SYSTEM_GAMMA - 1))


def of_scene(light: Floats) -> Floats:
    """[..., 3] cd/m2 on the reference screen as light of the scene: the inverse OOTF."""
    luminance = np.maximum(light @ WEIGHTS / PEAK, LEAST**SYSTEM_GAMMA)[..., None]
    return np.asarray(light / PEAK * luminance ** (1 / SYSTEM_GAMMA - 1))
