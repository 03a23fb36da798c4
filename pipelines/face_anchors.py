"""The anchors of RetinaFace, and the boxes and points that its networks answer at them.

Deng et al., "RetinaFace: Single-shot Multi-level Face Localisation in the Wild" (2020); the offsets are those of Liu
et al., "SSD: Single Shot MultiBox Detector" (2016), Eq. 2, in units of the published variances.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

STRIDES = (8, 16, 32)
ANCHOR_SIZES = ((16, 32), (64, 128), (256, 512))  # px, by stride
CENTRE_VARIANCE, SIZE_VARIANCE = np.float32(0.1), np.float32(0.2)  # the unit of the regressed offsets


@lru_cache(maxsize=4)
def anchors(height: int, width: int) -> Floats:
    """[N, 4] centre x, centre y, width, height of each anchor, in picture pixels: level by level, row by row."""
    levels = [_level(height, width, stride, sizes) for stride, sizes in zip(STRIDES, ANCHOR_SIZES, strict=True)]
    return np.concatenate(levels).astype(np.float32)


def _level(height: int, width: int, stride: int, sizes: tuple[int, ...]) -> NDArray[np.float64]:
    """[n, 4] of one stride; the anchors of a place lie side by side."""
    rows, columns, sides = np.meshgrid(
        *(np.arange(-(-side // stride)) * stride + stride / 2 for side in (height, width)), sizes, indexing="ij"
    )
    return np.stack([columns, rows, sides, sides], -1).reshape(-1, 4)


def decode_boxes(offsets: Floats, priors: Floats) -> Floats:
    """[..., 4] x0 y0 x1 y1 from offsets [..., 4] to the anchors."""
    centre = priors[..., :2] + offsets[..., :2] * CENTRE_VARIANCE * priors[..., 2:]
    half = priors[..., 2:] * np.exp(offsets[..., 2:] * SIZE_VARIANCE) / 2
    return np.concatenate([centre - half, centre + half], axis=-1)


def decode_points(offsets: Floats, priors: Floats) -> Floats:
    """[..., 5, 2] points from offsets [..., 10] to the anchors."""
    shifts = offsets.reshape(*offsets.shape[:-1], 5, 2) * CENTRE_VARIANCE
    return np.asarray(priors[..., None, :2] + shifts * priors[..., None, 2:], np.float32)
