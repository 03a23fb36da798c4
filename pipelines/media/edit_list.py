"""The edit list of an MP4 or MOV track that starts late: it hides the samples with which AAC begins.

FFmpeg's muxer hides them at time 0 only. In a film that starts later it shows them, so the dub would begin
21 ms before the film: silence, but the file's first moment would not be the film's.
"""

import io
import struct
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from pipelines.media.boxes import find_boxes


def hide_lead(path: Path, track_index: int, lead_s: Fraction) -> None:
    """Let a track that starts with an empty edit start `lead_s` later, and be shown from as much later on.

    Args:
        path: an MP4 or MOV file; changed in place, no box changes its size.
        track_index: place of the track among all tracks.
        lead_s: how long the samples are that nobody is to hear.
    """
    with path.open("r+b") as file:
        movie = find_boxes(file, (0, path.stat().st_size), b"moov")[0]
        track = find_boxes(file, movie, b"trak")[track_index]
        scales = [_timescale(file, span) for span in (movie, find_boxes(file, track, b"mdia")[0])]
        for edits in find_boxes(file, track, b"edts"):
            for span in find_boxes(file, edits, b"elst"):
                _shift(file, span, lead_s, *scales)


def has_dolby_box(path: Path) -> bool:
    """Whether an MP4 or MOV declares Dolby Vision (`dvcC`, `dvvC`)."""
    with path.open("rb") as file:
        for begin, end in find_boxes(file, (0, path.stat().st_size), b"moov"):
            file.seek(begin)
            movie = file.read(end - begin)
            return b"dvcC" in movie or b"dvvC" in movie
    return False


def _shift(file: BinaryIO, span: tuple[int, int], lead_s: Fraction, movie_scale: int, track_scale: int) -> None:
    file.seek(span[0])
    version, num_edits = struct.unpack(">BxxxI", file.read(8))
    entry = struct.Struct(">qqI" if version else ">IiI")
    edits = [list(entry.unpack(file.read(entry.size))) for _ in range(num_edits)]
    if len(edits) != 2 or edits[0][1] != -1:
        return  # it starts at time 0, and the muxer has seen to it
    ticks = round(lead_s * movie_scale)
    edits[0][0] += ticks
    edits[1][0] -= ticks
    edits[1][1] += round(lead_s * track_scale)
    file.seek(span[0] + 8)
    file.write(b"".join(entry.pack(*edit) for edit in edits))


def _timescale(file: BinaryIO, span: tuple[int, int]) -> int:
    header = next(box for name in (b"mvhd", b"mdhd") for box in find_boxes(file, span, name))
    file.seek(header[0])
    version = file.read(4)[0]
    file.seek(16 if version else 8, io.SEEK_CUR)
    return int.from_bytes(file.read(4))
