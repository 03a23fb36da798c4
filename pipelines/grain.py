"""The grain of a film: how strong it is in a frame, how its samples hang together, and more of the same.

A painted mouth replaces the film's samples, and their grain with them: a clean mouth in a grainy face looks pasted. So
the grain of the face around it is measured and drawn anew. Measured are the flattest of many small blocks, for what
differs there from a slope is grain and neither skin nor edge: Olsen, "Estimation of noise in images: an evaluation"
(1993); that synthetic grain with the strength and the correlation of the film's passes for it is what Norkin and
Birkbeck, "Film grain synthesis for AV1 video codec" (2018), build on.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.mask import Rect

BLOCK = 8  # samples
FLAT_SHARE = 0.25  # of the blocks: the flattest
FREEDOM = BLOCK**2 - 3  # of a block's samples when its slope is taken out
FLATTEST = 0.873  # of the variance of grain, which a quarter of such blocks stays below: chi-square by its freedom
FEWEST_BLOCKS = 16
ROUNDING_VARIANCE = 1 / 12  # of whole codes
LEAST_VARIANCE = 0.1  # beside it: less is no grain
CORRELATED = 0.9  # bound of what is drawn
REACH = 6  # samples by which the filter of the most correlated grain reaches

Floats = NDArray[np.float32]
Plane = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Grain:
    """The grain of one plane.

    Attributes:
        strength: standard deviation, in the plane's codes.
        across: correlation of a sample with the next one in its row, 0..0.9.
        down: the same in its column.
    """

    strength: float
    across: float = 0.0
    down: float = 0.0


NO_GRAIN = Grain(0.0)


def face_above(landmarks: NDArray[np.float64], rect: Rect) -> Rect | None:
    """The part of a face above what is painted, in which the grain is measured: cheeks, nose, forehead.

    Args:
        landmarks: [468, 2] in film px.
        rect: what is painted, within the film.
    """
    left, top = (max(int(edge) // 2 * 2, 0) for edge in landmarks.min(0))
    left, right = max(left, rect.x), min(int(landmarks[:, 0].max()), rect.x + rect.width)
    width, height = ((last - first) // 2 * 2 for first, last in ((left, right), (top, rect.y)))
    return Rect(left, top, width, height) if width > 0 and height > 0 else None


def noise_of(ids: str) -> np.random.Generator:
    """Noise drawn from ids alone: never from a worker, a clock or an order."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(ids.encode()).digest()[:8], "big"))


def measure_grain(plane: Plane) -> Grain:
    """The grain of a piece of a plane, [H, W] codes; none of it where there are too few blocks to tell."""
    blocks = _blocks(plane.astype(np.float64))
    if len(blocks) < FEWEST_BLOCKS:
        return NO_GRAIN
    rest = _without_slope(blocks)
    variances = (rest**2).sum((1, 2)) / FREEDOM
    limit = float(np.quantile(variances, FLAT_SHARE))
    grain = limit / FLATTEST - ROUNDING_VARIANCE
    if grain <= LEAST_VARIANCE:
        return NO_GRAIN
    flat = rest[variances <= limit]
    square = float((flat**2).mean())
    across, down = (float((one * other).mean()) / square for one, other in _neighbours(flat))
    return Grain(float(np.sqrt(grain)), *(min(max(value, 0.0), CORRELATED) for value in (across, down)))


def draw_grain(grain: Grain, height: int, width: int, rng: np.random.Generator) -> Floats:
    """[height, width] more of the grain."""
    white = rng.standard_normal((height + 2 * REACH, width + 2 * REACH), np.float32)
    across, down = _kernel(grain.across), _kernel(grain.down)
    drawn = cv2.sepFilter2D(white, cv2.CV_32F, across, down)[REACH:-REACH, REACH:-REACH]
    return np.asarray(drawn * np.float32(grain.strength))


def _blocks(values: Plane) -> NDArray[Any]:
    """[B, 8, 8] the whole blocks of [H, W]."""
    rows, columns = values.shape[0] // BLOCK, values.shape[1] // BLOCK
    cut = values[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    return np.asarray(cut.swapaxes(1, 2).reshape(-1, BLOCK, BLOCK))


def _without_slope(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """The blocks less the plane that fits each best."""
    along = np.arange(BLOCK) - (BLOCK - 1) / 2
    slope = along / np.sqrt((along**2).sum() * BLOCK)
    level = blocks.mean((1, 2), keepdims=True)
    across = (blocks * slope).sum((1, 2), keepdims=True) * slope
    down = (blocks * slope[:, None]).sum((1, 2), keepdims=True) * slope[:, None]
    return np.asarray(blocks - level - across - down)


def _neighbours(blocks: NDArray[np.float64]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Samples and those beside them, then samples and those below them."""
    return [(blocks[:, :, 1:], blocks[:, :, :-1]), (blocks[:, 1:], blocks[:, :-1])]


def _kernel(correlation: float) -> NDArray[np.float64]:
    """A Gaussian filter by which white noise of variance 1 keeps it, its neighbours being so correlated."""
    if correlation <= 0:
        return np.ones(1)
    filters = _filters()
    spread = np.interp(correlation, [(taps[1:] * taps[:-1]).sum() for taps in filters], np.arange(len(filters)))
    return filters[round(float(spread))]


@cache
def _filters() -> list[NDArray[np.float64]]:
    """Gaussians of growing spread, each with a sum of squares of 1."""
    exponents = -0.5 * np.arange(-REACH, REACH + 1) ** 2
    taps = [np.exp(exponents / spread**2) for spread in np.linspace(0.1, 2.5, 97)]
    return [one / np.sqrt((one**2).sum()) for one in taps]
