"""Whether the streams that a film keeps fit into the container that it is delivered in, found by trying."""

from pathlib import Path

from av.container import InputContainer

from pipelines.media.covers import is_attached_in, is_cover
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
        is_copied = stream.type in ("audio", "subtitle") or (is_cover(stream) and not is_attached_in(suffix))
        if is_copied and not fits(stream, suffix):
            codec = stream.codec_context.name if stream.codec_context else "unknown"
            detail = f"stream {stream.index} ({stream.type}, {codec}) cannot be kept in {suffix}; remux it as Matroska"
            raise MediaRefusedError(Refusal.CODEC, detail)
