"""A painted frame of a face track, read back: the crop as filmed, as painted, and where it lies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.stage import Row

Bytes = NDArray[np.uint8]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PaintedFrame:
    """A row of PAINTED_FRAME.

    Attributes:
        weight: how far it is painted, 0..1.
        landmarks: [468, 2] of the filmed face, film px.
        affine: [2, 3] film px to crop px.
        source: [S, S, 3] the crop as filmed, RGB.
        painted: [S, S, 3] the crop as painted, RGB.
    """

    weight: float
    landmarks: Matrix
    affine: Matrix
    source: Bytes
    painted: Bytes


def painted_frame(row: Row, size_px: int) -> PaintedFrame:
    """A row of PAINTED_FRAME, whose crops have sides of `size_px`."""
    source, painted = (np.frombuffer(row[name], np.uint8).reshape(size_px, size_px, 3) for name in ("source", "crop"))
    landmarks = np.asarray(row["landmarks"], np.float64).reshape(-1, 2)
    return PaintedFrame(row["weight"], landmarks, np.asarray(row["affine"], np.float64).reshape(2, 3), source, painted)
