"""Containers of delivered films: which one, what fits into it, and that it cannot be written."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import av
from av.stream import Stream

CONTAINERS = {"mov": "mov", "mkv": "mkv", "webm": "mkv", "mxf": "mov"}  # by suffix; anything else becomes mp4
MUXERS = {"mov": "mov", "mkv": "matroska", "mp4": "mp4"}


class UnwritableError(RuntimeError):
    """The film cannot be written: the disk is full, or its container cannot hold a stream."""


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """What FFmpeg refuses in here is no fault of the source."""
    try:
        yield
    except av.FFmpegError as error:
        reason = error.strerror or type(error).__name__
        raise UnwritableError(f"{target.name} cannot be written: {reason}") from error


def delivered_suffix(source: Path) -> str:
    """Suffix of the delivered film, without the dot."""
    return CONTAINERS.get(source.suffix.lower().lstrip("."), "mp4")


def fits(stream: Stream, suffix: str) -> bool:
    """Whether a stream can be copied into a container, found by trying.

    Args:
        stream: of a film that is open.
        suffix: of the container, with or without the dot.
    """
    try:
        with av.open(BytesIO(), "w", format=MUXERS[suffix.lstrip(".")]) as out:
            out.add_stream_from_template(stream)
            out.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    return True
