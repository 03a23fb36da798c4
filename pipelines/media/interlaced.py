"""Frames that hold two moments, a field of lines each: a mouth painted on both at once combs."""

from pathlib import Path

from pipelines.media.picture import frames


def is_interlaced(path: Path, start_pts: int, end_pts: int) -> bool:
    """Whether any frame shown in [start_pts, end_pts) is flagged interlaced.

    Args:
        path: the film.
        start_pts: of the first frame, in its time base.
        end_pts: of the first frame after them.

    Raises:
        UndecodableError: the span cannot be decoded.
    """
    return any(frame.interlaced_frame for _, frame in frames(path, start_pts, end_pts))
