"""Where a painted mouth may change the picture: the lower face, feathered, background left alone."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from diff2lip.config import CropConfig
from pipelines.face_frame import apply, invert

Floats = NDArray[np.float64]
Mask = NDArray[np.float32]

# Contours of the 468-point face mesh.
FACE_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
CHIN = 152
SUBPIXEL_BITS = 4
FINE_PX, MAX_FINE = 256, 4  # outlines of narrower rectangles are drawn up to four times as large
EDGE_PX = 2  # empty samples kept inside a rectangle's border, so that filters at the border see no mask


@dataclass(frozen=True, kw_only=True, slots=True)
class MaskConfig:
    """Shape of the mask. Lengths in units of the face frame (the distance of the outer eye corners)."""

    top_feather: float = 0.07  # the mask starts under the nose and must be full on the upper lip
    side_feather: float = 0.12
    outline_margin: float = 0.02  # beyond the face outline: landmarks are that exact
    chin_drop: float = 0.12  # how far below the original chin an opening jaw may reach
    jaw_half_width: float = 0.6  # beside it the outline does not drop
    least_cover: float = 0.7  # from this probability on something surely is before the face; 1: nothing is looked for
    cover_margin: float = 0.01  # around it, where the film's own samples stay
    cover_feather: float = 0.035  # beyond the margin, on skin
    max_covered_share: float = 0.9  # of the mask of a face: beyond it nothing of that face is painted; 1: it always is

    def __post_init__(self) -> None:
        if not 0 < self.least_cover <= 1:
            raise ValueError(f"least_cover must be over 0 and at most 1, got {self.least_cover}")
        if not min(self.cover_margin, self.cover_feather) >= 0:
            raise ValueError(f"not negative: cover_margin {self.cover_margin}, cover_feather {self.cover_feather}")
        if not 0 < self.max_covered_share <= 1:
            raise ValueError(f"max_covered_share must be over 0 and at most 1, got {self.max_covered_share}")


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle of film pixels, all four numbers even."""

    x: int
    y: int
    width: int
    height: int


def mask_rect(affine: Floats, crop: CropConfig, width_px: int, height_px: int) -> Rect | None:
    """The smallest even rectangle of the film around the repainted part of the crop; None when it is off screen."""
    low, high = -0.5, crop.size_px - 0.5
    top = crop.mask_row - 0.5
    corners = apply(invert(affine), np.array([(low, top), (high, top), (low, high), (high, high)]))
    x0, y0 = (np.floor(corners.min(0)) - EDGE_PX).astype(int) // 2 * 2
    x1, y1 = -(-(np.ceil(corners.max(0)) + EDGE_PX + 1).astype(int) // 2) * 2
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, width_px // 2 * 2), min(y1, height_px // 2 * 2)
    return Rect(int(x0), int(y0), int(x1 - x0), int(y1 - y0)) if x1 > x0 and y1 > y0 else None


def mouth_mask(landmarks: Floats, affine: Floats, rect: Rect, crop: CropConfig, config: MaskConfig) -> Mask:
    """[height, width] of the rectangle: 1 = painted, 0 = the film's own sample, feathered between.

    Args:
        landmarks: [468, 2] face mesh in film pixels.
        affine: [2, 3] film pixels to crop pixels.
        rect: which film pixels.
        crop: geometry of the crop.
        config: shape of the mask.
    """
    unit_px = crop.size_px / crop.width / np.sqrt(abs(np.linalg.det(affine[:, :2])))  # film px per face-frame unit
    origin = np.array([rect.x, rect.y])
    oval = landmarks[list(FACE_OVAL)] - origin
    dropped = _with_open_jaw(oval, landmarks[CHIN] - origin, affine, unit_px, config)
    inside = _outline_distance([oval, dropped], rect) + config.outline_margin * unit_px
    mask = _smooth(inside / (config.side_feather * unit_px))
    return mask * _window(affine, rect, crop, config)


def _with_open_jaw(oval: Floats, chin: Floats, affine: Floats, unit_px: float, config: MaskConfig) -> Floats:
    """The outline with its chin further down, as an opening jaw takes it; beside the jaw it stays."""
    right, down = (axis / np.linalg.norm(axis) for axis in invert(affine)[:, :2].T)
    aside = (oval - chin) @ right / (config.jaw_half_width * unit_px)
    share = np.clip(1 - aside**2, 0, 1)
    return np.asarray(oval + share[:, None] * down * config.chin_drop * unit_px, np.float64)


def _window(affine: Floats, rect: Rect, crop: CropConfig, config: MaskConfig) -> Mask:
    """The repainted window of the crop: sharp nowhere, full on the upper lip."""
    columns, rows = np.meshgrid(np.arange(rect.width) + rect.x, np.arange(rect.height) + rect.y)
    u, v = np.moveaxis(apply(affine, np.stack([columns, rows], -1)), -1, 0)
    crop_px_per_unit = crop.size_px / crop.width
    top = _smooth((v - crop.mask_row + 0.5) / (config.top_feather * crop_px_per_unit))
    side = np.minimum(np.minimum(u, crop.size_px - 1 - u), crop.size_px - 1 - v)
    return top * _smooth(side / (config.side_feather * crop_px_per_unit))


def _outline_distance(polygons: list[Floats], rect: Rect) -> Floats:
    """[height, width] signed distance to the joint outline of polygons in px, positive inside.

    Small rectangles are drawn larger: the steps of a 1 px outline would crawl on a small face.
    """
    fine = max(1, min(MAX_FINE, FINE_PX // rect.width))
    filled = np.zeros((rect.height * fine, rect.width * fine), np.uint8)
    for polygon in polygons:
        centred = polygon * fine + (fine - 1) / 2
        fixed = np.round(centred * (1 << SUBPIXEL_BITS)).astype(np.int32)
        cv2.fillPoly(filled, [fixed], 1, shift=SUBPIXEL_BITS)
    inside = cv2.distanceTransform(filled, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outside = cv2.distanceTransform(1 - filled, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    signed: Floats = (np.asarray(inside, np.float64) - np.asarray(outside, np.float64)) / fine
    return np.asarray(signed.reshape(rect.height, fine, rect.width, fine).mean((1, 3)), np.float64)


def lips_mask(landmarks: Floats, size_px: int, margin_px: float) -> Mask:
    """[size, size]: 1 within the outer lips and `margin_px` around them; landmarks in the same pixels."""
    rect = Rect(0, 0, size_px, size_px)
    return _smooth((_outline_distance([landmarks[list(OUTER_LIPS)]], rect) + margin_px) / max(margin_px, 1.0))


def _smooth(ramp: Floats) -> Mask:
    """0 below 0, 1 above 1, without a kink between."""
    t = np.clip(ramp, 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)
