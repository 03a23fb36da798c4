"""How a film's container has its picture shown: turned, mirrored, cropped; no frame knows of it but its side data."""

import struct
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import cast

import av
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipelines.media.container import FILM_FORMATS, open_media, picture_stream

MATRIX_DATA = "DISPLAYMATRIX"
MATRIX = struct.Struct("=9i")
SEGMENT, TRACKS, TRACK, VIDEO = 0x18538067, 0x1654AE6B, 0xAE, 0xE0  # elements of Matroska (RFC 9559)
CROPS = frozenset({0x54AA, 0x54BB, 0x54CC, 0x54DD})  # of its video: pixels left out below, above, left, right
CROPPED = "crop of its picture (clean aperture)"


def display_matrix(frame: VideoFrame) -> tuple[int, ...] | None:
    """The nine numbers by which a frame is turned and mirrored (ISO/IEC 14496-12, 8.3.2); None where by none."""
    for one in cast("Iterator[SideData]", iter(frame.side_data)):
        if one.type.name == MATRIX_DATA:
            return MATRIX.unpack(bytes(one)[: MATRIX.size])
    return None


def is_cropped(stream: VideoStream) -> bool:
    """Whether the container has a part of the picture shown only (`clap` of MOV, PixelCrop of Matroska).

    PyAV does not say so, but FFmpeg writes it into the head of a Matroska file.
    """
    head = BytesIO()
    try:
        with av.open(head, "w", format="matroska") as out:
            out.add_stream_from_template(stream)
            out.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    content = head.getvalue()
    for name in (SEGMENT, TRACKS, TRACK, VIDEO):
        content = dict(_elements(content)).get(name, b"")
    return bool(CROPS.intersection(kind for kind, _ in _elements(content)))


def lost_crop(delivered: Path) -> list[str]:
    """What a delivered film does not say that its source says: which part of its picture is shown."""
    with open_media(delivered, FILM_FORMATS) as film:
        return [] if is_cropped(picture_stream(film)) else [CROPPED]


def _elements(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements that an element of Matroska holds: what each is, and what it holds."""
    place = 0
    while place < len(content):
        kind, place = _number(content, place, is_marked=True)
        size, place = _number(content, place, is_marked=False)
        yield kind, content[place : place + size]  # one of unknown size reaches to the end
        place += size


def _number(content: bytes, place: int, *, is_marked: bool) -> tuple[int, int]:
    """A number of as many bytes as zeros before its first one, and the place after it."""
    length = 9 - content[place].bit_length()
    value = int.from_bytes(content[place : place + length])
    return value if is_marked else value - (1 << 7 * length), place + length
