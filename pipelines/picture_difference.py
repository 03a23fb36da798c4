"""How much two films of the same frames differ outside the rectangles that were painted: facts, no verdict."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.media.picture import coded_frames

WHOLE = (-(1 << 62), 1 << 62)
EQUAL_DB = 100.0  # stands for equal samples, whose ratio is infinite


def picture_difference(source: Path, delivered: Path, changed: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Luma PSNR of the frames outside the painted rectangles, and the largest difference there.

    Args:
        source: the film as it was.
        delivered: the film as it is; same frames.
        changed: of each changed shot: start_pts, end_pts, changed_rect as x, y, width, height.
    """
    rects = list(changed)
    psnr_db: list[float] = []
    largest = 0
    pairs = zip(coded_frames(source, *WHOLE), coded_frames(delivered, *WHOLE), strict=True)
    for (pts, old, coding), (_, new, _) in pairs:
        difference = np.abs(old[0].astype(np.int32) - new[0])
        _blank(difference, pts, rects)
        largest = max(largest, int(difference.max()))
        psnr_db.append(_psnr_db(difference, coding.max_code))
    return {
        "psnr_outside_db_min": round(min(psnr_db), 2),
        "psnr_outside_db_mean": round(sum(psnr_db) / len(psnr_db), 2),
        "largest_difference_outside": largest,
    }


def _blank(difference: NDArray[np.int32], pts: int, rects: list[dict[str, Any]]) -> None:
    for shot in rects:
        if shot["start_pts"] <= pts < shot["end_pts"]:
            x, y, width, height = shot["changed_rect"]
            difference[y : y + height, x : x + width] = 0


def _psnr_db(difference: NDArray[np.int32], max_code: int) -> float:
    mean_square = float((difference.astype(np.float64) ** 2).mean())
    return EQUAL_DB if mean_square == 0 else 10 * math.log10(max_code**2 / mean_square)
