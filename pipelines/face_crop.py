"""Cutting a square out of a frame along an affine, without aliasing."""

from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.face_frame import compose

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]  # [H, W, 3] RGB


def crop_frame(frame: Pixels, affine: Floats, size_px: int) -> Pixels:
    """The crop of [size_px, size_px, 3] that `affine` ([2, 3], film pixels to crop pixels) cuts out.

    Where the crop is smaller than what it shows, it is taken several times finer and averaged: one bicubic look-up
    a pixel would skip film pixels and shimmer. Beyond the picture its edge is repeated.
    """
    fineness = max(1, ceil(enlargement(affine) - 0.05))
    shift = (fineness - 1) / 2  # pixel centres lie at integers on both grids
    finer = np.array([[fineness, 0.0, shift], [0.0, fineness, shift]])
    side = size_px * fineness
    fine = cv2.warpAffine(
        frame, compose(finer, affine), (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    crop = fine if fineness == 1 else cv2.resize(fine, (size_px, size_px), interpolation=cv2.INTER_AREA)
    return np.asarray(crop, np.uint8)


def enlargement(affine: Floats) -> float:
    """Film pixels per crop pixel: above 1 the painted crop is enlarged when it goes back into the film."""
    return float(1 / np.sqrt(abs(np.linalg.det(affine[:, :2]))))
