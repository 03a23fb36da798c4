"""What a container says of its picture's colours, whatever the bitstream says: FFmpeg shows one of the two alone."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

BOXES = (b"colrnclx", b"colrnclc")  # ISO/IEC 14496-12, 12.1.5, and QuickTime's, which knows no range
BOX_BYTES, FULL_RANGE = 15, 0x80
EBML, SEGMENT, TRACKS, TRACK, VIDEO, COLOUR = 0x1A45DFA3, 0x18538067, 0x1654AE6B, 0xAE, 0xE0, 0x55B0
MATRIX, RANGE, TRANSFER, PRIMARIES = 0x55B1, 0x55B9, 0x55BA, 0x55BB  # RFC 9559, 5.1.4.1.28.16 and after
UNSAID = 2  # of ITU-T H.273
MATROSKA_RANGES = {1: False, 2: True}
MAX_BYTES = 256 << 20  # that are looked at of what describes the streams


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredColour:
    """The container's word; numbers of ITU-T H.273, 2 where it has none."""

    primaries: int = UNSAID
    transfer: int = UNSAID
    matrix: int = UNSAID
    full_range: bool | None = None  # None: it does not say


def declared_colour(path: Path) -> DeclaredColour | None:
    """What an MP4, MOV, MKV or WebM says of its first picture; None of others, and where it says nothing.

    Raises:
        FileNotFoundError: there is no such file.
    """
    movie, picture = described(path)
    return _of_box(movie) if movie is not None else _of_matroska(picture)


def described(path: Path) -> tuple[bytes | None, dict[int, bytes]]:
    """What an MP4 or MOV says of all streams (moov), and what an MKV or WebM says of its first picture, by element.

    Raises:
        FileNotFoundError: there is no such file.
    """
    with path.open("rb") as file:
        is_matroska = file.read(4) == EBML.to_bytes(4)
        file.seek(0)
        if not is_matroska:
            return _of_movie(file), {}
        pictures = (video for track in _children(_tracks(file), TRACK) for video in _children(track, VIDEO))
        return None, dict(_elements(next(pictures, b"")))


def _of_movie(file: BinaryIO) -> bytes | None:
    while len(head := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        held = int.from_bytes(file.read(8)) - 16 if length == 1 else length - 8
        if name == b"moov":
            return file.read(min(max(held, 0), MAX_BYTES))
        if held < 0 or not name.isascii():
            return None
        file.seek(held, 1)
    return None


def _of_box(movie: bytes) -> DeclaredColour | None:
    places = [(at, kind) for kind in BOXES if (at := movie.find(kind)) >= 0]
    at, kind = min(places, default=(len(movie), b""))
    if at + BOX_BYTES > len(movie):
        return None
    primaries, transfer, matrix = struct.unpack_from(">3H", movie, at + 8)
    full_range = bool(movie[at + 14] & FULL_RANGE) if kind == BOXES[0] else None
    return DeclaredColour(primaries=primaries, transfer=transfer, matrix=matrix, full_range=full_range)


def _of_matroska(picture: dict[int, bytes]) -> DeclaredColour | None:
    colour = picture.get(COLOUR, b"")
    return _of_numbers({kind: int.from_bytes(data) for kind, data in _elements(colour)}) if colour else None


def _of_numbers(said: dict[int, int]) -> DeclaredColour:
    return DeclaredColour(
        primaries=said.get(PRIMARIES, UNSAID),
        transfer=said.get(TRANSFER, UNSAID),
        matrix=said.get(MATRIX, UNSAID),
        full_range=MATROSKA_RANGES.get(said.get(RANGE, 0)),
    )


def _tracks(file: BinaryIO) -> bytes:
    """What the element of all tracks holds; nothing where it does not come before the file's first unknown length."""
    while True:
        kind, length = _number(file, keep_mark=True), _number(file, keep_mark=False)
        if kind is None or length is None:
            return b""
        if kind == TRACKS:
            return file.read(min(length, MAX_BYTES))
        if kind != SEGMENT:  # whose children are looked at, whatever length it says
            file.seek(length, 1)


def _number(file: BinaryIO, *, keep_mark: bool) -> int | None:
    """A number of EBML, whose first byte says by its leading zeros how many bytes it has (RFC 8794, 4)."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    width = 9 - first[0].bit_length()
    value = int.from_bytes(first + file.read(width - 1))
    return value if keep_mark else value & ((1 << 7 * width) - 1)


def _children(data: bytes, wanted: int) -> Iterator[bytes]:
    return (held for kind, held in _elements(data) if kind == wanted)


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Id and bytes of each element, one after the other."""
    place = 0
    while place < len(data) and data[place]:
        kind, place = _taken(data, place, keep_mark=True)
        if place >= len(data) or not data[place]:
            return
        length, place = _taken(data, place, keep_mark=False)
        yield kind, data[place : place + length]
        place += length


def _taken(data: bytes, place: int, *, keep_mark: bool) -> tuple[int, int]:
    width = 9 - data[place].bit_length()
    value = int.from_bytes(data[place : place + width])
    return (value if keep_mark else value & ((1 << 7 * width) - 1)), place + width
