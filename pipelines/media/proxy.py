"""Review proxies: a short stretch of source and delivered film side by side, H.264/AAC, for a browser.

Films in wide colours or high dynamic range are shown as on an ordinary screen (`ordinary_screen`).
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from av import AudioFrame, VideoFrame
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from pipelines.media.picture import frames, to_rgb
from pipelines.media.sound import sound_blocks

MAX_PROXY_BYTES = 20 << 20  # MLflow's page loads the whole file before it plays
PANE_HEIGHT_PX = 360
MAX_BITRATE = 2_500_000
SOUND_RATE_HZ = 48_000
SOUND_BITRATE = 96_000
TICKS_HZ = 90_000  # of the proxy's own clock: exact for every common frame rate


def write_side_by_side(
    source: Path, delivered: Path, target: Path, start_pts: int, end_pts: int, time_base: Fraction
) -> int:
    """Write the source's picture left, the delivered one right, with the delivered sound; return its bytes.

    Args:
        source: the film as it was.
        delivered: the film as it is now; same pts.
        target: an .mp4; its folder exists.
        start_pts: first frame, half-open with end_pts.
        end_pts: first frame after.
        time_base: of both films' picture.

    Raises:
        ValueError: the span holds no frame.
    """
    duration_s = max((end_pts - start_pts) * time_base, Fraction(1, 10))
    bitrate = min(MAX_BITRATE, int(MAX_PROXY_BYTES * 8 * Fraction(8, 10) / duration_s) - SOUND_BITRATE)
    pairs = _pairs(source, delivered, start_pts, end_pts)
    first = next(pairs, None)
    if first is None:
        raise ValueError(f"{source.name} has no frame in [{start_pts}, {end_pts})")
    with av.open(str(target), "w", options={"movflags": "+faststart"}) as out:
        picture = _picture_stream(out, first[1], bitrate)
        sound = out.add_stream("aac", rate=SOUND_RATE_HZ, layout="stereo", bit_rate=SOUND_BITRATE)
        for pts, pair in chain([first], pairs):
            pair.pts, pair.time_base = round((pts - start_pts) * time_base * TICKS_HZ), Fraction(1, TICKS_HZ)
            out.mux(picture.encode(pair))
        out.mux(picture.encode(None))
        for block in _sound(delivered, start_pts * time_base, end_pts * time_base):
            out.mux(sound.encode(block))
        out.mux(sound.encode(None))
    return target.stat().st_size


def _pairs(source: Path, delivered: Path, start_pts: int, end_pts: int) -> Iterator[tuple[int, VideoFrame]]:
    both = zip(frames(source, start_pts, end_pts), frames(delivered, start_pts, end_pts), strict=False)
    for (pts, before), (_, after) in both:
        panes = [_pane(frame) for frame in (before, after)]
        yield pts, VideoFrame.from_ndarray(np.hstack(panes), format="rgb24")


def _pane(frame: VideoFrame) -> NDArray[Any]:
    height = min(PANE_HEIGHT_PX, frame.height) // 2 * 2
    width = round(frame.width * height / frame.height) // 2 * 2
    return to_rgb(frame, (width, height))


def _picture_stream(out: OutputContainer, pair: VideoFrame, bitrate: int) -> VideoStream:
    stream = out.add_stream("libx264", rate=Fraction(25), options={"preset": "veryfast"})
    stream.width, stream.height, stream.pix_fmt = pair.width, pair.height, "yuv420p"
    stream.bit_rate = bitrate
    stream.codec_context.time_base = Fraction(1, TICKS_HZ)
    stream.codec_context.thread_count = 2
    return stream


def _sound(film: Path, start_s: Fraction, end_s: Fraction) -> Iterator[AudioFrame]:
    """The delivered film's first sound stream within a stretch, from 0."""
    start, end = round(start_s * SOUND_RATE_HZ), round(end_s * SOUND_RATE_HZ)
    at = 0
    for block in sound_blocks(film, SOUND_RATE_HZ, "stereo"):
        first, after = max(start, at), min(end, at + block.shape[-1])
        if first < after:
            piece = np.ascontiguousarray(block[..., first - at : after - at], dtype=np.float32)
            frame = AudioFrame.from_ndarray(piece, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE_HZ, first - start, Fraction(1, SOUND_RATE_HZ)
            yield frame
        at += block.shape[-1]
        if at >= end:
            return
