"""Parts of a frame as RGB: where a few faces are wanted, the rest of the picture need not be converted."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from pipelines.media.picture import coding_of, to_rgb

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]

GRID_PX = 8  # a whole number of chroma samples
AROUND_PX = 8  # what chroma is interpolated from, converted with a part and not shown
EDGE_PX = 32  # of the picture's edge, for boxes beside it: blocks that a crop averages


@dataclass(frozen=True, slots=True)
class Part:
    """A rectangle of film pixels."""

    left: int
    top: int
    right: int  # exclusive
    bottom: int  # exclusive


def part_around(box: Floats, width_px: int, height_px: int) -> Part:
    """The part that holds all of a box [4] x0 y0 x1 y1 which lies in the picture.

    Of a box beside the picture it is the picture's nearest edge, which crops repeat.
    """
    size = np.array([width_px, height_px])
    furthest = ((size - EDGE_PX) // GRID_PX * GRID_PX).clip(0)
    low = (np.floor(box[:2] / GRID_PX) * GRID_PX).clip(0, furthest)
    high = (np.ceil(box[2:] / GRID_PX) * GRID_PX).clip(np.minimum(low + EDGE_PX, size), size)
    return Part(*low.astype(int).tolist(), *high.astype(int).tolist())


def parts_as_rgb(frame: VideoFrame, parts: Sequence[Part]) -> Bytes:
    """The frame as `to_rgb` gives it within its parts, and black elsewhere: [H, W, 3]."""
    picture, coding = np.zeros((frame.height, frame.width, 3), np.uint8), coding_of(frame)
    for part in parts:
        around = Part(
            max(0, part.left - AROUND_PX),
            max(0, part.top - AROUND_PX),
            min(frame.width, part.right + AROUND_PX),
            min(frame.height, part.bottom + AROUND_PX),
        )
        rgb = to_rgb(_cut_out(frame, around), coding=coding)
        picture[part.top : part.bottom, part.left : part.right] = rgb[
            part.top - around.top : part.bottom - around.top, part.left - around.left : part.right - around.left
        ]
    return picture


def _cut_out(frame: VideoFrame, part: Part) -> VideoFrame:
    """A frame of the part's samples alone, with the tags of the whole; the samples are the decoder's own."""
    graph = Graph()
    place = f"{part.right - part.left}:{part.bottom - part.top}:{part.left}:{part.top}:exact=1"
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1))
    crop, sink = graph.add("crop", place), graph.add("buffersink")
    source.link_to(crop)
    crop.link_to(sink)
    graph.configure()
    graph.vpush(frame)
    return graph.vpull()
