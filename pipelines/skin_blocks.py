"""Small blocks of the skin above a mouth: what the grain of a film is measured on."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.grain import BLOCK, Blocks
from pipelines.mask import FACE_OVAL, SUBPIXEL_BITS, Mask, Rect
from pipelines.media.coding import Coding

UNDER_NOSE = 2  # of the 468 landmarks
EYE_CORNERS, MOUTH_CORNERS = (33, 263), (61, 291)
LIKE_SKIN = 24  # 8-bit codes by which a block may differ from the middle one: hair and shadow have grain of their own
GRAIN_FRAMES = 24  # on which the grain of a shot is measured
MOST_BLOCKS = 100  # of one frame

Floats = NDArray[np.float64]
Plane = NDArray[Any]
FreeOf = Callable[[Rect], Mask]  # of a rectangle of the frame, 1 where nothing lies before the face


def all_free(rect: Rect) -> Mask:
    """Of a face with nothing before it."""
    return np.ones((rect.height, rect.width), np.float32)


def skin_blocks(planes: list[Plane], landmarks: Floats, coding: Coding, free_of: FreeOf = all_free) -> list[Blocks]:
    """Blocks [B, 8, 8] of each plane, within the outline of a face and above its mouth however the head is turned.

    Without those that are clipped, that something lies before, and those much darker or brighter than most; at most a
    hundred.

    Args:
        planes: Y, Cb, Cr of the whole frame.
        landmarks: [468, 2] in film px.
        coding: how the film writes colours.
        free_of: what of it nothing lies before.
    """
    return [_of_plane(plane, index, landmarks, coding, free_of) for index, plane in enumerate(planes)]


def _of_plane(plane: Plane, index: int, landmarks: Floats, coding: Coding, free_of: FreeOf) -> Blocks:
    shrink = np.array([1, 1] if index == 0 else [coding.chroma_x, coding.chroma_y])
    points = landmarks / shrink
    low = np.maximum(np.floor(points.min(0) / BLOCK), 0).astype(int)
    high = np.minimum(np.ceil(points.max(0) / BLOCK).astype(int), np.array(plane.shape[1::-1]) // BLOCK)
    if (high <= low).any():
        return np.zeros((0, BLOCK, BLOCK), plane.dtype)
    count = high - low
    (left, top), (right, bottom) = low * BLOCK, high * BLOCK
    cut = plane[top:bottom, left:right].reshape(count[1], BLOCK, count[0], BLOCK)
    blocks = cut.swapaxes(1, 2).reshape(-1, BLOCK, BLOCK)
    usable = _above_mouth(points / BLOCK - low, count) & _free_blocks(low, count, BLOCK * shrink, free_of)
    return _like_skin(blocks[usable.ravel()], index, coding)


def _free_blocks(
    low: NDArray[np.int64], count: NDArray[np.int64], block_px: NDArray[np.int64], free_of: FreeOf
) -> NDArray[np.bool_]:
    """[rows, columns] which blocks nothing lies before.

    Args:
        low: column and row of the first.
        count: columns and rows.
        block_px: width and height of one, in film px.
        free_of: what nothing lies before.
    """
    (columns, rows), (width, height) = count.tolist(), block_px.tolist()
    x, y = (low * block_px).tolist()
    free = free_of(Rect(x, y, columns * width, rows * height))
    return np.asarray(free.reshape(rows, height, columns, width).min((1, 3)) >= 1)


def _above_mouth(points: Floats, count: NDArray[np.int64]) -> NDArray[np.bool_]:
    """[rows, columns] which blocks lie within the outline of a face, further up than under the nose by a block.

    Args:
        points: [468, 2] landmarks, in blocks from the corner of the first.
        count: columns and rows.
    """
    within = np.zeros(count[::-1], np.uint8)
    outline = ((points[list(FACE_OVAL)] - 0.5) * (1 << SUBPIXEL_BITS)).round().astype(np.int32)
    cv2.fillPoly(within, [outline], 1, shift=SUBPIXEL_BITS)
    down = points[list(MOUTH_CORNERS)].mean(0) - points[list(EYE_CORNERS)].mean(0)
    centres = np.stack(np.meshgrid(*(np.arange(size) + 0.5 for size in count)), -1)
    below = (centres - points[UNDER_NOSE]) @ (down / max(float(np.linalg.norm(down)), 1e-6))
    return np.asarray((within > 0) & (below < -1))


def _like_skin(blocks: Blocks, index: int, coding: Coding) -> Blocks:
    lowest = 0 if coding.full_range else 16 << (coding.bits - 8)
    scale = coding.luma_scale if index == 0 else coding.chroma_scale
    whole: Blocks = blocks[(blocks.min((1, 2)) > lowest) & (blocks.max((1, 2)) < lowest + scale)]
    if not len(whole):
        return whole
    levels = whole.mean((1, 2))
    alike = whole[np.abs(levels - np.median(levels)) <= LIKE_SKIN << (coding.bits - 8)]
    return np.asarray(alike[:: max(1, -(-len(alike) // MOST_BLOCKS))])
