"""Which part of the coded picture its container shows, for the verifier: FFmpeg's binding does not tell."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from pipelines.media.declared_colour import described

CLAP, CLAP_BYTES = b"\0\0\0\x28clap", 40  # ISO/IEC 14496-12, 12.1.4: four fractions
SIDES = (0x54CC, 0x54DD, 0x54BB, 0x54AA)  # of Matroska: left, right, top, bottom (RFC 9559, 5.1.4.1.28.8 and after)


def declared_crop(path: Path, size_px: Sequence[int]) -> list[float]:
    """What an MP4, MOV, MKV or WebM hides of its picture: pixels at the left, right, top and bottom; 0 of others.

    Args:
        path: the film.
        size_px: width and height of its frames as they are decoded.

    Raises:
        FileNotFoundError: there is no such file.
    """
    movie, picture = described(path)
    if movie is None:
        return [float(int.from_bytes(picture.get(side, b""))) for side in SIDES]
    at = movie.find(CLAP)
    if at < 0 or at + CLAP_BYTES > len(movie):
        return [0.0] * 4
    ints = struct.unpack_from(">IIIIiIiI", movie, at + 8)
    shown = [Fraction(over, under or 1) for over, under in zip(ints[::2], ints[1::2], strict=True)]
    hidden = [(whole - part) / 2 for whole, part in zip(size_px, shown[:2], strict=True)]
    right, low = shown[2:]  # of the middle of what is shown from the middle of the picture
    return [float(side) for side in (hidden[0] + right, hidden[0] - right, hidden[1] + low, hidden[1] - low)]
