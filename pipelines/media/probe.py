"""What a film is, found by decoding all of it; or the reason why it is none that can be dubbed.

A file that opens is not a file that is whole: a cut MP4 opens without a word and declares the frames
that it lost. So frames are counted, pts checked and corrupt flags summed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from pipelines.media.container import FILM_FORMATS, MAX_PIXELS, UndecodableError, open_media, picture_stream
from pipelines.media.copyable import CopiedTimes, check_copyable, check_depth
from pipelines.media.declared_colour import DeclaredColour, declared_colour
from pipelines.media.encryption import check_clear
from pipelines.media.film_notes import Note, film_notes
from pipelines.media.frame_tags import ColourTags
from pipelines.media.gops import PictureReader
from pipelines.media.muxer import delivered_suffix
from pipelines.media.refusal import MediaRefusedError, check_complete, check_file, refusal_of_unopened
from pipelines.media.roles import own_place
from pipelines.media.run_encoder import UnspliceableError
from pipelines.media.sound import layout_of, sound_stream
from pipelines.media.sound_notes import sound_notes
from pipelines.media.spliceable import spliceable_index
from pipelines.media.streams import StreamFacts, picture_streams, stream_facts
from pipelines.media.tally import PIXEL_FORMATS, Tally
from schemas.reason import Refusal

PROGRESS_FRAMES = 250

Progress = Callable[[int], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """What is true of a film that may be dubbed."""

    container: str  # FFmpeg's name of the demuxer
    video_codec: str
    width_px: int
    height_px: int
    pixel_format: str
    sound_rate_hz: int | None  # of its own sound; None where it has none that can be decoded
    sound_layout: str | None
    sound_place: int  # of its own sound among its sounds, from 0
    num_sounds: int
    time_base: Fraction
    frame_rate: Fraction
    start_pts: int
    end_pts: int
    num_frames: int
    num_gops: int
    whole: str | None  # why the picture cannot be encoded GOP by GOP
    colours: tuple[tuple[int, ColourTags], ...]  # of its frames, each with the pts from which on they hold
    notes: tuple[Note, ...]  # what is odd in it
    streams: tuple[StreamFacts, ...]
    num_chapters: int

    @property
    def duration_s(self) -> Fraction:
        return (self.end_pts - self.start_pts) * self.time_base

    def of_kind(self, kind: str) -> list[StreamFacts]:
        """The streams of a kind: video, audio, subtitle, data, attachment."""
        return [stream for stream in self.streams if stream.kind == kind]


def probe_film(path: Path, progress: Progress | None = None, source_language: str | None = None) -> Probe:
    """The facts of a film, every frame of its picture decoded.

    Args:
        path: the file.
        progress: told the number of frames decoded so far, now and then.
        source_language: BCP-47 tag of the film's own sound; None where nobody said it.

    Raises:
        MediaRefusedError: with the reason why this film is not dubbed.
    """
    check_file(path)
    try:
        with open_media(path, FILM_FORMATS) as container:
            check_clear(container, path)
            _check_declared(container)
            check_copyable(container, path)
            if "mov" in container.format.name:
                check_complete(path)
            return _probe_open(container, path, progress or (lambda num_frames: None), source_language)
    except UndecodableError as error:
        raise refusal_of_unopened(path, str(error)) from error


def _check_declared(container: InputContainer) -> None:
    pictures = picture_streams(container)
    if not pictures:
        raise MediaRefusedError(Refusal.NO_VIDEO, "it has no picture stream")
    context = pictures[0].codec_context
    if context.width * context.height > MAX_PIXELS:
        raise MediaRefusedError(Refusal.DIMENSIONS, f"{context.width} x {context.height} is above the limit")
    try:
        picture_stream(container)
    except UndecodableError as error:
        raise MediaRefusedError(Refusal.CODEC, str(error)) from error
    if context.pix_fmt and context.pix_fmt not in PIXEL_FORMATS:
        raise MediaRefusedError(Refusal.PIXEL_FORMAT, f"{context.pix_fmt} is not planar YUV of 8, 10 or 12 bits")


def _probe_open(container: InputContainer, path: Path, progress: Progress, language: str | None) -> Probe:
    stream = picture_stream(container)
    tally, reader, copied = Tally(stream), PictureReader(stream), CopiedTimes(container, stream, path)
    for packet in container.demux():
        tally.see_packet(packet)
        copied.see(packet)
        if packet.stream.index == stream.index:  # packet.stream_index of a flush packet is always 0
            reader.take(packet)
            for frame in tally.decoded(packet):
                tally.see_frame(frame)
                if tally.num_frames % PROGRESS_FRAMES == 0:
                    progress(tally.num_frames)
    tally.judge(container)
    copied.judge()
    return _probe_of(container, stream, tally, _gops(path, stream, reader), declared_colour(path), language)


def _probe_of(
    container: InputContainer,
    stream: VideoStream,
    tally: Tally,
    gops: tuple[int, str | None],
    said: DeclaredColour | None,
    language: str | None,
) -> Probe:
    frame, rate = tally.last, stream.average_rate or stream.guessed_rate
    assert stream.time_base
    assert frame is not None
    if frame.pts is None or tally.first_pts is None or not rate:
        raise MediaRefusedError(Refusal.TIMING, "it has no frame rate")
    place, (num_gops, whole) = own_place(container.streams.audio, language), gops
    sound = _sound(container, place)
    return Probe(
        container=container.format.name,
        video_codec=stream.codec_context.codec.canonical_name,
        width_px=frame.width,
        height_px=frame.height,
        pixel_format=frame.format.name,
        sound_rate_hz=sound.rate if sound else None,
        sound_place=place,
        num_sounds=len(container.streams.audio),
        sound_layout=layout_of(sound) if sound else None,
        time_base=Fraction(stream.time_base),
        frame_rate=Fraction(rate),
        start_pts=tally.first_pts,
        end_pts=frame.pts + (frame.duration or round(1 / rate / stream.time_base)),
        num_frames=tally.num_frames,
        num_gops=num_gops,
        whole=whole,
        colours=tuple(tally.tags.colours),
        notes=(
            *film_notes(tally.tags, frame.format.name, Fraction(stream.time_base), said),
            *sound_notes(container.streams.audio, language),
        ),
        streams=tuple(stream_facts(other) for other in container.streams),
        num_chapters=len(container.chapters()),
    )


def _gops(path: Path, stream: VideoStream, reader: PictureReader) -> tuple[int, str | None]:
    """How many GOPs can be encoded one by one, or why none can."""
    try:
        index = spliceable_index(path, delivered_suffix(path), stream, reader)
    except UnspliceableError as error:
        check_depth(stream)
        return 1, error.reason.value
    return len(index.gop_starts), None


def _sound(container: InputContainer, place: int) -> AudioStream | None:
    try:
        return sound_stream(container, place)
    except UndecodableError:
        return None
