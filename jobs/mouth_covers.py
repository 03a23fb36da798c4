"""Things drawn before a mouth, to fit and try what notices them: hands, microphones, other things, and titles.

A hand has a palm and fingers side by side, of the face's own skin, shaded like cylinders, and throws a shadow; a
microphone is a dark ball on a rod; other things have any shape and the texture of another picture. All sizes are in
units of the face frame (the distance of the outer eye corners).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]  # [S, S, 3] RGB
Floats = NDArray[np.floating[Any]]
Rng = np.random.Generator

FINE = 2  # drawn so many times larger: edges become smooth
FINGERS, FINGER_WIDTH, FINGER_LENGTH = (2, 5), (0.15, 0.26), (0.6, 1.1)
PALM = (0.35, 0.6)
BALL, ROD = (0.18, 0.45), (0.35, 0.8)
EDGE_SHADE = (0.5, 0.85)  # of a finger, beside its middle
SHADOW, SHADOW_BLUR = (0.0, 0.45), (0.03, 0.12)
FONT_FOLDER = Path("mpl-data/fonts/ttf")
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf", "DejaVuSansMono-Bold.ttf", "cmss10.ttf")
LETTERS = "etaoinshrdlcumwfgypbvkETAOINSHRDLC,.?!-' "
TITLE_COLOURS = ((255, 255, 255), (240, 240, 230), (255, 230, 60), (250, 250, 120), (200, 200, 200), (120, 220, 255))


@dataclass(frozen=True, slots=True)
class Covered:
    """A picture with something before it.

    Attributes:
        picture: [S, S, 3] RGB.
        hidden: [S, S] how much of each pixel is hidden, 0..1.
    """

    picture: Pixels
    hidden: Floats


def draw_hand(picture: Pixels, unit_px: float, at: tuple[float, float], rng: Rng) -> Covered:
    """A hand whose fingers reach a place.

    Args:
        picture: the face.
        unit_px: the face frame's unit in it.
        at: x and y in px where the middle finger's tip lies.
        rng: how large it is, whence it comes, and its light.
    """
    size, unit = picture.shape[0] * FINE, unit_px * FINE
    skin = _skin(picture, rng)
    toward = (
        rng.uniform(0, 2 * np.pi) if rng.random() < 0.3 else np.pi / 2 + rng.uniform(-1.2, 1.2)
    )  # mostly from below
    tip = np.array(at) * FINE
    shade, hidden = np.zeros((size, size), np.float32), np.zeros((size, size), np.float32)
    width = rng.uniform(*FINGER_WIDTH) * unit
    count = int(rng.integers(FINGERS[0], FINGERS[1] + 1))
    across = np.array([-np.sin(toward), np.cos(toward)])
    along = np.array([np.cos(toward), np.sin(toward)])
    edge = rng.uniform(*EDGE_SHADE)
    length = rng.uniform(*FINGER_LENGTH) * unit
    palm = (
        tip
        + along * (length + rng.uniform(0.1, 0.3) * unit)
        + across * (count - 1) / 2 * width * rng.uniform(-0.5, 0.5)
    )
    _disc(shade, hidden, palm, np.array(rng.uniform(*PALM, 2)) * unit, toward, edge)
    _capsule(shade, hidden, palm, palm + along * 3 * unit, rng.uniform(0.5, 0.8) * unit, edge)  # the wrist
    for finger in rng.permutation(count):
        aside = (finger - (count - 1) / 2) * width * rng.uniform(0.9, 1.15)
        short = rng.uniform(0, 0.35) * unit * abs(finger - (count - 1) / 2) / max(1, count - 1) * 2
        bent = across * rng.normal(0, 0.12) * unit
        _capsule(shade, hidden, tip + across * aside + along * short + bent, palm + across * aside * 0.8, width, edge)
    light = 1 + rng.normal(0, 0.08) * _smooth_noise(size, rng)
    colour = skin[None, None] * (shade * light)[..., None]
    return _laid_over(picture, colour, hidden, rng)


def draw_microphone(picture: Pixels, unit_px: float, at: tuple[float, float], rng: Rng) -> Covered:
    """A microphone whose ball lies at a place; its rod comes from below or aside."""
    size, unit = picture.shape[0] * FINE, unit_px * FINE
    shade, hidden = np.zeros((size, size), np.float32), np.zeros((size, size), np.float32)
    centre, radius = np.array(at) * FINE, rng.uniform(*BALL) * unit
    toward = np.pi / 2 + rng.uniform(-1.3, 1.3)
    along = np.array([np.cos(toward), np.sin(toward)])
    _capsule(shade, hidden, centre, centre + along * 4 * unit, 2 * radius * rng.uniform(*ROD), rng.uniform(0.3, 0.8))
    _disc(shade, hidden, centre, np.array([radius, radius * rng.uniform(0.8, 1.3)]), toward, rng.uniform(0.3, 0.8))
    rows, columns = np.mgrid[:size, :size]
    pitch = max(2.0, rng.uniform(0.02, 0.06) * unit)
    mesh = 1 + rng.uniform(0, 0.5) * np.sign(np.sin(columns / pitch * np.pi) * np.sin(rows / pitch * np.pi))
    base = rng.uniform(8, 90) if rng.random() < 0.8 else rng.uniform(90, 230)
    tint = 1 + rng.normal(0, 0.06, 3) if rng.random() < 0.8 else rng.uniform(0.2, 1.6, 3)
    glint = np.exp(
        -(((columns - centre[0] + 0.4 * radius) ** 2 + (rows - centre[1] + 0.4 * radius) ** 2) / (0.3 * radius) ** 2)
    )
    colour = (base * shade * mesh + rng.uniform(0, 120) * glint)[..., None] * tint
    return _laid_over(picture, colour, hidden, rng)


def draw_thing(picture: Pixels, unit_px: float, at: tuple[float, float], rng: Rng, texture: Pixels) -> Covered:
    """Something of any shape with the texture of another picture, or of one colour."""
    size, unit = picture.shape[0] * FINE, unit_px * FINE
    corners = int(rng.integers(3, 9))
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    reach = rng.uniform(0.15, 0.75, corners) * unit
    outline = np.array(at) * FINE + np.stack([np.cos(angles), np.sin(angles)], 1) * reach[:, None]
    hidden = np.zeros((size, size), np.float32)
    cv2.fillPoly(hidden, [outline.astype(np.int32)], 1.0)
    if rng.random() < 0.5:
        hidden = (cv2.GaussianBlur(hidden, (0, 0), 0.08 * unit) > 0.5).astype(np.float32)
    if rng.random() < 0.5:
        turned = np.ascontiguousarray(np.rot90(texture, int(rng.integers(4))))
        colour = cv2.resize(turned, (size, size), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    else:
        light = 1 + rng.normal(0, 0.2) * _smooth_noise(size, rng)
        colour = rng.uniform(0, 255, 3)[None, None] * light[..., None]
    return _laid_over(picture, colour, hidden, rng)


def draw_title(picture: Pixels, unit_px: float, at: tuple[float, float], rng: Rng) -> Covered:
    """One or two lines of letters, as burnt into a film; hidden is where they and their outlines are."""
    from matplotlib import get_data_path

    size, unit = picture.shape[0] * FINE, unit_px * FINE
    font_px = max(6, int(rng.uniform(0.16, 0.5) * unit))
    font = ImageFont.truetype(str(Path(get_data_path()) / "fonts/ttf" / str(rng.choice(FONTS))), font_px)
    words = ["".join(rng.choice(list(LETTERS), 60)) for _ in range(int(rng.integers(1, 3)))]
    fill, ink = Image.new("L", (size, size)), Image.new("L", (size, size))
    outline = int(rng.integers(0, max(2, font_px // 7)))
    start = (-rng.uniform(0, 1) * size, at[1] * FINE - font_px / 2)
    ImageDraw.Draw(fill).multiline_text(start, "\n".join(words), 255, font)
    ImageDraw.Draw(ink).multiline_text(start, "\n".join(words), 255, font, stroke_width=outline)
    inside, whole = (np.asarray(layer, np.float32) / 255 for layer in (fill, ink))
    colour = inside[..., None] * np.array(TITLE_COLOURS[rng.integers(len(TITLE_COLOURS))], np.float32)
    return _laid_over(picture, colour, whole, None)


def _skin(picture: Pixels, rng: Rng) -> Floats:
    """[3] the face's own skin in a little other light: the middle of its brighter pixels beside the mouth."""
    side = picture.shape[0]
    cheek = picture[side // 8 : side // 3, side // 4 : -side // 4].reshape(-1, 3).astype(np.float32)
    bright = cheek[cheek.sum(1) >= np.median(cheek.sum(1))]
    return np.asarray(np.median(bright, 0) * rng.uniform(0.8, 1.2) * (1 + rng.normal(0, 0.025, 3)), np.float32)


def _capsule(shade: Floats, hidden: Floats, one: Floats, other: Floats, width: float, edge: float) -> None:
    """Draw a rod with round ends, darker at its sides."""
    rows, columns = np.mgrid[: shade.shape[0], : shade.shape[1]].astype(np.float32)
    axis = other - one
    share = ((columns - one[0]) * axis[0] + (rows - one[1]) * axis[1]) / max(float(axis @ axis), 1e-6)
    share = share.clip(0, 1)
    away = np.hypot(columns - one[0] - share * axis[0], rows - one[1] - share * axis[1]) / (width / 2)
    _add(shade, hidden, away, edge)


def _disc(shade: Floats, hidden: Floats, centre: Floats, radii: Floats, turned: float, edge: float) -> None:
    """Draw an ellipse, darker at its edge."""
    rows, columns = np.mgrid[: shade.shape[0], : shade.shape[1]].astype(np.float32)
    x, y = columns - centre[0], rows - centre[1]
    along, across = x * np.cos(turned) + y * np.sin(turned), -x * np.sin(turned) + y * np.cos(turned)
    _add(shade, hidden, np.hypot(along / radii[0], across / radii[1]), edge)


def _add(shade: Floats, hidden: Floats, away: Floats, edge: float) -> None:
    inside = away < 1
    shade[inside] = 1 - (1 - edge) * away[inside] ** 3
    hidden[inside] = 1


def _smooth_noise(size: int, rng: Rng) -> Floats:
    """[size, size] light that changes slowly, about -1..1."""
    coarse = rng.normal(size=(5, 5)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)


def _laid_over(picture: Pixels, colour: Floats, hidden: Floats, shadow: Rng | None) -> Covered:
    """The picture under what was drawn, which throws a shadow unless `shadow` is None."""
    side = picture.shape[0]
    # What is seen of the thing in each pixel, averaged over finer ones: nothing beside the thing counts.
    own = cv2.resize(
        (colour.clip(0, 255) * hidden[..., None]).astype(np.float32), (side, side), interpolation=cv2.INTER_AREA
    )
    share = cv2.resize(hidden, (side, side), interpolation=cv2.INTER_AREA)
    below = picture.astype(np.float32)
    if shadow is not None:
        thrown = cv2.GaussianBlur(share, (0, 0), shadow.uniform(*SHADOW_BLUR) * side)
        below = below * (1 - shadow.uniform(*SHADOW) * thrown[..., None])
    whole = below * (1 - share[..., None]) + own
    return Covered(np.asarray(whole.clip(0, 255).round(), np.uint8), share)
