"""Cutting a square out of a frame along an affine, without aliasing."""

from math import ceil, sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.face_frame import apply, compose, invert

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]  # [H, W, 3] RGB

BLOCKS_AROUND = 2  # for the bicubic kernel


def crop_frame(frame: Pixels, affine: Floats, size_px: int, finest: int = 2) -> Pixels:
    """The crop of [size_px, size_px, 3] that `affine` ([2, 3], film pixels to crop pixels) cuts out.

    Where the crop is smaller than what it shows, whole blocks of film pixels are averaged first, and the rest is taken
    finer and averaged: one bicubic look-up a pixel would skip film pixels and shimmer. Beyond the picture its edge is
    repeated.

    Args:
        frame: [H, W, 3] RGB.
        affine: film pixels to crop pixels.
        size_px: side of the crop.
        finest: blocks a crop pixel, at least. With 1 a large face costs a fraction, but how sharp it comes out
            depends on where it lies: that is for those who only look, and what is averaged is looked up linearly.
    """
    if block_size_px(affine, finest) > 1:
        frame, to_film = averaged(frame, affine, size_px, finest)
        affine = compose(affine, to_film)
    fineness = max(1, ceil(enlargement(affine) - 0.05))
    shift = (fineness - 1) / 2  # pixel centres lie at integers on both grids
    finer = np.array([[fineness, 0.0, shift], [0.0, fineness, shift]])
    side = size_px * fineness
    kernel = cv2.INTER_LINEAR if finest == 1 and fineness > 1 else cv2.INTER_CUBIC
    fine = cv2.warpAffine(frame, compose(finer, affine), (side, side), flags=kernel, borderMode=cv2.BORDER_REPLICATE)
    crop = fine if fineness == 1 else cv2.resize(fine, (size_px, size_px), interpolation=cv2.INTER_AREA)
    return np.asarray(crop, np.uint8)


def averaged(frame: Pixels, affine: Floats, size_px: int, finest: int = 2) -> tuple[Pixels, Floats]:
    """The part of a frame that a crop shows, each pixel the mean of a block of film pixels.

    The blocks lie in a grid from the frame's corner, so a crop that moves sees the same ones. Beyond the picture its
    edge is repeated.

    Returns:
        The part, and the [2, 3] affine from its pixels to the film's.
    """
    block_px, size = block_size_px(affine, finest), np.array(frame.shape[1::-1])
    count = -(-size // block_px)
    low, high = (shown_box(affine, size_px, finest) / block_px).round().astype(int).reshape(2, 2)
    low, high = low.clip(-BLOCKS_AROUND, count - 1), high.clip(1, count + BLOCKS_AROUND)
    start, end = low * block_px, np.maximum(high, low + 1) * block_px
    part = frame[max(0, start[1]) : end[1], max(0, start[0]) : end[0]]
    before, after = np.maximum(-start, 0), np.maximum(end - size, 0)
    if before.any() or after.any():
        part = cv2.copyMakeBorder(part, before[1], after[1], before[0], after[0], cv2.BORDER_REPLICATE)
    blocks = part.shape[1] // block_px, part.shape[0] // block_px
    middle = (start + (block_px - 1) / 2)[:, None]
    while finest == 1 and part.shape[1] > blocks[0]:
        part = cv2.resize(part, (part.shape[1] // 2, part.shape[0] // 2), interpolation=cv2.INTER_AREA)
    if part.shape[1] > blocks[0]:
        part = cv2.resize(part, blocks, interpolation=cv2.INTER_AREA)
    return part, np.hstack([block_px * np.eye(2), middle])


def shown_box(affine: Floats, size_px: int, finest: int = 2) -> Floats:
    """[4] x0 y0 x1 y1 of all film pixels that `crop_frame` looks at, whole blocks, also those beside the picture."""
    block_px = block_size_px(affine, finest)
    corners = np.array([[-1, -1], [size_px, -1], [-1, size_px], [size_px, size_px]], np.float64)
    blocks = apply(invert(affine), corners) / block_px
    low, high = np.floor(blocks.min(0) - BLOCKS_AROUND), np.ceil(blocks.max(0) + BLOCKS_AROUND)
    return np.concatenate([low, high]) * block_px


def block_size_px(affine: Floats, finest: int = 2) -> int:
    """Side of the blocks of film pixels that are averaged; 1: none are.

    With `finest` 1 a power of two: halving is many times as quick.
    """
    side = max(1, int(enlargement(affine) / finest + 0.05))
    return 1 << (side.bit_length() - 1) if finest == 1 else side


def enlargement(affine: Floats) -> float:
    """Film pixels per crop pixel: above 1 the painted crop is enlarged when it goes back into the film."""
    (a, b, _), (c, d, _) = affine.tolist()
    return float(1 / sqrt(abs(a * d - b * c)))
