"""The grain of a film: how strong it is, how its samples hang together, and more of the same.

A painted mouth replaces the film's samples, and their grain with them: a clean mouth in a grainy face looks pasted. So
the grain of the face above it is measured and drawn anew. Measured are the flattest of many small blocks, for what
differs there from a slope is mostly grain: Olsen, "Estimation of noise in images: an evaluation" (1993). That made
grain with the strength and the correlation of the film's passes for it is what Norkin and Birkbeck, "Film grain
synthesis for AV1 video codec" (2018), build on.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

BLOCK = 8  # samples
FLAT_SHARE = 0.25  # of the blocks: the flattest
FEWEST_BLOCKS = 16
MOST_STILL = 0.5  # of the blocks without anything in them: from there on the film has no grain
ROUNDING_VARIANCE = 1 / 12  # of whole codes
LEAST_VARIANCE = 0.1  # beside it: less is no grain
REACH = 6  # samples by which the filter of the most correlated grain reaches
TILE = 32  # samples: grain is drawn on a grid of the film's, and does not move with what it is cut out for

# What the flattest quarter of such blocks shows of grain, whose slopes are taken out with those of the picture: its
# neighbours look less correlated than they are, and its standard deviation smaller. Measured on made grain, alike in
# rows and columns (tests/pipelines/test_grain.py).
SEEN_CORRELATION = (-0.044, 0.071, 0.175, 0.278, 0.421, 0.511, 0.590, 0.637, 0.673)
TRUE_CORRELATION = (0.0, 0.166, 0.309, 0.446, 0.605, 0.702, 0.794, 0.859, 0.902)
SEEN_STRENGTH = (0.936, 0.916, 0.895, 0.861, 0.806, 0.755, 0.677, 0.606, 0.511)

Floats = NDArray[np.float32]
Blocks = NDArray[Any]  # [B, 8, 8]


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

    @property
    def laplacian_variance(self) -> float:
        """Mean square of its Laplacian (the four neighbours less four times the sample), in whole codes."""
        if not self.strength:
            return 0.0
        across, down = self.across, self.down
        twice = across**4 + down**4  # of samples two apart, as a Gaussian filter leaves them
        shape = 20 + 2 * twice + 8 * across * down - 16 * (across + down)
        return self.strength**2 * shape + 20 * ROUNDING_VARIANCE


NO_GRAIN = Grain(0.0)


def measure_grain(blocks: Sequence[Blocks]) -> Grain:
    """The grain of blocks [B, 8, 8] of codes, of one plane of any number of frames; too few blocks tell of none."""
    pooled = np.concatenate([np.zeros((0, BLOCK, BLOCK), np.float32), *blocks]).astype(np.float32)
    if len(pooled) < FEWEST_BLOCKS:
        return NO_GRAIN
    rest = _without_slope(pooled)
    variances = (rest**2).sum((1, 2)) / (BLOCK**2 - 3)  # a slope has three numbers
    moving = variances > ROUNDING_VARIANCE
    if 1 - moving.mean() > MOST_STILL:
        return NO_GRAIN
    limit = float(np.quantile(variances[moving], FLAT_SHARE))
    flat = rest[moving & (variances <= limit)]
    square = float((flat**2).mean())
    across, down = (float((one * other).mean()) / square for one, other in _neighbours(flat))
    shown = float(np.interp((across + down) / 2, SEEN_CORRELATION, SEEN_STRENGTH))
    grain = limit / shown**2 - ROUNDING_VARIANCE
    if grain <= LEAST_VARIANCE:
        return NO_GRAIN
    true = [float(np.interp(seen, SEEN_CORRELATION, TRUE_CORRELATION)) for seen in (across, down)]
    return Grain(float(np.sqrt(grain)), *true)


def draw_grain(grain: Grain, height: int, width: int, rng: np.random.Generator) -> Floats:
    """[height, width] more of the grain."""
    white = rng.standard_normal((height + 2 * REACH, width + 2 * REACH), np.float32)
    across, down = _kernel(grain.across), _kernel(grain.down)
    drawn = cv2.sepFilter2D(white, cv2.CV_32F, across, down)[REACH:-REACH, REACH:-REACH]
    return np.asarray(drawn * np.float32(grain.strength))


def grain_at(grain: Grain, corner: tuple[int, int], shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """[height, width] of the grain at a place of a plane; at places on the same tiles it does not move with them."""
    height, width = shape
    down, across = (place % TILE for place in corner)
    drawn = draw_grain(grain, -(-(down + height) // TILE) * TILE, -(-(across + width) // TILE) * TILE, rng)
    return drawn[down : down + height, across : across + width]


def noise_of(ids: str) -> np.random.Generator:
    """Noise drawn from ids alone: never from a worker, a clock or an order."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(ids.encode()).digest()[:8], "big"))


def _without_slope(blocks: Blocks) -> Blocks:
    """The blocks less the plane that fits each best."""
    along = np.arange(BLOCK, dtype=blocks.dtype) - (BLOCK - 1) / 2
    slope = along / np.sqrt((along**2).sum() * BLOCK)
    level = blocks.mean((1, 2), keepdims=True)
    across = (blocks * slope).sum((1, 2), keepdims=True) * slope
    down = (blocks * slope[:, None]).sum((1, 2), keepdims=True) * slope[:, None]
    return np.asarray(blocks - level - across - down)


def _neighbours(blocks: Blocks) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Samples and those beside them, then samples and those below them."""
    return [(blocks[:, :, 1:], blocks[:, :, :-1]), (blocks[:, 1:], blocks[:, :-1])]


def _kernel(correlation: float) -> NDArray[np.float64]:
    """A Gaussian filter by which white noise of variance 1 keeps it, its neighbours being so correlated."""
    if correlation <= 0:
        return np.ones(1)
    filters = _filters()
    place = np.interp(correlation, [(taps[1:] * taps[:-1]).sum() for taps in filters], np.arange(len(filters)))
    return filters[round(float(place))]


@cache
def _filters() -> list[NDArray[np.float64]]:
    """Gaussians of growing spread, each with a sum of squares of 1."""
    exponents = -0.5 * np.arange(-REACH, REACH + 1) ** 2
    taps = [np.exp(exponents / spread**2) for spread in np.linspace(0.1, 2.5, 97)]
    return [one / np.sqrt((one**2).sum()) for one in taps]
