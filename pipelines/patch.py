"""A changed rectangle of one frame, on the film's own planes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.mask import Rect
from pipelines.media.coding import Coding
from pipelines.stage import Row

Plane = NDArray[Any]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Patch:
    """New samples of a rectangle, and which luma samples they may change."""

    pts: int
    track_index: int
    rect: Rect
    planes: list[Plane]
    mask: Bools  # [height, width] on the luma grid

    def row(self) -> Row:
        """As a row of PATCH."""
        return {
            "pts": self.pts,
            "track_index": self.track_index,
            "x": self.rect.x,
            "y": self.rect.y,
            "width": self.rect.width,
            "height": self.rect.height,
            "planes": [plane.tobytes() for plane in self.planes],
            "mask": self.mask.astype(np.uint8).tobytes(),
        }


def patch_of(row: Row, coding: Coding) -> Patch:
    """A row of PATCH read back."""
    rect = Rect(row["x"], row["y"], row["width"], row["height"])
    dtype = np.uint8 if coding.bits <= 8 else np.uint16
    shapes = [shape_of(rect, coding, index) for index in range(len(row["planes"]))]
    planes = [np.frombuffer(data, dtype).reshape(shape) for data, shape in zip(row["planes"], shapes, strict=True)]
    mask = np.frombuffer(row["mask"], np.uint8).reshape(rect.height, rect.width) > 0
    return Patch(row["pts"], row["track_index"], rect, planes, mask)


def shape_of(rect: Rect, coding: Coding, plane_index: int) -> tuple[int, int]:
    """[H, W] of a plane's part of a rectangle."""
    return (
        (rect.height, rect.width)
        if plane_index == 0
        else (
            rect.height // coding.chroma_y,
            rect.width // coding.chroma_x,
        )
    )


def corner_of(rect: Rect, coding: Coding, plane_index: int) -> tuple[int, int]:
    """Row and column of a plane at which a rectangle begins."""
    return (rect.y, rect.x) if plane_index == 0 else (rect.y // coding.chroma_y, rect.x // coding.chroma_x)


def window(planes: list[Plane], rect: Rect, coding: Coding) -> list[Plane]:
    """Views of the planes' parts of a rectangle."""
    views = []
    for index, plane in enumerate(planes):
        height, width = shape_of(rect, coding, index)
        y, x = corner_of(rect, coding, index)
        views.append(plane[y : y + height, x : x + width])
    return views


def chroma_blocks(mask: Bools, coding: Coding) -> Bools:
    """[H, W] luma mask on the chroma grid: true where any luma sample of the block is."""
    height, width = mask.shape
    blocks = mask.reshape(height // coding.chroma_y, coding.chroma_y, width // coding.chroma_x, coding.chroma_x)
    return np.asarray(blocks.any((1, 3)))


def lay(patch: Patch, planes: list[Plane], coding: Coding) -> None:
    """Put a patch into copies of a frame's planes; only masked samples are written."""
    chroma = chroma_blocks(patch.mask, coding)
    for index, (view, fresh) in enumerate(zip(window(planes, patch.rect, coding), patch.planes, strict=True)):
        mask = patch.mask if index == 0 else chroma
        view[mask] = fresh[mask]
