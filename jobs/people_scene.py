"""Draws two people into one picture: heads cut out of stills or clips, each with its own mouth and path."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from jobs.portrait_clip import Portrait, swayed, with_mouths
from pipelines.face_crop import crop_frame
from pipelines.face_frame import apply, compose, invert

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]

WIDTH_PX, HEIGHT_PX = 1280, 720
# The head in the face frame: what lies within the ellipse is drawn, soft towards its edge.
HEAD_CENTRE, HEAD_RADII, SOFTNESS = (0.0, 0.25), (1.25, 1.65), 0.12
REACH = 1.9  # of the tile that is drawn, from the centre of the head
BLUR_PX = 40.0


class Head(Protocol):
    """Somebody's head at each frame of a shot."""

    def tile(self, index: int, affine: Floats, side_px: int) -> Pixels:
        """[side_px, side_px, 3] RGB, the face frame taken to the tile's pixels by `affine`."""
        ...


@dataclass(frozen=True, slots=True)
class StillHead:
    """A portrait whose mouth and pose are known: [F, 2] opening and width, [F, 4] turn, shift and scale."""

    portrait: Portrait
    shapes: NDArray[np.float32]
    sways: Floats

    def tile(self, index: int, affine: Floats, side_px: int) -> Pixels:
        """See `Head`."""
        to_tile = compose(affine, swayed(self.portrait.window, self.sways[index]))
        tile = crop_frame(self.portrait.picture, to_tile, side_px)
        mouth = apply(to_tile, apply(invert(self.portrait.window), self.portrait.mouth))
        opening, width = self.shapes[index : index + 1].T
        return next(with_mouths(tile[None], mouth[None], opening, width))


@dataclass(frozen=True, slots=True)
class FilmedHead:
    """A real person: frames and, of each, the affine that takes its pixels to the face frame."""

    frames: Sequence[Pixels]
    affine: Floats  # [2, 3], of the first frame: the head may move
    first: int = 0  # the frame that is shown first; the clip comes round

    def tile(self, index: int, affine: Floats, side_px: int) -> Pixels:
        """See `Head`."""
        frame = self.frames[(self.first + index) % len(self.frames)]
        return crop_frame(frame, compose(affine, self.affine), side_px)


@dataclass(frozen=True, slots=True)
class Actor:
    """A head and its path: [F, 3] x and y of the eyes' middle, and film pixels of the face frame's unit."""

    head: Head
    path: Floats


def scene_frames(background: Pixels, actors: Sequence[Actor], num_frames: int) -> Iterator[Pixels]:
    """[720, 1280, 3] RGB of each frame; the last actor stands in front."""
    for index in range(num_frames):
        picture = background.copy()
        for actor in actors:
            draw_head(picture, actor, index)
        yield picture


def draw_head(picture: Pixels, actor: Actor, index: int) -> None:
    """Lay a head over the picture."""
    x, y, unit_px = actor.path[index]
    centre = np.array([x, y]) + unit_px * np.array(HEAD_CENTRE)
    first = [floor(value - REACH * unit_px) for value in centre]
    side_px = ceil(2 * REACH * unit_px) + 1
    affine = np.array([[unit_px, 0.0, x - first[0]], [0.0, unit_px, y - first[1]]])
    tile = actor.head.tile(index, affine, side_px)
    mask = _mask(affine, side_px)
    sizes = zip(first, (WIDTH_PX, HEIGHT_PX), strict=True)
    inside = [slice(max(0, at), min(size, at + side_px)) for at, size in sizes]
    part = [slice(one.start - at, one.stop - at) for one, at in zip(inside, first, strict=True)]
    under = picture[inside[1], inside[0]].astype(np.float32)
    share = mask[part[1], part[0], None]
    laid = under + share * (tile[part[1], part[0]].astype(np.float32) - under)
    picture[inside[1], inside[0]] = laid.round().astype(np.uint8)


def background(rng: np.random.Generator) -> Pixels:
    """A room out of focus: blurred colours."""
    small = rng.uniform(30, 200, (9, 16, 3)).astype(np.float32)
    wide = cv2.resize(small, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.GaussianBlur(wide, (0, 0), BLUR_PX).clip(0, 255), np.uint8)


def _mask(affine: Floats, side_px: int) -> NDArray[np.float32]:
    """[S, S] 1 within the head, 0 beyond."""
    rows, columns = np.mgrid[:side_px, :side_px]
    at = apply(invert(affine), np.stack([columns, rows], -1).astype(np.float64))
    away = np.sqrt((((at - HEAD_CENTRE) / HEAD_RADII) ** 2).sum(-1))
    return np.asarray(((1 - away) / SOFTNESS + 0.5).clip(0, 1), np.float32)
