"""NAL units, of which the packets of H.264 and HEVC consist (ITU-T H.264 and H.265, 7.3.1 and Annex B)."""

import re
from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

START_CODE = b"\0\0\1"
ESCAPED = re.compile(rb"\x00\x00\x03")
TO_ESCAPE = re.compile(rb"\x00\x00(?=[\x00-\x03])")
HEADER_BYTES = {"h264": 1, "hevc": 2}


class Avc(IntEnum):
    """Kinds of H.264 (Table 7-1)."""

    SLICE = 1
    IDR = 5
    SEI = 6
    SPS = 7
    PPS = 8
    DELIMITER = 9


class Hevc(IntEnum):
    """Kinds of HEVC (Table 7-1)."""

    IDR_WITH_LEADING = 19  # its leading pictures need nothing from before it
    IDR = 20
    VPS = 32
    SPS = 33
    PPS = 34
    DELIMITER = 35
    SEI = 39
    DOLBY_VISION = 62  # unspecified in HEVC; its dynamic metadata lies here


IDR_KINDS: dict[str, set[int]] = {"h264": {Avc.IDR}, "hevc": {Hevc.IDR_WITH_LEADING, Hevc.IDR}}
SET_KINDS: dict[str, tuple[int, ...]] = {"h264": (Avc.SPS, Avc.PPS), "hevc": (Hevc.VPS, Hevc.SPS, Hevc.PPS)}
SEI_KINDS = {"h264": Avc.SEI, "hevc": Hevc.SEI}
DELIMITERS = {"h264": Avc.DELIMITER, "hevc": Hevc.DELIMITER}


class Number(NamedTuple):
    """An Exp-Golomb code that was read."""

    value: int
    num_bits: int


def kind_of(nal: bytes, codec: str) -> int:
    """Its `nal_unit_type`."""
    return nal[0] & 31 if codec == "h264" else nal[0] >> 1 & 63


def split(data: bytes, length_bytes: int | None) -> list[bytes]:
    """The units of a packet, without what holds them apart.

    Args:
        data: the packet.
        length_bytes: size of the length before each unit; None where start codes lie between them (Annex B).

    Raises:
        ValueError: a length points beyond the packet.
    """
    if length_bytes is None:
        return [part for piece in data.split(START_CODE)[1:] if (part := piece.rstrip(b"\0"))]
    units, place = [], 0
    while place + length_bytes <= len(data):
        end = place + length_bytes + int.from_bytes(data[place : place + length_bytes])
        if end > len(data):
            raise ValueError("a NAL unit ends behind its packet")
        units.append(data[place + length_bytes : end])
        place = end
    return [unit for unit in units if unit]


def join(units: Iterable[bytes], length_bytes: int | None) -> bytes:
    """A packet of these units.

    Raises:
        OverflowError: a unit is too long for its length.
    """
    if length_bytes is None:
        return b"".join(b"\0" + START_CODE + unit for unit in units)
    return b"".join(len(unit).to_bytes(length_bytes) + unit for unit in units)


def unescape(unit: bytes) -> bytes:
    """The unit without its emulation prevention bytes."""
    return ESCAPED.sub(b"\0\0", unit)


def escape(payload: bytes) -> bytes:
    """The unit with emulation prevention bytes, so that no start code is in it."""
    return TO_ESCAPE.sub(b"\0\0\3", payload)


def bits_of(payload: bytes) -> str:
    """The payload as characters 0 and 1."""
    return f"{int.from_bytes(payload):0{8 * len(payload)}b}"


def bytes_of(bits: str) -> bytes:
    """Characters 0 and 1, a whole number of bytes, as a payload."""
    return int(bits, 2).to_bytes(len(bits) // 8)


def golomb_at(bits: str, place: int) -> Number:
    """The unsigned Exp-Golomb code at a place (H.264 and H.265, 9.1 and 9.2).

    Raises:
        ValueError: there is none.
    """
    first = bits.find("1", place)
    length = first - place
    if first < 0 or first + length + 1 > len(bits):
        raise ValueError("an Exp-Golomb code is cut off")
    return Number(int(bits[first : first + length + 1], 2) - 1, 2 * length + 1)


def golomb_of(value: int) -> str:
    """The Exp-Golomb code of a number."""
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits
