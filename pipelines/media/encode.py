"""Encoders of the delivered streams: the picture as the source was coded, the dub as AAC or without loss."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from pipelines.media.ahead import Ahead
from pipelines.media.dub_track import DubTrack
from pipelines.media.light import light_params
from pipelines.media.nal import Avc, Hevc
from pipelines.media.parameter_sets import read_sets
from pipelines.media.picture import planes_of
from pipelines.media.presentation import display_matrix
from pipelines.media.run_quality import COARSEST_CRF
from pipelines.media.vui import siting_params

Plane = NDArray[Any]
Encoded = tuple["list[Packet[AudioStream]]", int]

AAC_FRAME_SAMPLES = 1024
MOST_AHEAD = 4096  # frames of sound that are encoded before they are wanted: a minute and a half of AAC is 3 MB
HEVC_TAGS = ("hvc1", "hev1")
LIGHT_NAMES = {"libx264": ("mastering-display", "cll"), "libx265": ("master-display", "max-cll")}
ENCODERS = {"h264": "libx264", "hevc": "libx265"}  # anything else is delivered as H.264, of 12 bits as HEVC


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodeConfig:
    """How the picture is encoded. Threads are part of it: x264 gives other bytes for another count."""

    crf: int = 14  # visually transparent: untouched frames are a second generation; at most `COARSEST_CRF`
    preset: str = "medium"
    threads: int = 2
    keyframe_s: int = 2  # longest distance of keyframes
    sound_bit_rate_per_channel: int = 128_000

    def __post_init__(self) -> None:
        if not 0 <= self.crf <= COARSEST_CRF:
            raise ValueError(f"crf must lie in 0..{COARSEST_CRF}, coarser ones smear what was painted; got {self.crf}")


def add_picture(
    out: OutputContainer, source: VideoStream, first: VideoFrame, config: EncodeConfig, more: Sequence[str] = ()
) -> VideoStream:
    """A picture stream with the source's size, format, colour tags, light, shape of pixels and time base.

    Args:
        out: the film that is written.
        source: the film's own picture.
        first: its first frame.
        config: encoder settings.
        more: what the encoder is told besides, as x264 and x265 take it.
    """
    rate = source.average_rate or source.guessed_rate
    name, options = _encoder_of(source, first, config, more)
    stream = cast(VideoStream, out.add_stream(name, rate=rate, options=options))
    _set_up(stream.codec_context, source, first, config)
    stream.set_display_matrix(display_matrix(first))
    return stream


def further_encoder(
    source: VideoStream, first: VideoFrame, config: EncodeConfig, more: Sequence[str]
) -> VideoCodecContext:
    """What goes on from a frame in a stream of `add_picture`; it says in its keyframes what their colours are."""
    name, options = _encoder_of(source, first, config, more)
    context = cast(VideoCodecContext, av.CodecContext.create(name, "w"))
    context.options, context.framerate = options, Fraction(source.average_rate or source.guessed_rate or 25)
    _set_up(context, source, first, config)
    return context


def _encoder_of(
    source: VideoStream, first: VideoFrame, config: EncodeConfig, more: Sequence[str]
) -> tuple[str, dict[str, str]]:
    name = encoder_name(source)
    return name, _options(name, config, [*light_params(first, LIGHT_NAMES[name]), *_siting(source), *more])


def encoder_name(source: VideoStream) -> str:
    """Of the encoder of a film's picture."""
    is_deep = "12" in (source.codec_context.pix_fmt or "")  # x264 has 10 bits at most
    return ENCODERS.get(source.codec_context.codec.canonical_name, "libx265" if is_deep else "libx264")


def _set_up(context: VideoCodecContext, source: VideoStream, first: VideoFrame, config: EncodeConfig) -> None:
    context.width, context.height, context.pix_fmt = first.width, first.height, first.format.name
    context.time_base = _known(source.time_base)
    context.gop_size = max(1, round(config.keyframe_s * (source.average_rate or 25)))
    context.thread_count = config.threads
    context.flags |= Flags.frame_duration
    tag_as(context, first)
    own = source.codec_context
    if context.name == "libx265" and own.codec_tag in HEVC_TAGS:
        context.codec_tag = own.codec_tag  # Apple's players want hvc1 where it was
    if source.sample_aspect_ratio:
        context.sample_aspect_ratio = source.sample_aspect_ratio


def tag_as(context: VideoCodecContext, frame: VideoFrame) -> None:
    """Give an encoder the four colour tags of a frame."""
    context.color_range, context.colorspace = frame.color_range, frame.colorspace
    context.color_primaries, context.color_trc = frame.color_primaries, frame.color_trc


def _siting(source: VideoStream) -> list[str]:
    """Where chroma lies, as the source's first parameter set says; JPEG has it in the middle, others say nothing."""
    codec, pixel_format = source.codec_context.codec.canonical_name, source.codec_context.pix_fmt
    if codec == "mjpeg" and "420" in (pixel_format or ""):
        return ["chromaloc=1"]
    if codec not in ENCODERS:
        return []
    try:
        sets = read_sets(codec, source.codec_context.extradata).sets
    except ValueError:
        return []
    kind = Avc.SPS if codec == "h264" else Hevc.SPS
    return siting_params(next(iter(sets.get(kind, ())), None), codec, pixel_format)


def _options(encoder: str, config: EncodeConfig, told: list[str]) -> dict[str, str]:
    options = {"crf": str(config.crf), "preset": config.preset}
    if encoder == "libx265":
        params = [f"pools={config.threads}", "frame-threads=1", "open-gop=0", "log-level=error", *told]
        return options | {"x265-params": ":".join(params)}
    # With its macroblock tree x264 was seen to give other bytes for the same pictures, at small odd sizes.
    return options | {"threads": str(config.threads), "x264-params": ":".join(["open-gop=0", "mbtree=0", *told])}


def encode_picture(encoder: VideoCodecContext, source: VideoFrame, planes: list[Plane] | None) -> "list[Packet[Any]]":
    """Packets of one frame: of the decoder's own samples, or of new planes in its place."""
    frame = source if planes is None else with_planes(planes, source)
    frame.pict_type = PictureType.NONE  # the source's choice of I, P and B is not ours
    return encoder.encode(frame)


def with_planes(planes: list[Plane], frame: VideoFrame) -> VideoFrame:
    """The frame with other samples: its times, tags and side data (captions, light levels) stay.

    The decoder may still refer to the frame's samples; `make_writable` copies them then.
    """
    frame.make_writable()
    for target, samples in zip(frame.planes, planes, strict=True):
        room = np.frombuffer(memoryview(target), samples.dtype)
        rows = room.reshape(-1, target.line_size // samples.dtype.itemsize)
        rows[: target.height, : target.width] = samples
    return frame


def as_encoded(frame: VideoFrame, pixel_format: str) -> VideoFrame:
    """The frame with samples of as many bits as an encoder takes: fewer of them are rounded, nothing else changes."""
    if frame.format.name == pixel_format:
        return frame
    made = VideoFrame(frame.width, frame.height, pixel_format)
    bits = made.format.components[0].bits
    lost = frame.format.components[0].bits - bits
    planes = [((plane + (1 << lost >> 1)) >> lost).clip(max=(1 << bits) - 1) for plane in planes_of(frame)]
    made.pts, made.time_base, made.duration = frame.pts, frame.time_base, frame.duration
    made.colorspace, made.color_range = frame.colorspace, frame.color_range
    made.color_primaries, made.color_trc = frame.color_primaries, frame.color_trc
    return with_planes(planes, made)


class DubEncoder:
    """The dub track, encoded beside the picture, and taken as far as that has come. Closed after use."""

    def __init__(
        self, out: OutputContainer, track: DubTrack, start_s: Fraction, end_s: Fraction, config: EncodeConfig
    ) -> None:
        channels = len(av.AudioLayout(track.layout).channels)
        stream = out.add_stream(track.codec, rate=track.sample_rate_hz, layout=track.layout)
        self.stream = cast(AudioStream, stream)
        if track.codec == "aac":
            self.stream.bit_rate = config.sound_bit_rate_per_channel * channels
        else:
            self.stream.codec_context.format = av.AudioFormat("s32")  # of which 24 bits are kept
        self.peak = 0.0  # above 1 the mix clips
        self._track = track
        frames = _in_frames(track.blocks(math.ceil((end_s - start_s) * track.sample_rate_hz)))
        self._position = round(start_s * track.sample_rate_hz)  # the dub's sample 0 is heard with the first frame
        self.stream.codec_context.open(strict=False)  # here: the muxer would open it too, beside the thread
        self._encoded = Ahead(self._encode(frames, self._position), MOST_AHEAD, "dub")
        self._ended = False

    def _encode(self, frames: Iterator[NDArray[np.float32]], position: int) -> "Iterator[Encoded]":
        """What each frame gives, and where the next one begins; at last what the encoder has left."""
        for samples in frames:
            packets = self.stream.encode(self._frame(samples, position))
            position += samples.shape[1]
            yield packets, position
        yield self.stream.encode(None), position

    def until(self, seconds: Fraction | None) -> "Iterator[Packet[AudioStream]]":
        """The packets of the sound up to a film time; of all that is left for None."""
        rate = self._track.sample_rate_hz
        while not self._ended and (seconds is None or self._position < seconds * rate):
            encoded = self._encoded.take()
            if encoded is None:
                self._ended = True
                return
            packets, self._position = encoded
            yield from packets

    def close(self) -> None:
        """Encode no further."""
        self._encoded.close()

    def _frame(self, samples: NDArray[np.float32], position: int) -> av.AudioFrame:
        self.peak = max(self.peak, float(np.abs(samples).max()))
        clipped = np.clip(samples, -1, 1)  # AAC makes what lies above softer, all of it
        packed = np.ascontiguousarray(clipped.T, np.float32).reshape(1, -1)  # PyAV has no 8 planes
        frame = av.AudioFrame.from_ndarray(packed, "flt", self._track.layout)
        frame.sample_rate, frame.pts = self._track.sample_rate_hz, position
        frame.time_base = Fraction(1, self._track.sample_rate_hz)
        return frame


def _in_frames(blocks: Iterator[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """The same samples in blocks as large as a frame of AAC, only the last one shorter."""
    held: list[NDArray[np.float32]] = []
    for block in blocks:
        held.append(block)
        joined = np.concatenate(held, axis=1)
        whole = joined.shape[1] // AAC_FRAME_SAMPLES * AAC_FRAME_SAMPLES
        for start in range(0, whole, AAC_FRAME_SAMPLES):
            yield joined[:, start : start + AAC_FRAME_SAMPLES]
        held = [joined[:, whole:]]
    if held and held[0].shape[1]:
        yield held[0]


def _known(time_base: Fraction | None) -> Fraction:
    assert time_base is not None
    return Fraction(time_base)
