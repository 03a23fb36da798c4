"""The published crop: the whole box of a face, squashed to a square, and laid back hard.

Boxes are [F, 4] whole film pixels x0 y0 x1 y1, half-open.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.int64]  # [F, 4], or [4] of one frame
Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]  # [H, W, 3] RGB

SMOOTHED_FRAMES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class BoxPadding:
    """Film pixels that are added to a box; negative ones take away."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0


def whole_box(box: Floats, padding: BoxPadding, width_px: int, height_px: int) -> Boxes:
    """A detector's box in whole pixels, cut at the frame's left and top, padded, cut at the frame.

    Args:
        box: [4] x0 y0 x1 y1 of the detection, pixel centres at integers.
        padding: what is added.
        width_px: of the frame.
        height_px: of the frame.
    """
    x0, y0, x1, y1 = np.maximum(box + 0.5, 0).astype(np.int64)  # truncated, as published
    low = max(0, x0 - padding.left), max(0, y0 - padding.top)
    high = min(width_px, x1 + padding.right), min(height_px, y1 + padding.bottom)
    return np.array([*low, *high], np.int64)


def smooth_boxes(boxes: Boxes) -> Boxes:
    """Boxes [F, 4] as the published code calms them.

    Each box becomes the mean of itself and the four after it, cut to whole pixels; for the last four it is the mean
    of the last five, of which some are smoothed already. So the box leads a moving face by two frames.
    """
    calm = boxes.copy()
    for index in range(len(calm)):
        first = min(index, max(0, len(calm) - SMOOTHED_FRAMES))
        calm[index] = calm[first : first + SMOOTHED_FRAMES].mean(0).astype(np.int64)
    return calm


def voxceleb2_box(width_px: int, height_px: int) -> Boxes:
    """[4] the one box of all frames that the published code takes for VoxCeleb2, whose clips are cut to the face."""
    side = int(1.8 * width_px / 8)
    return np.array([side, 0, width_px - side, height_px - int(2.36 * height_px / 8)], np.int64)


def squash(frame: Pixels, box: Boxes, size_px: int) -> Pixels:
    """[S, S, 3] the box of a frame, bilinear, whatever its shape."""
    x0, y0, x1, y1 = box
    return np.asarray(cv2.resize(frame[y0:y1, x0:x1], (size_px, size_px), interpolation=cv2.INTER_LINEAR), np.uint8)


def lay_back(frame: Pixels, crop: Pixels, box: Boxes) -> Pixels:
    """A copy of the frame with the whole crop in its box, bilinear, with hard edges."""
    x0, y0, x1, y1 = box
    laid = frame.copy()
    laid[y0:y1, x0:x1] = cv2.resize(crop, (int(x1 - x0), int(y1 - y0)), interpolation=cv2.INTER_LINEAR)
    return laid


def painted_part(box: Boxes, mask_share: float, width_px: int, height_px: int) -> NDArray[np.float32]:
    """[H, W] where a box is painted anew: 1 below `mask_share` of its height, with a border of three pixels.

    The crop is laid with a hard edge; the border only says where the seam lies.
    """
    x0, y0, x1, y1 = box
    part = np.zeros((height_px, width_px), np.float32)
    part[y0 + round(mask_share * (y1 - y0)) : y1, x0:x1] = 1
    return np.asarray(cv2.blur(part, (3, 3), borderType=cv2.BORDER_REPLICATE), np.float32)
