"""Opening a media file as what it is: untrusted bytes that may name other files.

Three locks, each of which alone stops a playlist from reading what it should not: only regular
files are opened, only known containers are probed, and every further open that the demuxer asks
for is refused.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NoReturn

import av
from av.audio.stream import AudioStream
from av.codec.context import Flags
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

FILM_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mxf,mpegts,mpeg,avi,h264,hevc"
SOUND_FORMATS = f"{FILM_FORMATS},wav,w64,flac,mp3,ogg,aac,ac3,eac3,aiff,caf"
PICTURE_CODECS = ("h264", "hevc", "prores", "dnxhd", "mpeg2video", "mpeg4", "mjpeg", "ffv1", "vp9", "libdav1d", "av1")
SOUND_CODECS = ("aac", "ac3", "eac3", "mp2float", "mp3float", "mp2", "mp3", "flac", "alac", "opus", "vorbis", "dca")
MAX_STREAMS = 64
MAX_PIXELS = 8192 * 4320
DECODER_THREADS = 1  # shots are what runs in parallel; a pinned decoder is also byte-stable and cannot stall on exit


class UndecodableError(RuntimeError):
    """The file cannot be opened or decoded as far as it was asked for."""


def _deny_open(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    raise PermissionError(f"a media file may not open other files, but this one asks for {url!r}")


def _open_regular(path: Path) -> BinaryIO:
    descriptor = os.open(path.resolve(strict=True), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UndecodableError(f"{path.name} is not a regular file")
    return os.fdopen(descriptor, "rb")


@contextmanager
def open_media(path: Path, formats: str = SOUND_FORMATS) -> Iterator[InputContainer]:
    """A container open for reading, closed with its decoders when the block ends.

    Raises:
        UndecodableError: not a regular file, no known container, or broken media met inside the block.
        FileNotFoundError: there is no such file.
    """
    options = {"format_whitelist": formats, "protocol_whitelist": "file", "max_streams": str(MAX_STREAMS)}
    opener: Callable[..., NoReturn] = _deny_open
    with _open_regular(path) as file:
        try:
            container = av.open(file, "r", options=options, metadata_errors="surrogateescape", io_open=opener)
            with container:
                yield container
        except av.FFmpegError as error:
            raise UndecodableError(
                f"{path.name} cannot be decoded: {error.strerror or type(error).__name__}"
            ) from error


def picture_stream(container: InputContainer) -> VideoStream:
    """The film's picture, its decoder pinned: the first video stream that is no cover art.

    Raises:
        UndecodableError: there is none, or its codec is not on the list.
    """
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return _pinned(stream)
    raise UndecodableError("there is no picture stream")


def _pinned(stream: VideoStream) -> VideoStream:
    context = stream.codec_context
    if context is None or context.name not in PICTURE_CODECS:
        raise UndecodableError(f"picture codec {context.name if context else 'unknown'} is not on the list")
    context.thread_type = "SLICE"
    context.thread_count = DECODER_THREADS
    context.options = {"max_pixels": str(MAX_PIXELS)}
    context.flags |= Flags.unaligned  # else a few pixels that are cropped at the left are shown
    return stream


def is_listed(sound: AudioStream) -> bool:
    """Whether a sound is of a codec that is decoded here."""
    context = sound.codec_context
    return bool(context) and (context.name in SOUND_CODECS or context.name.startswith("pcm_"))
