"""A film's frames at 25 fps, as the published data path takes them."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice, repeat
from math import floor
from pathlib import Path
from typing import TypeVar

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from pipelines.media.container import FILM_FORMATS, UndecodableError, open_media, picture_stream
from pipelines.media.picture import frames, to_rgb

FRAME_RATE = 25
WHOLE = (-(1 << 62), 1 << 62)

Pixels = NDArray[np.uint8]  # [H, W, 3] RGB
Item = TypeVar("Item")


def at_25_fps(timed: Iterable[tuple[Fraction, Fraction, Item]]) -> Iterator[Item]:
    """What is shown at each 25th of a second, from the first frame on.

    As FFmpeg's `fps` filter does by default: a frame belongs to the nearest of the moments 0, 1/25, 2/25, ...; of
    several frames at one moment the last is shown, and a frame stays until another comes.

    Args:
        timed: begin and end in seconds, and the frame, in order of time.
    """
    held: tuple[Fraction, Fraction, Item] | None = None
    for begin_s, end_s, frame in timed:
        if held is not None:
            yield from repeat(held[2], _moment(begin_s) - _moment(held[0]))
        held = begin_s, end_s, frame
    if held is not None:
        yield from repeat(held[2], _moment(held[1]) - _moment(held[0]))


def published_frames(path: Path) -> Iterator[Pixels]:
    """The frames of a film at 25 fps: RGB, [H, W, 3]. A repeated frame is the same array; write into copies.

    Raises:
        UndecodableError: there is no picture that can be decoded.
    """
    last: VideoFrame | None = None
    for frame in at_25_fps(_timed(path)):
        if frame is not last:
            last, pixels = frame, to_rgb(frame)
        yield pixels


def first_time_s(path: Path) -> Fraction:
    """When the first of `published_frames` is shown: a 25th of a second of the container's time.

    Raises:
        UndecodableError: there is no picture that can be decoded.
    """
    begin_s = next((begin_s for begin_s, _, _ in _timed(path)), None)
    if begin_s is None:
        raise UndecodableError(f"{path.name} has a picture stream without a frame")
    return Fraction(_moment(begin_s), FRAME_RATE)


def count_frames(path: Path, at_most: int) -> int:
    """How many frames `published_frames` gives, without making them; counting ends at `at_most`."""
    return sum(1 for _ in islice(at_25_fps(_timed(path)), at_most))


def _timed(path: Path) -> Iterator[tuple[Fraction, Fraction, VideoFrame]]:
    with open_media(path, FILM_FORMATS) as container:
        time_base = picture_stream(container).time_base
    if time_base is None:
        raise UndecodableError(f"{path.name} does not say what its timestamps count")
    gap = 0  # to the frame before: as long a frame lasts that does not say
    last: int | None = None
    for pts, frame in frames(path, *WHOLE):
        gap = gap if last is None else pts - last
        last = pts
        yield pts * time_base, (pts + (frame.duration or gap)) * time_base, frame


def _moment(time_s: Fraction) -> int:
    """The nearest 25th of a second; of two the later."""
    return floor(time_s * FRAME_RATE + Fraction(1, 2))
