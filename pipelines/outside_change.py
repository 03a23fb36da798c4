"""Samples of a painted frame that differ from the film where nothing is to change: off the masks, far from faces."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.media.coding import Coding
from pipelines.patch import Patch, Plane

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def outside_change(
    filmed: Sequence[Plane],
    painted: Sequence[Plane],
    patches: Sequence[Patch],
    boxes: Sequence[Floats],
    coding: Coding,
) -> int:
    """How many samples of all planes differ although they lie off the masks, or beyond the boxes.

    Args:
        filmed: Y, Cb, Cr of a frame.
        painted: the same, as it will be encoded.
        patches: that were laid on it; a chroma sample is masked where one of its luma samples is.
        boxes: [4] x0 y0 x1 y1 in film px, that of each face with what a mouth may reach.
        coding: how the film writes colours.
    """
    height, width = filmed[0].shape
    masked, near = np.zeros((height, width), bool), np.zeros((height, width), bool)
    for patch in patches:
        rect = patch.rect
        masked[rect.y : rect.y + rect.height, rect.x : rect.x + rect.width] |= patch.mask
    for x0, y0, x1, y1 in (box.round().astype(int).clip(0) for box in boxes):
        near[y0:y1, x0:x1] = True
    return sum(
        _changed(old, new, masked & near, *((1, 1) if plane == 0 else (coding.chroma_y, coding.chroma_x)))
        for plane, (old, new) in enumerate(zip(filmed, painted, strict=True))
    )


def _changed(old: Plane, new: Plane, allowed: Bools, step_y: int, step_x: int) -> int:
    """Samples of a plane that differ where no luma sample of theirs is allowed to."""
    rows, columns = np.nonzero(old != new)
    inside = np.zeros(len(rows), bool)
    for y in range(step_y):
        for x in range(step_x):
            at = (
                (rows * step_y + y).clip(None, len(allowed) - 1),
                (columns * step_x + x).clip(None, allowed.shape[1] - 1),
            )
            inside |= allowed[at]
    return int(np.count_nonzero(~inside))
