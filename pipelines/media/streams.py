"""What a container says of its streams."""

from dataclasses import dataclass
from fractions import Fraction

from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamFacts:
    """One stream as its container declares it."""

    index: int
    kind: str  # video, audio, subtitle, data, attachment
    codec: str
    language: str | None
    title: str | None
    disposition: tuple[str, ...]
    start_s: Fraction | None


def stream_facts(stream: Stream) -> StreamFacts:
    """The facts of a stream."""
    start = None if stream.start_time is None or not stream.time_base else stream.start_time * stream.time_base
    return StreamFacts(
        index=stream.index,
        kind=stream.type,
        codec=stream.codec_context.name if stream.codec_context else "",
        language=stream.metadata.get("language"),
        title=stream.metadata.get("title") or stream.metadata.get("handler_name"),
        disposition=tuple(flag.name or "" for flag in Disposition if flag & stream.disposition),
        start_s=None if start is None else Fraction(start),
    )


def picture_streams(container: InputContainer) -> list[VideoStream]:
    """The video streams that are no cover art."""
    return [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
