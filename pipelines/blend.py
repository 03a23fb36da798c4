"""A painted crop into the film's own planes: pure functions of arrays.

    out = src + m * ((1 - C) * B(P - S) + C * (P - src)) + sqrt(m C (2 - m C)) * G,    m = w * M

P and S are the painted and the source crop resampled to film pixels, in the film's own codes; M is the mask and
w the frame's weight. Where little changed (C = 0) only the *difference* is added, so the film's detail stays; it is
blurred by B, for S has the film's grain, and taking it away would leave the skin clean. Where much changed, on lips
and in the mouth (C = 1), the painted samples replace the film's: there the film's detail is that of the old lips. What
is left of the film's grain is (1 - m C) of it; G, more of the same grain, makes up for the rest. When painted and
source crop are equal nothing changes at all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from diff2lip.config import CropConfig
from pipelines.face_frame import apply
from pipelines.mask import Mask, MaskConfig, Rect, lips_mask, mouth_mask
from pipelines.media.coding import Coding
from pipelines.painted_frame import PaintedFrame

Floats = NDArray[np.float32]
Matrix = NDArray[np.float64]
Plane = NDArray[Any]


RING = (0.02, 0.9)  # values of the mask that make the feather ring
MIN_RING_PX = 20
CHANGE_SIGMA_PX = 2.0  # film px: a difference of light and shape is coarser, grain is finer


@dataclass(frozen=True, kw_only=True, slots=True)
class BlendConfig:
    """Where the painted pixels replace the film's instead of changing them. Thresholds in 8-bit codes."""

    skin_change: tuple[float, float] = (10.0, 30.0)  # smoothed change at which skin begins to be / is replaced
    lip_change: tuple[float, float] = (2.0, 8.0)  # the same within the lips, where old detail shows at once
    change_sigma: float = 0.03  # smoothing of the change, face-frame units
    lip_margin: float = 0.06  # around the outer lips, face-frame units
    max_offset: float = 12.0  # bound of the colour match
    grain: float = 1.0  # of the film's, drawn where painted pixels replace it; 0 leaves them clean
    most_sharpening: float = 1.0  # of crops, by which they get the film's own detail back; 0 leaves them soft

    def __post_init__(self) -> None:
        if min(self.grain, self.most_sharpening) < 0:
            raise ValueError(f"not negative: grain {self.grain}, most_sharpening {self.most_sharpening}")


def colour_offset(
    frames: Iterable[tuple[PaintedFrame, Mask]], crop: CropConfig, mask: MaskConfig, blend: BlendConfig
) -> Floats:
    """[3] what to add to the painted crops of a shot so that they meet the source in the feather ring.

    The median over frames of the median difference in the ring. Solved once a shot: a match per frame is itself
    a flicker. Medians of small differences only: where a jaw now covers what was background, the difference is
    a movement and says nothing about colour. Nor does what lies before the face.

    Args:
        frames: each with what of its crop is free, [S, S]: 1 where nothing lies before the face.
        crop: geometry of the crops.
        mask: shape of the mask.
        blend: bound of the match.
    """
    whole = Rect(0, 0, crop.size_px, crop.size_px)
    identity = np.eye(2, 3)
    offsets = []
    for frame, free in frames:
        m = mouth_mask(apply(frame.affine, frame.landmarks), identity, whole, crop, mask)
        change = frame.source.astype(np.float32) - frame.painted
        ring = (m > RING[0]) & (m < RING[1]) & (free >= 1) & (np.abs(change).max(-1) < 2 * blend.max_offset)
        if ring.sum() >= MIN_RING_PX:
            offsets.append(np.median(change[ring], 0))
    if not offsets:
        return np.zeros(3, np.float32)
    offset = np.median(np.stack(offsets), 0)
    return np.asarray(np.clip(offset, -blend.max_offset, blend.max_offset), np.float32)


def replacement(source: Floats, painted: Floats, landmarks: Matrix, crop: CropConfig, blend: BlendConfig) -> Floats:
    """C in crop pixels, [S, S]: how far painted pixels replace the film's. 0 where nothing changed.

    Args:
        source: [S, S, 3] source crop.
        painted: [S, S, 3] painted crop.
        landmarks: [468, 2] in crop pixels.
        crop: geometry of the crop.
        blend: thresholds.
    """
    px_per_unit = crop.size_px / crop.width
    change = np.abs(painted - source).max(-1)
    change = cv2.GaussianBlur(change, (0, 0), max(blend.change_sigma * px_per_unit, 0.5))
    lips = lips_mask(landmarks, crop.size_px, blend.lip_margin * px_per_unit)
    skin, lip = _ramp(change, *blend.skin_change), _ramp(change, *blend.lip_change)
    return skin + lips * (lip - skin)


def to_film(crop_image: Floats, affine: Matrix, rect: Rect) -> Floats:
    """A crop-sized image resampled to the rectangle's film pixels, Lanczos; prefiltered where it shrinks."""
    shift = affine.copy()
    shift[:, 2] += affine[:, :2] @ (rect.x, rect.y)
    shrink = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))  # crop px per film px
    if shrink > 1:
        crop_image = cv2.GaussianBlur(crop_image, (0, 0), 0.5 * np.sqrt(shrink**2 - 1) + 1e-3)
    flags = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(crop_image, shift, (rect.width, rect.height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.float32)


def blend_planes(
    planes: list[Plane],
    source: Floats,
    painted: Floats,
    replace: Floats,
    mask: Floats,
    coding: Coding,
    grain: Sequence[Floats] = (),
) -> list[Plane]:
    """The rectangle's planes with the painted mouth; where the mask is 0 every sample is equal to the source.

    Args:
        planes: Y, Cb, Cr of the rectangle, native codes.
        source: [H, W, 3] S, RGB in film pixels.
        painted: [H, W, 3] P.
        replace: [H, W] C.
        mask: [H, W] M * w.
        coding: how the film writes colours.
        grain: G of each plane, [its height, its width]; none where the film has none.
    """
    s, p = coding.yuv(source), coding.yuv(painted)
    blended = []
    for index, plane in enumerate(planes):
        change = cv2.GaussianBlur(p[..., index] - s[..., index], (0, 0), CHANGE_SIGMA_PX)
        grids = [_grid(values, index, coding) for values in (change, p[..., index], replace, mask)]
        blended.append(_blend(plane, grids, grain[index] if grain else None, coding.max_code))
    return blended


def _grid(values: Floats, plane_index: int, coding: Coding) -> Floats:
    return values if plane_index == 0 else coding.at_chroma(values)


def _blend(plane: Plane, grids: list[Floats], grain: Floats | None, max_code: int) -> Plane:
    change, p, c, m = grids
    src = plane.astype(np.float32)
    out = src + m * ((1 - c) * change + c * (p - src))
    if grain is not None:
        out += np.sqrt((m * c * (2 - m * c)).clip(0, 1)) * grain
    return np.clip(np.rint(out), 0, max_code).astype(plane.dtype)


def _ramp(values: Floats, low: float, high: float) -> Floats:
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
