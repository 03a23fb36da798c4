"""How good a run of GOPs must be that is encoded again: like what it was, near the bytes that the film had there."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.media.coding import Coding

Plane = NDArray[Any]

WANTED_PSNR_DB = 45.0  # of every frame, where nothing was painted
ENOUGH_GROWTH, TOO_MUCH_GROWTH = 1.8, 2.4  # times the film's bytes there: twice are spent on what is not good enough
HALVING_CRF = 6  # so much coarser has about half the bytes
FINEST_CRF, COARSEST_CRF = 5, 26  # coarser ones, in films that are so, would smear the painted mouth
MAX_TRIES = 4
SCALED_CODECS = ("h264", "hevc")  # whose encoders take a CRF
EQUAL_DB = 100.0  # stands for equal samples


class Quality(NamedTuple):
    """What came of encoding a run."""

    crf: int
    psnr_db: float  # of the worst plane of the worst frame
    growth: float  # times the bytes of before

    @property
    def is_enough(self) -> bool:
        return self.psnr_db >= WANTED_PSNR_DB or self.growth >= ENOUGH_GROWTH


def next_crf(tries: Sequence[Quality], codec: str = "h264") -> int | None:
    """What to try next; None when the best that was tried is taken.

    Args:
        tries: in their order, one at least.
        codec: MJPEG has two steps, and packets of ProRes and DNxHD are as large as their profile says.
    """
    last = tries[-1]
    if codec not in SCALED_CODECS:
        return FINEST_CRF if codec == "mjpeg" and not last.is_enough and last.crf > FINEST_CRF else None
    if len(tries) == MAX_TRIES:
        return None
    dearer = round(HALVING_CRF * math.log2(2 / max(last.growth, 1e-3)))  # so much finer it has twice the bytes
    better = math.ceil(WANTED_PSNR_DB - last.psnr_db)  # a CRF less gives about a decibel
    if not last.is_enough:
        crf = max(FINEST_CRF, last.crf - max(1, min(dearer, better)))
    elif last.growth > TOO_MUCH_GROWTH:
        crf = min(COARSEST_CRF, last.crf - (max(dearer, better) if better <= 0 else dearer))
    else:
        return None
    return None if any(crf == one.crf for one in tries) or crf == last.crf else crf


def rank(quality: Quality) -> tuple[bool, float]:
    """Small is good: enough with the fewest bytes, else the most like what it was."""
    return not quality.is_enough, quality.growth if quality.is_enough else -quality.psnr_db


def worst_plane_db(
    wanted: Sequence[Plane], made: Sequence[Plane], painted: Sequence[Sequence[int]], coding: Coding
) -> float:
    """PSNR of the worst plane outside of what was painted.

    Args:
        wanted: planes that went into the encoder.
        made: the same, as they come out of a decoder.
        painted: rectangles that do not count, as x, y, width, height in luma samples.
        coding: what samples mean.
    """
    kept = np.ones(wanted[0].shape, np.uint8)
    for x, y, width, height in painted:
        kept[y : y + height, x : x + width] = 0
    return min(_plane_db(old, new, kept, coding) for old, new in zip(wanted, made, strict=True))


def _plane_db(old: Plane, new: Plane, kept: NDArray[np.uint8], coding: Coding) -> float:
    rows, columns = old.shape
    step_y, step_x = (-(-whole // part) for whole, part in zip(kept.shape, old.shape, strict=True))
    mask = np.ascontiguousarray(kept[::step_y, ::step_x][:rows, :columns])
    num_samples = int(np.count_nonzero(mask))
    squares = cv2.norm(old, new, cv2.NORM_L2SQR, mask)
    return EQUAL_DB if squares < 0.5 else 10 * math.log10(coding.max_code**2 * num_samples / squares)
