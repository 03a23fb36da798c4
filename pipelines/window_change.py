"""How crops and sounds are changed while training, so that nobody is remembered instead of looked at.

Source and reference of a window are changed alike in colour, shape and sharpness, and lie a little differently. All
that is random comes from the generator that is passed.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from diff2lip.config import CropConfig

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Rng = np.random.Generator

TURN_RAD, SCALE, SHEAR, SHIFT = 0.05, 0.04, 0.03, 0.02  # standard deviations, in units of the face frame
ELASTIC, ELASTIC_POINTS = 0.03, 5
MIX, GAMMA, GAIN, OFFSET, LIGHT = 0.08, 0.2, 0.1, 0.04, 0.03
STRONG_MIX_SHARE = 0.25  # of windows whose colours are mixed anew
SOFT_SHARE = 0.2  # of windows that look as if the film had fewer pixels
MOUTH_AT = (0.0, 0.75)  # turns are about the mouth
LEVEL_DB, TILT, BANDS = (-12.0, 5.0), 0.4, 1.5
DB = 0.08  # of the log-mel scale
FLOOR = (-4.5, -1.5)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeConfig:
    """How strongly; 0 of all gives crops and sounds as films yield them, which is as published."""

    picture: float = 0.0  # colour, shape and sharpness, the same for source and reference
    pose: float = 0.0  # how differently the reference lies
    sound: float = 0.0  # level, tilt, noise
    mirror: float = 0.0  # share of windows that are mirrored

    def __post_init__(self) -> None:
        if min(self.picture, self.pose, self.sound) < 0 or not 0 <= self.mirror <= 1:
            raise ValueError(f"strengths must not be negative and mirror be a share, got {self}")


@dataclass(frozen=True, slots=True)
class Looks:
    """Where the pixels of a crop look in the picture, for the frames and for the reference."""

    frames: Floats  # [S, S, 2] picture px
    reference: Floats


def draw_looks(window: CropConfig, crop: CropConfig, change: ChangeConfig, rng: Rng) -> Looks:
    """The look of one window.

    Args:
        window: what the pictures show.
        crop: what the model sees.
        change: how strongly both are changed.
        rng: of this sample.
    """
    face = _grid(crop)
    mirror = np.array([-1.0 if rng.random() < change.mirror else 1.0, 1.0], np.float32)
    shared = face + _pose(face, change.picture, rng) + _elastic(crop.size_px, change.picture, rng)
    moved = shared + _pose(face, change.pose, rng)
    return Looks(*(_pixels(look * mirror, window) for look in (shared, moved)))


def crop_grid(window: CropConfig, crop: CropConfig) -> Floats:
    """[S, S, 2] where the pixels of an unchanged crop lie in a picture that shows `window`, in px."""
    return _pixels(_grid(crop), window)


def look(picture: Pixels, place: Floats) -> Pixels:
    """[S, S, 3] the picture [P, P, 3] at places [S, S, 2]; beyond it its edge is repeated."""
    return np.asarray(cv2.remap(picture, place, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def recolour(frames: Pixels, reference: Pixels, change: ChangeConfig, rng: Rng) -> tuple[Pixels, Pixels]:
    """Frames [F, S, S, 3] and reference [S, S, 3] in other colours, the same for both; light differs a little."""
    strength = change.picture
    if not strength:
        return frames, reference
    amount = strength * (0.5 if rng.random() < STRONG_MIX_SHARE else MIX)
    mix = np.eye(3) + rng.normal(0, amount, (3, 3))
    mix /= np.maximum(mix.sum(1, keepdims=True), 0.3)
    gamma = np.exp(rng.normal(0, GAMMA * strength))
    gain, offset = np.exp(rng.normal(0, GAIN * strength, 3)), rng.normal(0, OFFSET * strength, 3)
    light, soft = np.exp(rng.normal(0, LIGHT * strength)), rng.random() < SOFT_SHARE * strength
    changed = []
    for pixels, own in ((frames, 1.0), (reference[None], light)):
        mixed = np.clip(pixels.astype(np.float32) / 255 @ mix.T.astype(np.float32), 1e-4, 1) ** np.float32(gamma)
        codes = np.rint(np.clip((mixed * gain + offset) * own, 0, 1) * 255).astype(np.uint8)
        changed.append(np.stack([_softened(one) for one in codes]) if soft else codes)
    return changed[0], changed[1][0]


def rehear(windows: Floats, change: ChangeConfig, rng: Rng) -> Floats:
    """Mel windows [W, 80, 16] in [-4, 4] at another level, in another room: the same change for all of them."""
    strength = change.sound
    if not strength:
        return windows
    level = rng.uniform(*LEVEL_DB) * DB * strength
    tilt = rng.normal(0, TILT * strength) * np.linspace(-1, 1, windows.shape[1])[:, None]
    floor = rng.uniform(*FLOOR)
    noise = floor + 0.3 * rng.standard_normal(windows.shape)
    return np.asarray((np.logaddexp((windows + level + tilt) * 3, noise * 3) / 3).clip(-4, 4), np.float32)


def _pixels(face: Floats, window: CropConfig) -> Floats:
    low, scale = np.array([window.left, window.top], np.float32), window.size_px / window.width
    return np.asarray((face - low) * np.float32(scale) - np.float32(0.5), np.float32)


def _grid(crop: CropConfig) -> Floats:
    """[S, S, 2] face-frame points of the crop's pixel centres."""
    along = (np.arange(crop.size_px, dtype=np.float32) + 0.5) / crop.size_px * crop.width
    x, y = np.meshgrid(along + crop.left, along + crop.top)
    return np.stack([x, y], -1).astype(np.float32)


def _pose(face: Floats, strength: float, rng: Rng) -> Floats:
    """[S, S, 2] by how much a random turn, scale, shear and shift about the mouth moves each point."""
    turn, shear = rng.normal(0, TURN_RAD), rng.normal(0, SHEAR)
    scale, squeeze = 1 + rng.normal(0, SCALE), 1 + rng.normal(0, SCALE)
    shift = rng.normal(0, SHIFT, 2)
    linear = scale * np.array([[np.cos(turn) * squeeze, shear - np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    about = np.array(MOUTH_AT)
    moved = (face - about) @ linear.T + about + shift
    return np.asarray(strength * (moved - face), np.float32)


def _elastic(size_px: int, strength: float, rng: Rng) -> Floats:
    """[S, S, 2] a smooth random field: another bone structure."""
    coarse = rng.normal(0, ELASTIC * rng.random(), (ELASTIC_POINTS, ELASTIC_POINTS, 2)).astype(np.float32)
    return np.asarray(strength * cv2.resize(coarse, (size_px, size_px), interpolation=cv2.INTER_CUBIC), np.float32)


def _softened(pixels: Pixels) -> Pixels:
    side = pixels.shape[0]
    small = cv2.resize(pixels, (round(0.55 * side),) * 2, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
