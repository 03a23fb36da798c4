"""What painted pixels take over of their film: its grain, and how sharp it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diff2lip.config import CropConfig
from pipelines.blend import BlendConfig, to_film
from pipelines.grain import Grain, measure_grain
from pipelines.mask import MaskConfig, mask_rect, mouth_mask
from pipelines.media.coding import Coding
from pipelines.media.picture import coded_frames
from pipelines.painted_frame import PaintedFrame, painted_frame
from pipelines.patch import window
from pipelines.row_table import FrameRows
from pipelines.sharpness import DetailLoss, sharpened
from pipelines.skin_blocks import GRAIN_FRAMES, skin_blocks

CORE = 0.9  # of the mask: what is painted, without its feather

Plane = NDArray[Any]
Looked = tuple[PaintedFrame, list[Plane], Coding]


@dataclass(frozen=True, slots=True)
class FilmLook:
    """How a film looks around one painted mouth.

    Attributes:
        grains: of each plane; none of a film that has none.
        sharpening: amount by which crops are sharpened, 0 and more.
    """

    grains: tuple[Grain, ...] = ()
    sharpening: float = 0.0


def film_look(film: Path, painted_uri: str, crop: CropConfig, mask: MaskConfig, blend: BlendConfig) -> FilmLook:
    """Measured on the film in the first frames that are painted.

    Args:
        film: as it was shot.
        painted_uri: PAINTED_FRAME rows of a track.
        crop: geometry of the crops.
        mask: what is painted.
        blend: how much of it is wanted.
    """
    if not blend.grain and not blend.most_sharpening:
        return FilmLook()
    skin, loss = [], DetailLoss()
    for frame, planes, coding in _looked_at(film, painted_uri, crop.size_px):
        skin.append(skin_blocks(planes, frame.landmarks, coding))
        _see(loss, frame, planes, coding, crop, mask)
    grains = tuple(measure_grain(of_plane) for of_plane in zip(*skin, strict=True))
    sharpening = loss.sharpening(grains[0]) if grains else 0.0
    grainy = blend.grain and any(grain.strength for grain in grains)
    return FilmLook(grains if grainy else (), min(sharpening, blend.most_sharpening))


def _looked_at(film: Path, painted_uri: str, size_px: int) -> Iterator[Looked]:
    """The first painted frames, and the film's planes of each."""
    rows = FrameRows(painted_uri)
    first = rows.pts[:GRAIN_FRAMES]
    if not first:
        return
    for pts, planes, coding in coded_frames(film, first[0], first[-1] + 1):
        for row in rows.at(pts)[-1:]:
            yield painted_frame(row, size_px), planes, coding


def _see(
    loss: DetailLoss, frame: PaintedFrame, planes: list[Plane], coding: Coding, crop: CropConfig, mask: MaskConfig
) -> None:
    """Take in how much of the film's detail its crop has lost where the mouth is painted."""
    rect = mask_rect(frame.affine, crop, planes[0].shape[1], planes[0].shape[0])
    if rect is None:
        return
    core = mouth_mask(frame.landmarks, frame.affine, rect, crop, mask) > CORE
    source = frame.source.astype(np.float32)
    luma, finer = (coding.yuv(to_film(one, frame.affine, rect))[..., 0] for one in (source, sharpened(source, 1)))
    loss.see(window(planes, rect, coding)[0], luma, finer, core)
