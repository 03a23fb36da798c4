"""A part of a film that one worker watches: for cuts and faces, with one decode."""

import pyarrow as pa

from schemas.column import column, widen
from schemas.film import FILM

FILM_PART = widen(
    FILM,
    column("part_index", pa.int32(), "Place of the part in its film, from 0."),
    column("part_start_pts", pa.int64(), "Shots that begin from here on are the part's.", unit="time_base"),
    column("part_end_pts", pa.int64(), "Shots that begin from here on are the next part's.", unit="time_base"),
)

WATCHED_PART = widen(
    FILM_PART,
    column(
        "num_frames_watched",
        pa.int64(),
        "Frames of its shots; 0 where it was watched before, none begins in it, or it could not be watched.",
    ),
)
