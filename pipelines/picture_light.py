"""Whether a picture is another one in another light: by a flash, or gone white."""

import cv2
import numpy as np
from numpy.typing import NDArray

ONE_WAY = 0.8  # of the difference: a flash makes all of a picture brighter, another picture only some of it
LEFT = 0.35  # of the brighter picture's variance is not told by the darker one's brightness
WHITE = 235  # codes that a white picture's samples reach
WHITE_REST = 0.1  # of them may be darker

Bytes = NDArray[np.uint8]


def is_relit(one: Bytes, other: Bytes) -> bool:
    """Whether two pictures show the same in another light, also where light is clipped.

    Args:
        one: [H, W, 3] BGR.
        other: the same size.
    """
    dark, bright = sorted((_grey(one), _grey(other)), key=lambda grey: float(grey.mean()))
    way = bright.astype(np.float64) - dark
    return bool(way.mean() >= ONE_WAY * np.abs(way).mean() > 0) and _left(dark, bright) < LEFT


def is_white(picture: Bytes) -> bool:
    """Whether nothing, or next to nothing, is seen for light."""
    return bool(np.count_nonzero(picture < WHITE) < WHITE_REST * picture.size)


def _left(dark: Bytes, bright: Bytes) -> float:
    """One less the correlation ratio: 0 where a level of the one tells that of the other, 1 where it does not."""
    levels, values = dark.ravel(), bright.ravel().astype(np.float64)
    counts, sums = np.bincount(levels), np.bincount(levels, values)
    all_around = float(((values - values.mean()) ** 2).sum())
    means = sums / np.maximum(counts, 1)
    return float(((values - means[levels]) ** 2).sum()) / all_around if all_around else 1.0


def _grey(picture: Bytes) -> Bytes:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
