"""A detection: one face in one frame, as a detector sees it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Detection:
    """Where a face is, in film pixels; pixel centres lie at integers."""

    box: Floats  # [4] x0 y0 x1 y1
    score: float  # 0..1
    points: Floats  # [5, 2] the eyes from left to right in the picture, nose tip, mouth corners

    @property
    def height(self) -> float:
        """Height of the box."""
        return float(self.box[3] - self.box[1])


def overlap(one: Floats, other: Floats) -> float:
    """Intersection over union of two boxes, 0..1."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = float(np.prod(np.maximum(high - low, 0.0)))
    union = float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2])) - shared
    return shared / union if union > 0 else 0.0
