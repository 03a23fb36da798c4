"""Frames of a film with their changes as ProRes in a MOV of their own, which any editing system takes."""

from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import cast

import av
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream

from pipelines.media.container import FILM_FORMATS, open_media, picture_stream
from pipelines.media.encode import with_planes
from pipelines.media.muxer import writing
from pipelines.media.picture import coded_planes, coding_of, frames
from pipelines.media.picture_writer import Changes
from pipelines.media.presentation import display_matrix

FULL_CHROMA = ("prores_ks", "4444", "yuv444p10le")
HALF_CHROMA = ("prores_ks", "hq", "yuv422p10le")
KERNEL = Interpolation.BICUBIC | Interpolation.ACCURATE_RND
THREADS = 2


def write_insert(
    source: Path,
    target: Path,
    start_pts: int,
    end_pts: int,
    changes: Changes,
    timecode: str | None = None,
    rate: Fraction | None = None,
) -> int:
    """Write the frames shown in [start_pts, end_pts) as they are delivered, before their last encoding.

    Args:
        source: the film.
        target: a MOV. Its first frame has pts 0.
        start_pts: of the first frame.
        end_pts: of the first frame after them.
        changes: what becomes of them.
        timecode: of the first frame.
        rate: frames a second, where they are even: a container may have rounded their times. None: frames last as
            long as in the film.

    Returns:
        How many frames there are.

    Raises:
        UndecodableError: the film cannot be decoded.
        UnwritableError: the file cannot be written.
    """
    num_frames = 0
    with open_media(source, FILM_FORMATS) as film, writing(target), av.open(str(target), "w") as out:
        own = picture_stream(film)
        stream: VideoStream | None = None
        for pts, frame in frames(source, start_pts, end_pts):
            planes = changes.change(pts, partial(coded_planes, frame))
            changed = frame if planes is None else with_planes(planes, frame)
            stream = stream or _stream(out, own, changed, timecode, rate)
            made = _as_prores(changed, stream, pts - start_pts)
            if rate is not None:
                made.pts, made.time_base, made.duration = num_frames, 1 / rate, 1
            out.mux(stream.encode(made))
            num_frames += 1
        if stream is not None:
            out.mux(stream.encode(None))
    return num_frames


def _stream(
    out: av.container.OutputContainer,
    own: VideoStream,
    first: VideoFrame,
    timecode: str | None,
    even_rate: Fraction | None,
) -> VideoStream:
    is_full = coding_of(first).chroma_x == 1
    name, profile, pixels = FULL_CHROMA if is_full else HALF_CHROMA
    rate = even_rate or own.average_rate or own.guessed_rate
    stream = cast(VideoStream, out.add_stream(name, rate=rate, options={"profile": profile, "vendor": "apl0"}))
    stream.width, stream.height, stream.pix_fmt = first.width, first.height, pixels
    stream.codec_context.time_base = 1 / even_rate if even_rate else Fraction(own.time_base or 1)
    stream.codec_context.thread_count = THREADS
    if own.sample_aspect_ratio:
        stream.codec_context.sample_aspect_ratio = own.sample_aspect_ratio
    stream.set_display_matrix(display_matrix(first))
    if timecode:
        stream.metadata["timecode"] = timecode
    return stream


def _as_prores(frame: VideoFrame, stream: VideoStream, pts: int) -> VideoFrame:
    """The frame at 10 bits, tagged as it was."""
    tags = frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc
    time_base, duration = frame.time_base, frame.duration
    made = frame.reformat(
        format=stream.pix_fmt,
        src_colorspace=tags[0],
        dst_colorspace=tags[0],
        src_color_range=tags[1],
        dst_color_range=tags[1],
        interpolation=KERNEL,
    )
    made.colorspace, made.color_range, made.color_primaries, made.color_trc = tags
    made.pts, made.time_base, made.duration, made.pict_type = pts, time_base, duration, PictureType.NONE
    return made
