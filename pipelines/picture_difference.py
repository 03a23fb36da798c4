"""How much two films of the same frames differ outside the rectangles that were painted."""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.media.coding import Coding
from pipelines.media.picture import coded_frames

WHOLE = (-(1 << 62), 1 << 62)
DIGEST_BYTES = 8
EQUAL_DB = 100.0  # stands for equal samples, whose ratio is infinite
PLANES = ("Y", "Cb", "Cr")

Plane = NDArray[Any]


@dataclass(slots=True)
class PictureDifference:
    """The frame that differs most, and how much of the frames was left out."""

    psnr_db_min: float = EQUAL_DB  # of the worst plane of the worst frame
    psnr_db_mean: float = EQUAL_DB  # of luma
    worst: str = "every frame"
    largest: int = 0  # difference of two luma samples
    changed_share_max: float = 0.0  # of a frame
    num_frames_changed: int = 0  # with a rectangle
    psnr_db: list[float] = field(default_factory=list)  # of each frame, its worst plane, outside the rectangles
    equal: list[bool] = field(default_factory=list)  # each frame, the rectangles included
    digests: dict[int, bytes] = field(default_factory=dict)  # of each delivered frame, by its pts

    @property
    def summary(self) -> dict[str, Any]:
        """What is said of the whole film."""
        per_frame = ("psnr_db", "equal", "digests")
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name not in per_frame}


def digest_of(planes: Sequence[Plane]) -> bytes:
    """A short digest of a frame's samples."""
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for plane in planes:
        digest.update(np.ascontiguousarray(plane).data)
    return digest.digest()


def picture_difference(source: Path, delivered: Path, changed: Iterable[dict[str, Any]]) -> PictureDifference:
    """PSNR of each plane of each frame outside the painted rectangles.

    Args:
        source: the film as it was.
        delivered: the film as it is; same frames.
        changed: rectangles with the frames that they were painted on: first_pts and last_pts of the source, both
            painted; rect as x, y, width, height.
    """
    rects, difference, luma_db = list(changed), PictureDifference(), []
    pairs = zip(coded_frames(source, *WHOLE), coded_frames(delivered, *WHOLE), strict=True)
    for (pts, old, coding), (new_pts, new, _) in pairs:
        here = [entry["rect"] for entry in rects if entry["first_pts"] <= pts <= entry["last_pts"]]
        blank = _blank(here, old[0].shape)
        difference.num_frames_changed += bool(here)
        difference.changed_share_max = max(difference.changed_share_max, float(blank.mean()) if here else 0.0)
        apart = [_apart(a, b, blank if here else None) for a, b in zip(old, new, strict=True)]
        difference.largest = max(difference.largest, int(apart[0].max(initial=0)))
        ratios = [_psnr_db(plane, coding) for plane in apart]
        luma_db.append(ratios[0])
        difference.psnr_db.append(min(ratios))
        difference.equal.append(all(np.array_equal(a, b) for a, b in zip(old, new, strict=True)))
        difference.digests[new_pts] = digest_of(new)
        if min(ratios) < difference.psnr_db_min:
            difference.psnr_db_min = min(ratios)
            difference.worst = f"{PLANES[ratios.index(min(ratios))]} of the frame at pts {pts}"
    difference.psnr_db_mean = sum(luma_db) / max(len(luma_db), 1)
    return difference


def _blank(rects: Sequence[Sequence[int]], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    blank = np.zeros(shape, bool)
    for x, y, width, height in rects:
        blank[y : y + height, x : x + width] = True
    return blank


def _apart(old: Plane, new: Plane, blank: NDArray[np.bool_] | None) -> NDArray[np.int32]:
    """Differences of the samples that no rectangle covers."""
    difference = np.abs(old.astype(np.int32) - new)
    if blank is None:
        return difference.ravel()
    step_y, step_x = (-(-whole // part) for whole, part in zip(blank.shape, old.shape, strict=True))
    return difference[~blank[::step_y, ::step_x][: old.shape[0], : old.shape[1]]]


def _psnr_db(difference: NDArray[np.int32], coding: Coding) -> float:
    mean_square = float(np.square(difference).mean(dtype=np.float64)) if difference.size else 0.0
    return EQUAL_DB if mean_square == 0 else 10 * math.log10(coding.max_code**2 / mean_square)
