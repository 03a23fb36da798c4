"""Whether the streams that a film keeps fit into the container that it is delivered in, found by trying."""

from pathlib import Path

from av.container import InputContainer
from av.stream import Disposition

from pipelines.media.muxer import delivered_suffix, fits
from pipelines.media.refusal import MediaRefusedError
from schemas.reason import Refusal


def check_copyable(film: InputContainer, path: Path) -> None:
    """Refuse a film with a stream that could not be copied.

    Raises:
        MediaRefusedError: names the first such stream.
    """
    suffix = delivered_suffix(path)
    for stream in film.streams:
        is_cover = bool(stream.disposition & Disposition.attached_pic)
        if (stream.type in ("audio", "subtitle") or is_cover) and not fits(stream, suffix):
            codec = stream.codec_context.name if stream.codec_context else "unknown"
            detail = f"stream {stream.index} ({stream.type}, {codec}) cannot be kept in {suffix}; remux it as Matroska"
            raise MediaRefusedError(Refusal.CODEC, detail)
