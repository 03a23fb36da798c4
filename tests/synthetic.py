"""Tiny films made on the spot, of which everything is known.

Each frame shows its own number as a bar code (`frame_number` reads it back after H.264), each shot has a
colour of its own, and the sound ticks at known samples. So a test can say which frame it got, where the
cuts are and whether sound moved, without asking the code that it tests.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.context import Flags as CodecFlags
from av.stream import Disposition
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

FILM_24, PAL_25, NTSC_30 = Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001)
TICK_EVERY_S = Fraction(1, 2)
TICK_S = Fraction(1, 100)
CODE_BITS = 10
SHOT_COLOURS = ((60, 90, 150), (170, 120, 60), (70, 150, 80), (150, 70, 140), (110, 110, 110))

Draw = Callable[[int], NDArray[np.uint8]]
Sound = Callable[[int, int], NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class FilmSpec:
    """What to make. The defaults are two seconds of film with a cut in the middle, in one language."""

    num_frames: int = 50
    cuts: tuple[int, ...] = (25,)  # index of the first frame of each shot but the first
    frame_rate: Fraction = PAL_25
    durations: tuple[int, ...] | None = None  # ticks of 1/600 s shown by each frame: a VFR film
    start_frame: int = 0  # the first pts, in frames
    width_px: int = 160
    height_px: int = 120
    pixel_format: str = "yuv420p"
    codec: str = "libx264"
    encoder: tuple[tuple[str, str], ...] = (("crf", "12"), ("preset", "veryfast"), ("threads", "1"))
    gop: int = 12
    b_frames: int = 2
    colour: tuple[int, int, int, int] | None = (1, 1, 1, 1)  # matrix, primaries, transfer, range; None: untagged
    rotation: int = 0  # degrees to the left by which a player turns the picture
    sample_aspect_ratio: Fraction | None = None
    languages: tuple[str, ...] = ("eng",)  # one sound stream each
    marks: tuple[Disposition, ...] | None = None  # of each sound stream; None: as the muxer likes
    sample_rate_hz: int = 48_000
    layout: str = "stereo"
    sound_codec: str = "aac"
    sound_start_s: Fraction = Fraction(0)
    subtitle: str | None = "eng"
    chapters: bool = True
    title: str = "Synthetic"
    extra: dict[str, str] = field(default_factory=dict)  # container options


@dataclass(frozen=True)
class SyntheticFilm:
    """What is true of a film that `make_film` wrote."""

    path: Path
    spec: FilmSpec
    time_base: Fraction  # of the picture stream, as the container keeps it
    pts: tuple[int, ...]  # of every frame shown, display order
    end_pts: int  # where the last frame ends
    cuts: tuple[int, ...]  # pts of the first frame of each shot but the first

    @property
    def duration_s(self) -> Fraction:
        return (self.end_pts - self.pts[0]) * self.time_base


_MADE: dict[tuple[str, str], tuple[SyntheticFilm, bytes]] = {}  # films of this process, by container and name


def make_film(
    path: Path, spec: FilmSpec | None = None, draw: Draw | None = None, sound: Sound | None = None
) -> SyntheticFilm:
    """Write a film: H.264/AAC by default, in the container that the suffix names (mp4, mov, mkv, ts).

    True of it: frame i shows the number i (`frame_number`), the colour of its shot, and noise that differs
    from frame to frame; sound stream k ticks at every half second with pitch 440 * (k + 1) Hz; chapters
    "One" and "Two" halve the film; the subtitle says "hello" from 0.2 s to 1 s.

    Args:
        path: where to write.
        spec: what to make.
        draw: frame index -> [H, W, 3] RGB, instead of the bar code on colours.
        sound: (number of samples, rate in Hz) -> [N], the same in all channels, or [C, N]; instead of the ticks.
    """
    spec = spec or FilmSpec()
    if draw or sound:
        return _written(path, spec, draw, sound)
    return made_once(path, f"coded {spec}", lambda: _written(path, spec, None, None))


def made_once(path: Path, name: str, make: Callable[[], SyntheticFilm]) -> SyntheticFilm:
    """The film of this name in this container; tests that want it again get the same bytes, and encode nothing.

    Args:
        path: where to write.
        name: what is true of the film and all that it is made of.
        make: writes it there, the first time.
    """
    key = (path.suffix, name)
    if key not in _MADE:
        film = make()
        _MADE[key] = film, path.read_bytes()
    film, content = _MADE[key]
    path.write_bytes(content)
    return replace(film, path=path)


def _written(path: Path, spec: FilmSpec, draw: Draw | None, sound: Sound | None) -> SyntheticFilm:
    options = {"movflags": "+faststart", **spec.extra} if path.suffix in (".mp4", ".mov") else spec.extra
    with av.open(str(path), "w", options=options) as out:
        out.metadata["title"] = spec.title
        picture = _add_picture(out, spec)
        sounds = [_add_sound(out, spec, language) for language in spec.languages]
        for stream, mark in zip(sounds, spec.marks or (), strict=spec.marks is not None):
            stream.disposition = mark
        subtitle = _add_subtitle(out, spec)
        _mux_picture(out, picture, spec, draw or coded_frame(spec))
        for place, stream in enumerate(sounds):
            _mux_sound(out, stream, spec, sound or partial(ticking, pitch_hz=440.0 * (place + 1)))
        if subtitle is not None:
            _mux_line(out, subtitle, "hello")
        if spec.chapters:
            out.set_chapters(_chapters(spec))
    return _truth(path, spec)


def frame_ticks(spec: FilmSpec) -> tuple[list[int], int, Fraction]:
    """Start of every frame and end of the last, in ticks of the encoder's time base."""
    durations = spec.durations or (1,) * spec.num_frames
    starts = spec.start_frame + np.concatenate([[0], np.cumsum(durations)])
    return [int(start) for start in starts[:-1]], int(starts[-1]), _encoder_time_base(spec)


def coded_frame(spec: FilmSpec) -> Draw:
    """The default picture: shot colour, noise below, frame number as a bar code above."""

    def draw(index: int) -> NDArray[np.uint8]:
        shot = sum(index >= cut for cut in spec.cuts)
        picture = np.full((spec.height_px, spec.width_px, 3), SHOT_COLOURS[shot % len(SHOT_COLOURS)], np.int16)
        noise = np.random.default_rng(index).integers(-6, 7, (spec.height_px, spec.width_px, 1))
        picture += noise.astype(np.int16)
        bit_px = spec.width_px // CODE_BITS
        for bit in range(CODE_BITS):
            picture[:16, bit * bit_px : (bit + 1) * bit_px] = 220 if index >> bit & 1 else 30
        return picture.clip(0, 255).astype(np.uint8)

    return draw


def frame_number(rgb: NDArray[np.uint8]) -> int:
    """The number that a frame of `coded_frame` shows."""
    bit_px = rgb.shape[1] // CODE_BITS
    bits = [rgb[4:12, bit * bit_px + 3 : (bit + 1) * bit_px - 3].mean() > 128 for bit in range(CODE_BITS)]
    return sum(1 << bit for bit, is_set in enumerate(bits) if is_set)


def ticking(num_samples: int, sample_rate_hz: int, pitch_hz: float = 440.0) -> NDArray[np.float32]:
    """[N] silence with a tone of 10 ms at every half second, beginning at sample 0."""
    time_s = np.arange(num_samples) / sample_rate_hz
    on = time_s % float(TICK_EVERY_S) < float(TICK_S)
    return (0.5 * np.sin(2 * np.pi * pitch_hz * time_s) * on).astype(np.float32)


def _encoder_time_base(spec: FilmSpec) -> Fraction:
    return Fraction(1, 600) if spec.durations else 1 / spec.frame_rate


def _add_picture(out: av.container.OutputContainer, spec: FilmSpec) -> av.VideoStream:
    stream = out.add_stream(spec.codec, rate=spec.frame_rate, options=dict(spec.encoder))
    stream.width, stream.height, stream.pix_fmt = spec.width_px, spec.height_px, spec.pixel_format
    context = stream.codec_context
    context.time_base = _encoder_time_base(spec)
    context.gop_size, context.max_b_frames = spec.gop, spec.b_frames
    context.thread_count = 1
    context.flags |= CodecFlags.frame_duration  # else the last frame of a VFR film lasts as long as the one before
    if spec.colour:
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = spec.colour
    if spec.rotation:
        stream.set_display_rotation(spec.rotation)
    if spec.sample_aspect_ratio:
        context.sample_aspect_ratio = spec.sample_aspect_ratio
    stream.metadata["language"] = spec.languages[0] if spec.languages else "und"
    return stream


def _add_sound(out: av.container.OutputContainer, spec: FilmSpec, language: str) -> av.AudioStream:
    stream = out.add_stream(spec.sound_codec, rate=spec.sample_rate_hz, layout=spec.layout)
    stream.bit_rate = 64_000
    stream.metadata["language"] = language
    return stream


def _add_subtitle(out: av.container.OutputContainer, spec: FilmSpec) -> av.stream.Stream | None:
    if spec.subtitle is None or out.format.name == "mpegts":
        return None
    stream = out.add_mux_stream("subrip" if out.format.name == "matroska" else "mov_text")
    stream.metadata["language"] = spec.subtitle
    return stream


def _mux_picture(out: av.container.OutputContainer, stream: av.VideoStream, spec: FilmSpec, draw: Draw) -> None:
    starts, end, time_base = frame_ticks(spec)
    matrix, full = (spec.colour[0], spec.colour[3] == 2) if spec.colour else (Colorspace.ITU601, False)
    for index, (start, following) in enumerate(pairwise([*starts, end])):
        frame = av.VideoFrame.from_ndarray(draw(index), "rgb24").reformat(
            format=spec.pixel_format,
            dst_colorspace=matrix,
            dst_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
        )
        if spec.colour:
            frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range = spec.colour
        frame.pts, frame.duration, frame.time_base = start, following - start, time_base
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


def _mux_sound(out: av.container.OutputContainer, stream: av.AudioStream, spec: FilmSpec, sound: Sound) -> None:
    starts, end, time_base = frame_ticks(spec)
    num_samples = round((end - starts[0]) * time_base * spec.sample_rate_hz)
    num_channels = av.AudioLayout(spec.layout).nb_channels
    samples = np.broadcast_to(sound(num_samples, spec.sample_rate_hz), (num_channels, num_samples))
    first = round((starts[0] * time_base + spec.sound_start_s) * spec.sample_rate_hz)
    for start in range(0, num_samples, 1024):
        packed = np.ascontiguousarray(samples[:, start : start + 1024].T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, "flt", spec.layout)
        frame.sample_rate, frame.pts = spec.sample_rate_hz, first + start
        frame.time_base = Fraction(1, spec.sample_rate_hz)
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


def _mux_line(out: av.container.OutputContainer, stream: av.stream.Stream, text: str) -> None:
    data = text.encode()
    packet = av.Packet(data if out.format.name == "matroska" else len(data).to_bytes(2, "big") + data)
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts = packet.dts = 200
    packet.duration = 800
    out.mux(packet)


def _chapters(spec: FilmSpec) -> list[Any]:
    starts, end, time_base = frame_ticks(spec)
    edges: Sequence[int] = [round(tick * time_base * 1000) for tick in (starts[0], (starts[0] + end) // 2, end)]
    return [
        {"id": i, "start": edges[i], "end": edges[i + 1], "time_base": Fraction(1, 1000), "metadata": {"title": name}}
        for i, name in enumerate(("One", "Two"))
    ]


def _truth(path: Path, spec: FilmSpec) -> SyntheticFilm:
    starts, end, unit = frame_ticks(spec)
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        time_base = stream.time_base
        first = min(packet.pts for packet in film.demux(stream) if packet.pts is not None and not packet.is_discard)
    assert time_base is not None
    # MP4 keeps a late start in ms and MPEG-TS adds an offset: the distances are ours, the first pts is the container's
    shift = first - round(starts[0] * unit / time_base)
    pts = [round(tick * unit / time_base) + shift for tick in starts]
    end_pts = round(end * unit / time_base) + shift
    return SyntheticFilm(path, spec, time_base, tuple(pts), end_pts, tuple(pts[cut] for cut in spec.cuts))
