"""Where a dub begins in its own file: with the picture that comes with it, or with its broadcast."""

from fractions import Fraction
from pathlib import Path

from av.container import InputContainer
from av.stream import Stream

from pipelines.media.container import UndecodableError, open_media, picture_stream
from pipelines.media.sound import BEGINNING
from pipelines.media.streams import picture_streams

BROADCASTS = ("mpegts", "mpeg")  # their time begins where their writer likes


def dub_origin_s(path: Path) -> Fraction:
    """The moment of a file's time that lies on the film's first frame, in seconds, 0 or later.

    Of a file with a picture the first frame of that. Else the beginning of a transport or programme stream, and 0 of
    all others: a sound that begins late in them is meant to. 0 of a file that cannot be opened too.
    """
    try:
        with open_media(path) as container:
            return max(BEGINNING, _origin_s(container))
    except (UndecodableError, OSError):
        return BEGINNING


def _origin_s(container: InputContainer) -> Fraction:
    if pictures := picture_streams(container):
        return _first_frame_s(container, pictures[0])
    if container.format.name not in BROADCASTS:
        return BEGINNING
    return min((start for stream in container.streams if (start := _start_s(stream)) is not None), default=BEGINNING)


def _first_frame_s(container: InputContainer, declared: Stream) -> Fraction:
    """When the first frame is shown; as its stream declares where it is of no codec that is opened here."""
    try:
        frame = next(container.decode(picture_stream(container)), None)
    except UndecodableError:
        frame = None
    if frame is not None and frame.pts is not None and frame.time_base is not None:
        return frame.pts * frame.time_base
    return _start_s(declared) or BEGINNING


def _start_s(stream: Stream) -> Fraction | None:
    if stream.start_time is None or stream.time_base is None:
        return None
    return stream.start_time * stream.time_base
