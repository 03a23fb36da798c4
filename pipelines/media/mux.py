"""A film written again: its picture encoded with changes, the dub as default sound, everything else copied."""

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import AttachmentStream, Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipelines.media.container import FILM_FORMATS, UndecodableError, open_media, picture_stream
from pipelines.media.covers import cover_images, file_of, is_attached_in, is_cover
from pipelines.media.dub_track import DubTrack
from pipelines.media.edit_list import hide_lead
from pipelines.media.encode import AAC_FRAME_SAMPLES, DubEncoder, EncodeConfig
from pipelines.media.language_code import language_code
from pipelines.media.mov_language import write_languages
from pipelines.media.muxer import writing
from pipelines.media.names import OWN_TAGS, TIMECODE_TAGS, lost_names, names_of
from pipelines.media.picture import frames
from pipelines.media.picture_writer import PictureCounts, PictureWriter
from pipelines.media.presentation import is_cropped, lost_crop
from pipelines.media.roles import original_sound
from pipelines.progress import Tell, telling, untold

CHAPTER_TEXT = "bin_data"  # how FFmpeg calls a track of chapter names
SOUND_LEAD_S = Fraction(1, 2)
MAX_MOVIE_TIMESCALE = 10_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What was written."""

    counts: PictureCounts
    dub_peak: float
    left_out: tuple[str, ...]  # streams of which nothing is delivered, and what frames carried


def write_film(
    source: Path,
    target: Path,
    picture: PictureWriter,
    dub: DubTrack,
    language: str,
    end_pts: int,
    config: EncodeConfig,
    tell: Tell = untold,
    source_language: str | None = None,
) -> Written:
    """Write the film to `target`.

    Args:
        source: the film.
        target: where to write; a temp name, for what is there after an error is not whole.
        picture: what becomes of the picture.
        dub: sound of the new default track.
        language: BCP-47 tag of the dub.
        end_pts: end of the last frame: the dub is laid from the first frame to it.
        config: encoder settings.
        tell: told of frames as they are written.
        source_language: BCP-47 tag of the film's own sound; None where nobody said it.

    Raises:
        UndecodableError: the source cannot be decoded to its end.
        UnwritableError: the target cannot be written.
        UnspliceableError: the picture was to be spliced, and cannot be.
    """
    found = next(frames(source, -(1 << 62), 1 << 62), None)
    if found is None:
        raise UndecodableError(f"{source.name} shows no frame")
    first = found[1]
    attached = cover_images(source) if is_attached_in(target.suffix) else {}
    with open_media(source, FILM_FORMATS) as film:
        stream = picture_stream(film)
        names, cropped = names_of(film, stream.index), is_cropped(stream)
        options = _options(target.suffix, film, stream, dub.sample_rate_hz)
        with _opened(target, options) as out, ExitStack() as beside:
            writer = _Writer(
                film, stream, out, picture, first, dub, language, end_pts, config, source_language, attached, beside
            )
            written, dub_index, languages = writer.write(tell), writer.dub_track_index, writer.track_languages
    if target.suffix == ".mov":
        write_languages(target, languages)
    lost = [*lost_names(names, target), *(lost_crop(target) if cropped else [])]
    written = replace(written, left_out=(*written.left_out, *lost))
    if target.suffix != ".mkv" and dub.codec == "aac":
        hide_lead(target, dub_index, Fraction(AAC_FRAME_SAMPLES, dub.sample_rate_hz))
    return written


@contextmanager
def _opened(target: Path, options: dict[str, str]) -> Iterator[OutputContainer]:
    """The container, closed with the block; an error of the block is not hidden by what closing then meets."""
    out = av.open(str(target), "w", options=options, metadata_errors="surrogateescape")
    try:
        yield out
    except BaseException:
        with suppress(av.FFmpegError):
            out.close()
        raise
    with writing(target):
        out.close()


class _Writer:
    def __init__(
        self,
        film: InputContainer,
        own: VideoStream,
        out: OutputContainer,
        picture: PictureWriter,
        first: VideoFrame,
        dub: DubTrack,
        language: str,
        end_pts: int,
        config: EncodeConfig,
        source_language: str | None,
        attached: dict[int, bytes],
        beside: ExitStack,
    ) -> None:
        assert own.time_base
        self._film, self._own, self._out, self._picture, self._attached = film, own, out, picture, attached
        span_s = (first.pts or 0) * own.time_base, end_pts * own.time_base
        self._beside = beside
        self._copies: dict[int, Stream] = {}
        self._left_out: list[str] = []
        self._dub: DubEncoder | None = None
        for stream in film.streams:
            if stream.type == "audio" and self._dub is None:
                self._dub = self._add_dub(dub, span_s, language, config)
            if stream.index == own.index:
                self._pictured = picture.add(out, own, first)
                _describe(self._pictured, stream)
            else:
                self._add_copy(stream)
        if original := original_sound(film.streams.audio, source_language):
            self._copies[original.index].disposition |= Disposition.original
        for stream in film.streams:
            if stream.type == "data":
                self._rewrite(stream)
        self._dub = self._dub or self._add_dub(dub, span_s, language, config)
        out.metadata.update({key: value for key, value in film.metadata.items() if key not in OWN_TAGS})
        out.set_chapters(film.chapters())

    def _add_dub(
        self, dub: DubTrack, span_s: tuple[Fraction, Fraction], language: str, config: EncodeConfig
    ) -> DubEncoder:
        encoder = DubEncoder(self._out, dub, *span_s, config)
        self._beside.callback(encoder.close)
        stream = encoder.stream
        if code := language_code(language):
            stream.metadata["language"] = code
        stream.metadata["title"] = stream.metadata["handler_name"] = f"Dub {language}"
        stream.disposition = Disposition.default | Disposition.dub
        return encoder

    def _add_copy(self, stream: Stream) -> None:
        if isinstance(stream, AttachmentStream):
            name = stream.metadata.get("filename", "attachment")
            self._out.add_attachment(name, stream.mimetype or "application/octet-stream", stream.data)
        elif stream.index in self._attached:
            file = self._out.add_attachment(*file_of(stream), self._attached[stream.index])
            file.metadata.update({key: value for key, value in stream.metadata.items() if key not in OWN_TAGS})
        elif stream.type in ("video", "audio", "subtitle"):
            copy = self._out.add_stream_from_template(stream)
            _describe(copy, stream)
            if stream.type == "audio":
                copy.disposition &= ~Disposition.default
            self._copies[stream.index] = copy

    def _rewrite(self, stream: Stream) -> None:
        """A data stream cannot be copied: timecodes and texts of chapters are made anew, of others nothing is left."""
        if "timecode" in stream.metadata:
            kept = {key: stream.metadata[key] for key in TIMECODE_TAGS if key in stream.metadata}
            self._pictured.metadata.update(kept)
        elif not (stream.name == CHAPTER_TEXT and self._film.chapters()):
            self._left_out.append(f"stream {stream.index} ({stream.type}, {stream.name or 'unknown'})")

    @property
    def dub_track_index(self) -> int:
        """Place of the dub among the tracks of an MP4."""
        assert self._dub is not None
        return self._tracks.index(self._dub.stream)

    @property
    def track_languages(self) -> list[str | None]:
        """Of the tracks of an MP4."""
        return [stream.metadata.get("language") for stream in self._tracks]

    @property
    def _tracks(self) -> list[Stream]:
        """Those of an MP4, in which a cover is none."""
        return [stream for stream in self._out.streams if not is_cover(stream)]

    def write(self, tell: Tell) -> Written:
        assert self._dub is not None
        for _ in telling(self._pictures(), tell):
            pass
        self._mux(list(self._dub.until(None)))
        return Written(
            counts=self._picture.counts, dub_peak=self._dub.peak, left_out=(*self._left_out, *self._picture.lost)
        )

    def _pictures(self) -> "Iterator[Packet[Any]]":
        """Every packet of the picture, when it and what belongs beside it is written."""
        for packet in self._film.demux():
            if packet.stream.index == self._own.index:
                yield from self._with_dub(self._picture.take(packet))
            elif packet.stream.index in self._copies and (packet.dts is not None or packet.size):
                self._copy(packet)

    def _with_dub(self, packets: "Iterator[Packet[Any]]") -> "Iterator[Packet[Any]]":
        assert self._dub is not None
        for packet in packets:
            seconds = (packet.pts or 0) * Fraction(packet.time_base or 1)
            packet.stream = self._pictured
            self._mux([packet])
            self._mux(list(self._dub.until(seconds + SOUND_LEAD_S)))
            yield packet

    def _copy(self, packet: "Packet[Any]") -> None:
        if packet.dts is None:  # of a cover, which has no time
            packet.pts = packet.dts = 0
        packet.stream = self._copies[packet.stream.index]
        self._mux([packet])

    def _mux(self, packets: list[Any]) -> None:
        with writing(Path(self._out.name)):
            for packet in packets:
                self._out.mux(packet)


def _describe(copy: Stream, source: Stream) -> None:
    """Names, languages and dispositions, which a template leaves behind."""
    tags = {key: value for key, value in source.metadata.items() if key not in OWN_TAGS}
    if "name" in tags:
        tags.setdefault("title", tags["name"])  # as MP4 and MOV are read, and as they are written
    copy.metadata.update(tags)
    copy.disposition = source.disposition


def _options(suffix: str, film: InputContainer, picture: VideoStream, dub_rate_hz: int) -> dict[str, str]:
    """Muxer options that keep every clock of the source exact, and the dub's where they fit together."""
    if suffix == ".mkv":
        return {}
    assert picture.time_base
    scale = picture.time_base.denominator
    rates = [stream.rate for stream in film.streams.audio if stream.rate]
    own_scale = math.lcm(scale, 1000, *rates)
    with_dub = math.lcm(own_scale, dub_rate_hz)
    movie_scale = with_dub if with_dub <= MAX_MOVIE_TIMESCALE else own_scale
    options = {
        "movflags": "+faststart",
        "strict": "unofficial",
        "movie_timescale": str(min(movie_scale, MAX_MOVIE_TIMESCALE)),
    }
    if picture.time_base.numerator == 1:
        options["video_track_timescale"] = str(scale)
    return options
