"""What tells a painted rectangle of a frame again: means of cells of its planes, and how rough its brightness is."""

import base64
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.mask import Rect
from pipelines.media.coding import Coding
from pipelines.patch import window

Floats = NDArray[np.float32]
Codes = NDArray[np.uint8]

CELL_SAMPLES = 8  # of a plane, each way: the less, the farther an encoder moves the mean, which is weighed so
MAX_CELLS = (8, 4, 4)  # each way, of each plane
ROUGH_CELLS = 4  # each way
PLACE = struct.Struct("<4H")  # x, y, width, height in luma samples
# At most half of this is taken by an encoder (39 dB, made pictures), a tenth of it at CRF 22.
MAX_ROUGH, MAX_ROUGH_SHARE = 8.0, 0.6  # codes between neighbours, and of what was composed


def signed(planes: Sequence[NDArray[Any]], rect: Sequence[int], coding: Coding) -> str:
    """A rectangle of a frame in a short word, base64: where it is, and what `signature` says of it.

    Args:
        planes: [H, W] of the whole frame as it was composed.
        rect: x, y, width, height in luma samples.
        coding: what the samples mean.
    """
    means, rough = signature(planes, rect, coding)
    return base64.b64encode(PLACE.pack(*rect) + means.tobytes() + rough.tobytes()).decode()


def rect_of(word: str) -> list[int]:
    """Where the rectangle is of which a word speaks: x, y, width, height."""
    return list(PLACE.unpack_from(base64.b64decode(word)))


def unlike(word: str, planes: Sequence[NDArray[Any]], coding: Coding) -> tuple[float, float]:
    """How far a frame is from what was composed.

    Returns:
        Of the cell that is farthest its mean, in 8-bit codes of any plane; and of the one that is too rough or too
        smooth how many times what is allowed. Infinite where the word says nothing, or is of another frame.
    """
    if not word:
        return float("inf"), float("inf")
    data, rect = base64.b64decode(word), rect_of(word)
    means, rough = (part.astype(np.float32) for part in signature(planes, rect, coding))
    wanted = np.frombuffer(data, np.uint8, offset=PLACE.size).astype(np.float32)
    if len(wanted) != len(means) + len(rough):
        return float("inf"), float("inf")
    composed = wanted[len(means) :] / 2
    of_means, of_rough = _weights(planes, rect, coding)
    allowed = (MAX_ROUGH + MAX_ROUGH_SHARE * composed) / of_rough
    apart = np.abs(means - wanted[: len(means)]) * of_means
    return float(apart.max()), float((np.abs(rough / 2 - composed) / allowed).max())


def signature(planes: Sequence[NDArray[Any]], rect: Sequence[int], coding: Coding) -> tuple[Codes, Codes]:
    """Means of the cells of all planes of a rectangle in 8-bit codes; mean steps between neighbours in half codes."""
    views = [_codes(view, coding) for view in window(list(planes), Rect(*rect), coding)]
    means = [_cells(view, most) for view, most in zip(views, MAX_CELLS, strict=False)]
    rough = _cells(_steps(views[0]), ROUGH_CELLS)
    return _rounded(np.concatenate(means)), _rounded(2 * rough)


def _weights(planes: Sequence[NDArray[Any]], rect: Sequence[int], coding: Coding) -> tuple[Floats, Floats]:
    """What the cells of `signature` count: 1, and of those of fewer samples less, as their mean is moved farther."""
    views = window(list(planes), Rect(*rect), coding)
    of_means = [_sizes(view.shape, most) for view, most in zip(views, MAX_CELLS, strict=False)]
    return _weight(np.concatenate(of_means)), _weight(_sizes(views[0].shape, ROUGH_CELLS))


def _weight(sizes: Floats) -> Floats:
    return np.asarray(np.minimum(1, np.sqrt(sizes) / CELL_SAMPLES), np.float32)


def _codes(view: NDArray[Any], coding: Coding) -> Floats:
    return np.asarray(view / np.float32(1 << (coding.bits - 8)), np.float32)


def _steps(luma: Floats) -> Floats:
    """[H, W] how far each sample is from its neighbours to the right and below."""
    across = np.abs(np.diff(luma, axis=1, append=luma[:, -1:]))
    return np.asarray(across + np.abs(np.diff(luma, axis=0, append=luma[-1:])), np.float32)


def _cells(plane: Floats, most: int) -> Floats:
    rows, columns = (_edges(size, most) for size in plane.shape)
    sums = np.add.reduceat(np.add.reduceat(plane, rows, axis=0), columns, axis=1)
    return np.asarray(sums.ravel() / _sizes(plane.shape, most), np.float32)


def _sizes(shape: tuple[int, ...], most: int) -> Floats:
    """How many samples each cell of a plane has."""
    rows, columns = (_edges(size, most) for size in shape)
    sizes = np.outer(np.diff(rows, append=shape[0]), np.diff(columns, append=shape[1]))
    return np.asarray(sizes, np.float32).ravel()


def _edges(size: int, most: int) -> NDArray[np.intp]:
    num_cells = min(max(size // CELL_SAMPLES, 1), most)
    return (np.arange(num_cells) * size // num_cells).astype(np.intp)


def _rounded(values: Floats) -> Codes:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)
