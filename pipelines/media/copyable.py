"""Whether the streams that a film keeps fit into the container that it is delivered in, found by trying."""

from io import BytesIO
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition, Stream

from pipelines.media.mux import delivered_suffix
from pipelines.media.refusal import MediaRefusedError
from schemas.reason import Refusal

MUXERS = {"mov": "mov", "mkv": "matroska", "mp4": "mp4"}


def check_copyable(film: InputContainer, path: Path) -> None:
    """Refuse a film with a stream that could not be copied.

    Raises:
        MediaRefusedError: names the first such stream.
    """
    suffix = delivered_suffix(path)
    for stream in film.streams:
        is_cover = bool(stream.disposition & Disposition.attached_pic)
        if (stream.type in ("audio", "subtitle") or is_cover) and not _fits(stream, MUXERS[suffix]):
            codec = stream.codec_context.name if stream.codec_context else "unknown"
            detail = f"stream {stream.index} ({stream.type}, {codec}) cannot be kept in {suffix}; remux it as Matroska"
            raise MediaRefusedError(Refusal.CODEC, detail)


def _fits(stream: Stream, muxer: str) -> bool:
    try:
        with av.open(BytesIO(), "w", format=muxer) as out:
            out.add_stream_from_template(stream)
            out.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    return True
