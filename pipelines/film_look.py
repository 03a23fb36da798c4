"""What painted pixels take over of their film: its grain, and how sharp it is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diff2lip.config import CropConfig
from pipelines.blend import BlendConfig, to_film
from pipelines.grain import Grain, measure_grain
from pipelines.mask import Mask, MaskConfig, Rect, mask_rect, mouth_mask
from pipelines.media.coding import Coding
from pipelines.media.picture import coded_frames
from pipelines.painted_frame import Matrix, PaintedFrame, painted_frame
from pipelines.patch import window
from pipelines.row_table import FrameRows
from pipelines.sharpness import DetailLoss, sharpened
from pipelines.skin_blocks import GRAIN_FRAMES, FreeOf, skin_blocks

CORE = 0.9  # of the mask: what is painted, without its feather

Plane = NDArray[Any]
FreeAt = Callable[[int, Matrix, Rect], Mask]  # pts, affine, rectangle: 1 where nothing lies before the face
Looked = tuple[PaintedFrame, list[Plane], Coding, FreeOf]


@dataclass(frozen=True, slots=True)
class FilmLook:
    """How a film looks around one painted mouth.

    Attributes:
        grains: of each plane; none of a film that has none.
        sharpening: amount by which crops are sharpened, 0 and more.
    """

    grains: tuple[Grain, ...] = ()
    sharpening: float = 0.0


def film_look(
    film: Path, painted_uri: str, crop: CropConfig, mask: MaskConfig, blend: BlendConfig, free: FreeAt
) -> FilmLook:
    """Measured on the film in the first frames that are painted, but for what lies before the face.

    Args:
        film: as it was shot.
        painted_uri: PAINTED_FRAME rows of a track.
        crop: geometry of the crops.
        mask: what is painted.
        blend: how much of it is wanted.
        free: what of a rectangle of a frame nothing lies before.
    """
    if not blend.grain and not blend.most_sharpening:
        return FilmLook()
    skin, loss = [], DetailLoss()
    for looked in _looked_at(film, painted_uri, crop.size_px, free):
        frame, planes, coding, free_of = looked
        skin.append(skin_blocks(planes, frame.landmarks, coding, free_of))
        _see(loss, looked, crop, mask)
    grains = tuple(measure_grain(of_plane) for of_plane in zip(*skin, strict=True))
    sharpening = loss.sharpening(grains[0]) if grains else 0.0
    grainy = blend.grain and any(grain.strength for grain in grains)
    return FilmLook(grains if grainy else (), min(sharpening, blend.most_sharpening))


def _looked_at(film: Path, painted_uri: str, size_px: int, free: FreeAt) -> Iterator[Looked]:
    """The first painted frames, and the film's planes of each."""
    rows = FrameRows(painted_uri)
    first = rows.pts[:GRAIN_FRAMES]
    if not first:
        return
    for pts, planes, coding in coded_frames(film, first[0], first[-1] + 1):
        for row in rows.at(pts)[-1:]:
            frame = painted_frame(row, size_px)
            yield frame, planes, coding, partial(free, pts, frame.affine)


def _see(loss: DetailLoss, looked: Looked, crop: CropConfig, mask: MaskConfig) -> None:
    """Take in how much of the film's detail its crop has lost where the mouth is painted."""
    frame, planes, coding, free_of = looked
    rect = mask_rect(frame.affine, crop, planes[0].shape[1], planes[0].shape[0])
    if rect is None:
        return
    core = (mouth_mask(frame.landmarks, frame.affine, rect, crop, mask) > CORE) & (free_of(rect) >= 1)
    source = frame.source.astype(np.float32)
    luma, finer = (coding.yuv(to_film(one, frame.affine, rect))[..., 0] for one in (source, sharpened(source, 1)))
    loss.see(window(planes, rect, coding)[0], luma, finer, core)
