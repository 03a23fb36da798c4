"""Joins stretches of clips end to end into one film of one size and rate: each stretch becomes a shot."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream
from numpy.typing import NDArray

from pipelines.media.container import FILM_FORMATS, UndecodableError, open_media, picture_stream
from pipelines.media.picture import matrix_of
from pipelines.media.sound import sound_blocks

Floats = NDArray[np.float32]

SAMPLE_RATE_HZ = 48_000
AAC_FRAME_SAMPLES = 1024
AAC_BIT_RATE = 128_000
CHAPTER_TIME_BASE = Fraction(1, 1000)
FADE_SAMPLES = 240  # 5 ms at either end of a stretch: no click at the cut
BT601, TV_RANGE = int(Colorspace.ITU601), int(ColorRange.MPEG)
SMPTE_170M = 6  # primaries and transfer that go with BT.601
# One thread and no macroblock tree: x264 was seen to give other bytes with them for the same pictures.
ENCODER = {"crf": "18", "preset": "medium", "threads": "1", "x264-params": "mbtree=0"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A stretch of a clip, in sync with its sound."""

    path: Path
    start_s: Fraction
    num_frames: int  # in the film, at the film's rate
    gain: float = 1.0  # of its sound


@dataclass(frozen=True, kw_only=True, slots=True)
class TimedText:
    """A subtitle, or the title of a chapter, on the film's time."""

    start_s: Fraction
    end_s: Fraction
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FilmFormat:
    """What the stretches are made equal to."""

    width_px: int = 640
    height_px: int = 480
    frame_rate: Fraction = Fraction(25)
    language: str = "eng"  # ISO 639-2, as containers hold it
    title: str = ""


def concat(
    stretches: Sequence[Stretch],
    target: Path,
    film: FilmFormat,
    chapters: Sequence[TimedText] = (),
    subtitles: Sequence[TimedText] = (),
) -> Fraction:
    """Write the stretches one after the other as an H.264/AAC film in mp4.

    Pictures are scaled to cover the frame and cropped around the middle. At every moment of the film the
    frame is shown that the clip shows then, so picture and sound stay in sync at any rate of the clip.

    Returns:
        Seconds per pts tick of the film's picture.

    Raises:
        UndecodableError: a clip cannot be decoded, or is shorter than its stretch.
    """
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(target), "w", format="mp4", options=options) as out:
        out.metadata["title"] = film.title
        picture, sound, text = _add_picture(out, film), _add_sound(out, film), _add_subtitles(out, film)
        out.set_chapters(_chapters(chapters))
        _mux_picture(out, picture, stretches, film)
        _mux_sound(out, sound, _joined_sound(stretches, film))
        for subtitle in subtitles:
            _mux_subtitle(out, text, subtitle)
        assert picture.time_base is not None
        return picture.time_base


def _add_picture(out: av.container.OutputContainer, film: FilmFormat) -> VideoStream:
    stream = out.add_stream("libx264", rate=film.frame_rate, options=ENCODER)
    stream.codec_context.thread_count = 1  # PyAV sets it to the number of cores, whatever the options say
    assert isinstance(stream, VideoStream)
    stream.width, stream.height, stream.pix_fmt = film.width_px, film.height_px, "yuv420p"
    context = stream.codec_context
    context.time_base = 1 / film.frame_rate
    context.gop_size, context.max_b_frames = 50, 2
    context.colorspace, context.color_range = BT601, TV_RANGE
    context.color_primaries, context.color_trc = SMPTE_170M, SMPTE_170M
    stream.metadata["language"] = film.language
    return stream


def _add_sound(out: av.container.OutputContainer, film: FilmFormat) -> av.AudioStream:
    stream = out.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="stereo")
    assert isinstance(stream, av.AudioStream)
    stream.bit_rate = AAC_BIT_RATE
    stream.metadata["language"] = film.language
    return stream


def _add_subtitles(out: av.container.OutputContainer, film: FilmFormat) -> av.stream.Stream:
    stream = out.add_mux_stream("mov_text")
    stream.metadata["language"] = film.language
    return stream


def _chapters(chapters: Sequence[TimedText]) -> list[Any]:
    return [
        {
            "id": index,
            "start": round(chapter.start_s / CHAPTER_TIME_BASE),
            "end": round(chapter.end_s / CHAPTER_TIME_BASE),
            "time_base": CHAPTER_TIME_BASE,
            "metadata": {"title": chapter.text},
        }
        for index, chapter in enumerate(chapters)
    ]


def _mux_picture(
    out: av.container.OutputContainer, stream: VideoStream, stretches: Sequence[Stretch], film: FilmFormat
) -> None:
    frames = (frame for stretch in stretches for frame in _pictures(stretch, film))
    for index, frame in enumerate(frames):
        frame.pts, frame.time_base = index, 1 / film.frame_rate
        frame.colorspace, frame.color_range = BT601, TV_RANGE
        frame.color_primaries, frame.color_trc = SMPTE_170M, SMPTE_170M
        frame.pict_type = 0  # the clip's own key frames say nothing about the film's
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


def _pictures(stretch: Stretch, film: FilmFormat) -> Iterator[VideoFrame]:
    """The frame that the clip shows at each moment of the stretch, in the film's format."""
    moments = [stretch.start_s + index / film.frame_rate for index in range(stretch.num_frames)]
    with open_media(stretch.path, FILM_FORMATS) as container:
        stream = picture_stream(container)
        reshape = _reshaper(stream, film)
        for frame, count in _shown(container.decode(stream), moments, stretch.path.name):
            for _ in range(count):
                reshape.push(frame)
                reshaped = reshape.pull()
                assert isinstance(reshaped, VideoFrame)
                yield reshaped


def _shown(frames: Iterator[VideoFrame], moments: list[Fraction], name: str) -> Iterator[tuple[VideoFrame, int]]:
    """Each frame with the number of moments at which it is on screen, where there are any."""
    place = 0
    held = next(frames, None)
    while held is not None and place < len(moments):
        following = next(frames, None)
        until = _end_s(held) if following is None else _start_s(following)
        count = sum(moment < until for moment in moments[place:])
        if count:
            yield held, count
        place, held = place + count, following
    if place < len(moments):
        raise UndecodableError(f"{name} ends before the stretch of {len(moments)} frames that is taken from it")


def _start_s(frame: VideoFrame) -> Fraction:
    if frame.pts is None or frame.time_base is None:
        raise UndecodableError("a clip has a frame without pts")
    return frame.pts * frame.time_base


def _end_s(frame: VideoFrame) -> Fraction:
    return _start_s(frame) + frame.duration * (frame.time_base or Fraction(0))


def _reshaper(stream: VideoStream, film: FilmFormat) -> Graph:
    """Scale to cover the film's frame, crop around the middle, BT.601 in TV range."""
    context = stream.codec_context
    shape = context.width * (stream.sample_aspect_ratio or Fraction(1)), context.height
    factor = max(Fraction(film.width_px) / shape[0], Fraction(film.height_px, shape[1]))
    width, height = (2 * round(side * factor / 2) for side in shape)
    matrix = matrix_of(context.colorspace, context.width, context.height)
    names = {int(Colorspace.ITU709): "bt709"}
    graph = Graph()
    steps = [
        graph.add_buffer(template=stream),
        graph.add(
            "scale",
            f"{width}:{height}:flags=lanczos+accurate_rnd+full_chroma_int:out_color_matrix=bt601:out_range=tv"
            f":in_color_matrix={names.get(matrix, 'bt601')}",
        ),
        graph.add("crop", f"{film.width_px}:{film.height_px}"),
        graph.add("setsar", "1"),
        graph.add("format", "yuv420p"),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*steps).configure()
    return graph


def _joined_sound(stretches: Sequence[Stretch], film: FilmFormat) -> Floats:
    """[2, N] the sound of the stretches end to end; edges are rounded once, so nothing drifts."""
    edges = np.cumsum([0, *(stretch.num_frames for stretch in stretches)])
    starts = [round(int(edge) / film.frame_rate * SAMPLE_RATE_HZ) for edge in edges]
    parts = [_sound(stretch, starts[i + 1] - starts[i]) for i, stretch in enumerate(stretches)]
    return np.concatenate(parts, axis=1)


def _sound(stretch: Stretch, num_samples: int) -> Floats:
    whole = np.concatenate(list(sound_blocks(stretch.path, SAMPLE_RATE_HZ, "stereo")), axis=1)
    first = round(stretch.start_s * SAMPLE_RATE_HZ)
    part = whole[:, first : first + num_samples] * np.float32(stretch.gain)
    part = np.pad(part, ((0, 0), (0, num_samples - part.shape[1])))
    ramp = np.linspace(0, 1, FADE_SAMPLES, dtype=np.float32)
    part[:, :FADE_SAMPLES] *= ramp
    part[:, -FADE_SAMPLES:] *= ramp[::-1]
    return part


def _mux_sound(out: av.container.OutputContainer, stream: av.AudioStream, samples: Floats) -> None:
    for start in range(0, samples.shape[1], AAC_FRAME_SAMPLES):
        block = np.ascontiguousarray(samples[:, start : start + AAC_FRAME_SAMPLES])
        frame = av.AudioFrame.from_ndarray(block, "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE_HZ, start, Fraction(1, SAMPLE_RATE_HZ)
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


def _mux_subtitle(out: av.container.OutputContainer, stream: av.stream.Stream, subtitle: TimedText) -> None:
    data = subtitle.text.encode()
    packet = av.Packet(len(data).to_bytes(2, "big") + data)
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts = packet.dts = round(subtitle.start_s * 1000)
    packet.duration = round((subtitle.end_s - subtitle.start_s) * 1000)
    out.mux(packet)
