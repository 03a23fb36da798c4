"""How much two films of the same frames differ outside the rectangles that were painted."""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.media.coding import Coding
from pipelines.media.picture import coded_frames
from pipelines.mouth_signature import rect_of, unlike

BLOCK = 16  # samples of a plane: what is drawn into a corner of a frame fills some, and hides in the mean of all
# Of a block, in 8-bit codes: what an encoder leaves in the worst one. In the demo it is 6, and 10 times its frame's.
LEAST_SQUARE, TIMES_MEAN = 30.0, 40.0
EQUAL_DB = 100.0  # stands for equal samples, whose ratio is infinite
PLANES = ("Y", "Cb", "Cr")

Plane = NDArray[Any]
Planes = list[Plane]
Painted = dict[int, list[tuple[Sequence[int], str | None]]]


@dataclass(slots=True)
class PictureDifference:
    """The frame that differs most, and how much of the frames was left out."""

    psnr_db_min: float = EQUAL_DB  # of the worst plane of the worst frame
    psnr_db_mean: float = EQUAL_DB  # of luma
    worst: str = "every frame"
    local_excess: float = 0.0  # of the block that differs most: its mean square over what its frame lets one expect
    worst_block: str = "none"
    mouth_difference_max: float = 0.0  # of a cell of a painted rectangle from what was composed, in 8-bit codes
    mouth_roughness_max: float = 0.0  # of a cell of the same: how far from what was composed, over what is allowed
    worst_mouth: str = "none"
    shift_max: float = 0.0  # of the mean of a plane outside the rectangles, in 8-bit codes
    worst_shift: str = "none"
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
            painted; rect as x, y, width, height; frames as `mouth_signature` signs them, which are proved by it, and
            have rectangles of their own.
    """
    painted, num_frames = _painted(source.pts, changed), len(source.pts)
    equal = [old == new for old, new in zip(source.digests, delivered.digests, strict=True)]
    difference = PictureDifference(psnr_db=[EQUAL_DB] * num_frames, equal=equal)
    luma_db = [EQUAL_DB] * num_frames
    copies = [same and place not in painted for place, same in enumerate(equal)]
    for place, old, new, coding in _unequal(source, delivered, copies):
        pts, here = source.pts[place], painted.get(place, [])
        blank = _blank([rect for rect, _ in here], old[0].shape)
        difference.num_frames_changed += bool(here)
        difference.changed_share_max = max(difference.changed_share_max, float(blank.mean()) if here else 0.0)
        apart = [_apart(a, b, blank) for a, b in zip(old, new, strict=True)]
        difference.largest = max(difference.largest, int(apart[0].max(initial=0)))
        uncovered = [_uncovered(blank, plane.shape) for plane in old]
        ratios = [_psnr_db(plane[seen], coding) for plane, seen in zip(apart, uncovered, strict=True)]
        _note_shift(difference, old, new, uncovered, coding, pts)
        _note_blocks(difference, apart, coding, pts)
        _note_mouths(difference, new, coding, [word for _, word in here if word is not None], pts)
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


def _uncovered(blank: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The samples of a plane that no rectangle covers."""
    step_y, step_x = (-(-whole // part) for whole, part in zip(blank.shape, shape, strict=True))
    return ~blank[::step_y, ::step_x][: shape[0], : shape[1]]


def _apart(old: Plane, new: Plane, blank: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Differences of the samples of a plane; 0 where a rectangle covers them."""
    return np.abs(old.astype(np.int32) - new) * _uncovered(blank, old.shape)


def _painted(pts: Sequence[int], runs: Iterable[dict[str, Any]]) -> Painted:
    """What was painted on each frame, by its place: rectangles, each with the word that signs it.

    Where a run has no words there is none; where it has too few or too many they are empty, and like nothing.
    """
    painted: Painted = defaultdict(list)
    for run in runs:
        first, end = bisect_left(pts, run["first_pts"]), bisect_right(pts, run["last_pts"])
        words = run.get("frames", [])
        for place in range(first, end):
            word = (words[place - first] if len(words) == end - first else "") if "frames" in run else None
            painted[place].append((rect_of(word) if word else run["rect"], word))
    return painted


def _note_mouths(difference: PictureDifference, planes: Planes, coding: Coding, words: list[str], pts: int) -> None:
    """Keep the painted rectangle that differs most from what was composed."""
    for word in words:
        apart, rough = unlike(word, planes, coding)
        if max(apart, rough) > max(difference.mouth_difference_max, difference.mouth_roughness_max):
            difference.worst_mouth = f"that of the frame at pts {pts}"
        difference.mouth_difference_max = max(difference.mouth_difference_max, apart)
        difference.mouth_roughness_max = max(difference.mouth_roughness_max, rough)


def _note_shift(
    difference: PictureDifference,
    old: Planes,
    new: Planes,
    uncovered: Sequence[NDArray[np.bool_]],
    coding: Coding,
    pts: int,
) -> None:
    """Keep the plane whose mean is farthest from what it was."""
    for name, before, after, seen in zip(PLANES, old, new, uncovered, strict=False):
        moved = float(after[seen].mean() - before[seen].mean()) / (1 << (coding.bits - 8)) if seen.any() else 0.0
        if abs(moved) > abs(difference.shift_max):
            difference.shift_max, difference.worst_shift = moved, f"{name} of the frame at pts {pts}"


def _note_blocks(difference: PictureDifference, apart: Sequence[NDArray[np.int32]], coding: Coding, pts: int) -> None:
    """Keep the block that differs most from what it was, of all planes of all frames."""
    for name, plane in zip(PLANES, apart, strict=True):
        squares = np.square(plane.astype(np.float32) / np.float32(1 << (coding.bits - 8)))
        height, width = (size // BLOCK * BLOCK for size in squares.shape)
        if not height or not width:
            continue
        blocks = squares[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK).mean((1, 3))
        excess = float(blocks.max() / (LEAST_SQUARE + TIMES_MEAN * squares.mean()))
        if excess > difference.local_excess:
            row, column = (int(at) * BLOCK for at in np.unravel_index(int(blocks.argmax()), blocks.shape))
            difference.local_excess = excess
            difference.worst_block = f"{name} at {column}, {row} of the frame at pts {pts}"


def _psnr_db(difference: NDArray[np.int32], coding: Coding) -> float:
    mean_square = float(np.square(difference).mean(dtype=np.float64)) if difference.size else 0.0
    return EQUAL_DB if mean_square == 0 else 10 * math.log10(coding.max_code**2 / mean_square)
