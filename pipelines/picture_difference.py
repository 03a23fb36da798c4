"""How much two films of the same frames differ outside the rectangles that were painted."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.media.coding import Coding
from pipelines.media.picture import coded_frames

EQUAL_DB = 100.0  # stands for equal samples, whose ratio is infinite
PLANES = ("Y", "Cb", "Cr")

Plane = NDArray[Any]
Planes = list[Plane]


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

    @property
    def summary(self) -> dict[str, Any]:
        """What is said of the whole film."""
        per_frame = ("psnr_db", "equal")
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name not in per_frame}


@dataclass(frozen=True, slots=True)
class Shown:
    """A film as it was decoded once: its frames in the order they are shown."""

    path: Path
    pts: Sequence[int]
    digests: Sequence[bytes]  # of their samples


def picture_difference(source: Shown, delivered: Shown, changed: Iterable[dict[str, Any]]) -> PictureDifference:
    """PSNR of each plane of each frame outside the painted rectangles. Only frames that differ are decoded again.

    Args:
        source: the film as it was.
        delivered: the film as it is; as many frames.
        changed: rectangles with the frames that they were painted on: first_pts and last_pts of the source, both
            painted; rect as x, y, width, height.
    """
    rects, num_frames = list(changed), len(source.pts)
    equal = [old == new for old, new in zip(source.digests, delivered.digests, strict=True)]
    difference = PictureDifference(psnr_db=[EQUAL_DB] * num_frames, equal=equal)
    luma_db = [EQUAL_DB] * num_frames
    for place, old, new, coding in _unequal(source, delivered, equal):
        pts = source.pts[place]
        here = [entry["rect"] for entry in rects if entry["first_pts"] <= pts <= entry["last_pts"]]
        blank = _blank(here, old[0].shape)
        difference.num_frames_changed += bool(here)
        difference.changed_share_max = max(difference.changed_share_max, float(blank.mean()) if here else 0.0)
        apart = [_apart(a, b, blank if here else None) for a, b in zip(old, new, strict=True)]
        difference.largest = max(difference.largest, int(apart[0].max(initial=0)))
        ratios = [_psnr_db(plane, coding) for plane in apart]
        luma_db[place], difference.psnr_db[place] = ratios[0], min(ratios)
        if min(ratios) < difference.psnr_db_min:
            difference.psnr_db_min = min(ratios)
            difference.worst = f"{PLANES[ratios.index(min(ratios))]} of the frame at pts {pts}"
    difference.psnr_db_mean = sum(luma_db) / max(num_frames, 1)
    return difference


def _unequal(source: Shown, delivered: Shown, equal: Sequence[bool]) -> Iterator[tuple[int, Planes, Planes, Coding]]:
    """The frames that differ: place in the film, planes of both, what their samples mean."""
    for is_equal, places in groupby(range(len(equal)), key=lambda place: equal[place]):
        if is_equal:
            continue
        stretch = list(places)
        pairs = zip(*(_frames_of(film, stretch) for film in (source, delivered)), strict=True)
        for place, ((_, old, coding), (_, new, _)) in zip(stretch, pairs, strict=True):
            yield place, old, new, coding


def _frames_of(film: Shown, places: Sequence[int]) -> Iterator[tuple[int, Planes, Coding]]:
    return coded_frames(film.path, film.pts[places[0]], film.pts[places[-1]] + 1)


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
