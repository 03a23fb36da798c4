"""Sound by film time: sample 0 lies at time 0, or where asked, whatever the offset and gaps of the stream."""

import wave
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from numpy.typing import NDArray

from pipelines.media.channels import UNNAMED, Routes, UnknownChannelError, channel_routes
from pipelines.media.container import UndecodableError, is_listed, open_media
from pipelines.media.sound_stretches import start_of, stretches
from schemas.mix import StemChannel
from schemas.timing import ANALYSIS_RATE_HZ

Floats = NDArray[np.float32]

BEGINNING = Fraction(0)
LEADING_CODECS = ("aac", "ac3", "eac3", "mp2", "mp2float", "mp3", "mp3float")  # their first samples are nobody's
RANGE_CODECS = ("ac3", "eac3")  # they carry gains for small rooms, which their decoders follow unless told not to
PCM_24_MAX = (1 << 23) - 1
SILENCE_SAMPLES = 1 << 16  # a hole is filled in blocks as large as that: it may last for hours


def read_mono(path: Path, sample_rate_hz: int = ANALYSIS_RATE_HZ, start_s: Fraction = BEGINNING) -> Floats:
    """The first sound stream mixed to mono: [N] float32, sample 0 at `start_s` of the container's time.

    Raises:
        UndecodableError: there is no sound that can be decoded.
    """
    return np.concatenate(list(mono_blocks(path, sample_rate_hz, start_s)))


def mono_blocks(
    path: Path,
    sample_rate_hz: int = ANALYSIS_RATE_HZ,
    start_s: Fraction = BEGINNING,
    damaged: list[str] | None = None,
    place: int = 0,
    channel: StemChannel = StemChannel.MEAN,
) -> Iterator[Floats]:
    """What `read_mono` gives, in blocks [n]: a film's sound need not fit into memory. Or one of two channels alone.

    Raises:
        UndecodableError: there is no sound that can be decoded.
    """
    layout = "mono" if channel is StemChannel.MEAN else "stereo"
    for block in sound_blocks(path, sample_rate_hz, layout, start_s, damaged, place):
        yield block[1 if channel is StemChannel.RIGHT else 0]


def read_channels(path: Path) -> tuple[Floats, int, str]:
    """The first sound stream as it is: [C, N] float32 with sample 0 at time 0, its rate in Hz, its layout's name."""
    rate, layout = read_layout(path)
    return np.concatenate(list(sound_blocks(path, rate, layout)), axis=1), rate, layout


def sound_blocks(
    path: Path,
    sample_rate_hz: int,
    layout: str,
    start_s: Fraction = BEGINNING,
    damaged: list[str] | None = None,
    place: int = 0,
) -> Iterator[Floats]:
    """A sound stream in blocks [C, n] that join without a gap, the first one at `start_s`.

    What lies before it is left out; a late start and holes in the stream are silence.

    Args:
        path: the file.
        sample_rate_hz: of the blocks.
        layout: FFmpeg's name of their channels.
        start_s: in the container's time.
        damaged: where it is given, what does not decode, and what is no number, is noted in it and is silence; else
            the one is an error, and the other comes as it is.
        place: of the stream among the file's sounds, from 0.

    Raises:
        UndecodableError: it cannot be decoded, or nothing is heard from `start_s` on.
    """
    with open_media(path) as container:
        stream = sound_stream(container, place)
        position = 0
        for first, samples in _resampled(container, stream, sample_rate_hz, layout, damaged):
            start = first - round(start_s * sample_rate_hz)
            while start > position:
                silent = min(start - position, SILENCE_SAMPLES)
                yield np.zeros((len(samples), silent), np.float32)
                position += silent
            fresh = samples[:, position - start :]
            if fresh.shape[1]:
                yield fresh
                position += fresh.shape[1]
        if position == 0:
            raise UndecodableError(f"{path.name} has a sound stream without sound")


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """What a sound stream of a file declares."""

    codec: str
    sample_rate_hz: int
    layout: str


def sound_format(path: Path, place: int = 0) -> SoundFormat:
    """How a file's sound is coded, the first or the one at a place; nothing of it is decoded.

    Raises:
        UndecodableError: there is no sound that can be decoded.
    """
    with open_media(path) as container:
        stream = sound_stream(container, place)
        return SoundFormat(stream.codec_context.name, stream.rate, layout_of(stream))


def read_layout(path: Path) -> tuple[int, str]:
    """Rate in Hz and name of the layout of the first sound stream."""
    found = sound_format(path)
    return found.sample_rate_hz, found.layout


def has_sound(path: Path) -> bool:
    """Whether a file has a sound stream; nothing is decoded.

    Raises:
        UndecodableError: it cannot be opened.
    """
    with open_media(path) as container:
        return bool(container.streams.audio)


def tells_lead(path: Path, place: int = 0) -> bool:
    """Whether a file says which samples its codec put before the first one, or its codec puts none there.

    AAC in ADTS, in transport streams and in fragments without an edit list does not; raw AC-3 and MP2 do not either.

    Raises:
        UndecodableError: there is no sound that can be decoded.
    """
    with open_media(path) as container:
        stream = sound_stream(container, place)
        first = next(container.demux(stream))
        skips = any(data.data_type == "skip_samples" for data in first.iter_sidedata())
        return skips or stream.codec_context.name not in LEADING_CODECS


def layout_of(sound: AudioStream | AudioFrame) -> str:
    """Name of its layout; of the usual one where the file only counts channels, as plain WAV does."""
    name = sound.layout.name
    return UNNAMED.get(sound.layout.nb_channels, name) if is_unnamed(name) else name


def is_unnamed(layout: str) -> bool:
    """Whether a layout's name, as `layout_of` gives it, only counts channels, of which there is no usual order."""
    return layout.endswith(" channels")


def panned_blocks(
    path: Path,
    sample_rate_hz: int,
    layout: str,
    start_s: Fraction = BEGINNING,
    routes: Routes = channel_routes,
    damaged: list[str] | None = None,
    place: int = 0,
) -> Iterator[Floats]:
    """The same as `sound_blocks`, each channel heard where `routes` says; FFmpeg's mix of channels without a name."""
    own = sound_format(path, place).layout
    try:
        gains = routes(own, layout)
    except UnknownChannelError:
        yield from sound_blocks(path, sample_rate_hz, layout, start_s, damaged, place)
        return
    for block in sound_blocks(path, sample_rate_hz, own, start_s, damaged, place):
        yield gains @ block


def sound_stream(container: InputContainer, place: int = 0) -> AudioStream:
    """The sound stream at a place, from 0, its decoder pinned, and its loud and soft parts as they were mixed.

    Raises:
        UndecodableError: there is none, or its codec is not on the list.
    """
    if len(container.streams.audio) <= place:
        raise UndecodableError("there is no sound stream")
    stream = container.streams.audio[place]
    context = stream.codec_context
    if not is_listed(stream):
        raise UndecodableError(f"sound codec {context.name if context else 'unknown'} is not on the list")
    context.thread_count = 1
    if context.name in RANGE_CODECS:
        context.options = {"drc_scale": "0"}
    return stream


def _resampled(
    container: InputContainer, stream: AudioStream, sample_rate_hz: int, layout: str, damaged: list[str] | None
) -> Iterator[tuple[int, Floats]]:
    """Blocks with the place of their first sample. Each stretch without a hole is resampled by itself."""
    origin_s = _origin_s(container, stream)
    for stretch in stretches(_decoded(container, stream, damaged)):
        resampler = AudioResampler(format="flt", layout=layout, rate=sample_rate_hz)  # PyAV has no 8 planes
        position: int | None = None
        for frame in stretch:
            if position is None and frame is not None:
                position = round((start_of(frame) - origin_s) * sample_rate_hz)
            for block in resampler.resample(frame and _named(frame)):
                assert position is not None
                samples = _numbers(np.asarray(block.to_ndarray(), np.float32), damaged)
                yield position, samples.reshape(block.samples, -1).T
                position += block.samples


def _named(frame: AudioFrame) -> AudioFrame:
    """A frame whose channels have names; FFmpeg takes three without names for two and low frequency effects."""
    layout = layout_of(frame)
    if layout == frame.layout.name or frame.format.name.startswith("s64"):  # PyAV has no array of 64 bits
        return frame
    named = AudioFrame.from_ndarray(frame.to_ndarray(), frame.format.name, layout)
    named.sample_rate, named.pts, named.time_base = frame.sample_rate, frame.pts, frame.time_base
    return named


def _origin_s(container: InputContainer, stream: AudioStream) -> Fraction:
    """The moment that counts as 0: of MP3, which has no clock, what is left when the codec's lead is cut off."""
    if container.format.name != "mp3" or stream.start_time is None or stream.time_base is None:
        return BEGINNING
    return Fraction(stream.start_time * stream.time_base)


def _numbers(samples: Floats, damaged: list[str] | None) -> Floats:
    """Samples, silent where they are no numbers: one of them would spread over all that it is mixed with."""
    if damaged is None or np.isfinite(samples).all():
        return samples
    damaged.append("samples that are no numbers")
    return np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)


def _decoded(container: InputContainer, stream: AudioStream, damaged: list[str] | None) -> Iterator[AudioFrame]:
    if damaged is None:
        yield from container.decode(stream)
        return
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.FFmpegError as error:
            at = (
                ""
                if packet.pts is None or packet.time_base is None
                else f" at {float(packet.pts * packet.time_base):.2f} s"
            )
            damaged.append(f"{error.strerror or type(error).__name__}{at}")
            continue
        yield from frames


def write_wav(path: Path, samples: Floats, sample_rate_hz: int) -> None:
    """Write [N] or [C, N] float samples in [-1, 1] as 24-bit PCM; what is louder is clipped."""
    channels = np.atleast_2d(samples)
    codes = np.round(np.clip(channels, -1, 1) * PCM_24_MAX).astype("<i4")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(3)
        file.setframerate(sample_rate_hz)
        file.writeframes(codes.T.copy().view(np.uint8).reshape(-1, 4)[:, :3].tobytes())
