"""Languages of MOV tracks for which QuickTime has no number: their three letters, as MP4 writes them.

FFmpeg's muxer knows the numbers alone, and leaves out every other language. The field holds either: what is 0x400 and
more is three letters of five bits each (QuickTime File Format, Language Code Values), and all readers know both.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from pipelines.media.boxes import find_boxes

UNSPECIFIED = 0x7FFF
LETTERS = re.compile("[a-z]{3}")


def write_languages(path: Path, languages: Sequence[str | None]) -> None:
    """Give each track its language where the muxer left it out.

    Args:
        path: a MOV file; changed in place, no box changes its size.
        languages: of the first tracks, in order, in three letters; anything else is passed over.
    """
    with path.open("r+b") as file:
        movie = find_boxes(file, (0, path.stat().st_size), b"moov")[0]
        for track, language in zip(find_boxes(file, movie, b"trak"), languages, strict=False):
            if language and language != "und" and LETTERS.fullmatch(language):
                _write(file, track, language)


def _write(file: BinaryIO, track: tuple[int, int], language: str) -> None:
    media = find_boxes(file, track, b"mdia")[0]
    begin = find_boxes(file, media, b"mdhd")[0][0]
    file.seek(begin)
    place = begin + (32 if file.read(1)[0] else 20)
    file.seek(place)
    if int.from_bytes(file.read(2)) == UNSPECIFIED:
        file.seek(place)
        file.write(_packed(language).to_bytes(2))


def _packed(language: str) -> int:
    first, second, third = (ord(letter) - 0x60 for letter in language)
    return first << 10 | second << 5 | third
