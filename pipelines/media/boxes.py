"""The boxes of an MP4 or MOV file (ISO/IEC 14496-12, 4.2)."""

from typing import BinaryIO

Box = tuple[bytes, int, int]  # name, begin and end of what it holds


def find_boxes(file: BinaryIO, span: tuple[int, int], name: bytes) -> list[tuple[int, int]]:
    """Begin and end, in bytes of the file, of what each box of a name holds that lies right inside a span."""
    return [(begin, end) for found, begin, end in boxes_in(file, span) if found == name]


def boxes_in(file: BinaryIO, span: tuple[int, int]) -> list[Box]:
    """All boxes that begin right inside a span, in bytes of the file; the last may end beyond it."""
    place, found = span[0], []
    while place + 8 <= span[1]:
        file.seek(place)
        length, name, head = int.from_bytes(file.read(4)), file.read(4), 8
        if length == 1:
            length, head = int.from_bytes(file.read(8)), 16
        if not length and name == b"mdat":  # to the end of the file
            length = span[1] - place
        if length < head:
            break
        found.append((name, place + head, place + length))
        place += length
    return found
