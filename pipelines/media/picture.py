"""Frames of a film by pts: as RGB for the models, as their own planes for the compositor."""

import hashlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

from pipelines.media.coding import UNTAGGED, Coding
from pipelines.media.container import FILM_FORMATS, UndecodableError, open_media, picture_stream
from pipelines.media.ordinary_screen import shown
from pipelines.media.primaries import primaries_of
from pipelines.media.siting import Siting, siting_of

Bytes = NDArray[np.uint8]
Plane = NDArray[Any]  # uint8, or uint16 above 8 bits

Timed = tuple[int, VideoFrame]

BACK_OFF_S = (0, 2, 8, 32, None)  # how much earlier to seek when the first frame found is too late; None: no seek
DIGEST_BYTES = 8
HD_WIDTH_PX, HD_HEIGHT_PX = 1280, 720
SHARP_CHROMA = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
NEAR_CHROMA = Interpolation.FAST_BILINEAR  # in pictures of even size all is one or two codes darker
MEAN = Interpolation.AREA | Interpolation.FULL_CHR_H_INT  # without full chroma all is two codes darker


def rgb_frames(
    path: Path, start_pts: int, end_pts: int, max_side_px: int | None = None, kernel: Interpolation = SHARP_CHROMA
) -> Iterator[tuple[int, Bytes]]:
    """Every frame shown in [start_pts, end_pts) with its pts, in display order: RGB, [H, W, 3] uint8.

    Args:
        path: the film.
        start_pts: of the first frame.
        end_pts: of the first frame after them.
        max_side_px: larger pictures are shrunk to this long side (`shrunk_size`).
        kernel: how chroma is interpolated in pictures that are not shrunk; `NEAR_CHROMA` is many times as quick, and
            good enough to find things.

    Raises:
        UndecodableError: the file or the span cannot be decoded.
    """
    for pts, frame in frames(path, start_pts, end_pts):
        yield pts, shrunk_rgb(frame, max_side_px, kernel)


def shrunk_rgb(frame: VideoFrame, max_side_px: int | None, kernel: Interpolation = SHARP_CHROMA) -> Bytes:
    """One decoded frame as `rgb_frames` gives it."""
    size = shrunk_size(frame.width, frame.height, max_side_px)
    return to_rgb(frame, size if size != (frame.width, frame.height) else None, kernel)


def shrunk_size(width_px: int, height_px: int, max_side_px: int | None) -> tuple[int, int]:
    """Width and height of a picture whose long side is at most so long; both stay as they are where it is."""
    scale = min(1.0, (max_side_px or max(width_px, height_px)) / max(width_px, height_px))
    return max(1, round(width_px * scale)), max(1, round(height_px * scale))


def plane_frames(path: Path, start_pts: int, end_pts: int) -> Iterator[tuple[int, list[Plane]]]:
    """Every frame shown in [start_pts, end_pts) with its pts and copies of its planes, each [H, W] at native depth.

    Raises:
        UndecodableError: the file or the span cannot be decoded.
    """
    for pts, frame in frames(path, start_pts, end_pts):
        yield pts, planes_of(frame)


def coded_planes(frame: VideoFrame) -> tuple[list[Plane], Coding]:
    """Copies of a frame's planes, and what their samples mean."""
    return planes_of(frame), coding_of(frame)


def coded_frames(path: Path, start_pts: int, end_pts: int) -> Iterator[tuple[int, list[Plane], Coding]]:
    """The same, each with what its samples mean and where its chroma lies."""
    with open_media(path, FILM_FORMATS) as container:
        siting = siting_of(picture_stream(container))
    for pts, frame in frames(path, start_pts, end_pts):
        yield pts, planes_of(frame), coding_of(frame, siting)


def frames(path: Path, start_pts: int, end_pts: int) -> Iterator[tuple[int, VideoFrame]]:
    """The decoded frames themselves. Nobody may write into them: the decoder still refers to them.

    Containers disagree on where a seek lands (MPEG-TS is late as a rule), so the first frame is checked
    against the target and the seek repeated from further back, at last from the beginning.
    """
    for back_off_s in BACK_OFF_S:
        with closing(_frames_from(path, start_pts, back_off_s)) as found:
            first = next(found, None)
            if first is not None and (first[0] <= start_pts or back_off_s is None):
                yield from _within(first, found, start_pts, end_pts)
                return


def _within(first: Timed, rest: Iterator[Timed], start_pts: int, end_pts: int) -> Iterator[Timed]:
    timed: Timed | None = first
    while timed is not None and timed[0] < end_pts:
        if timed[0] >= start_pts:
            yield timed
        timed = next(rest, None)


def _frames_from(path: Path, start_pts: int, back_off_s: int | None) -> Generator[Timed, None, None]:
    with open_media(path, FILM_FORMATS) as container:
        stream = picture_stream(container)
        if back_off_s is not None and stream.time_base:
            try:
                container.seek(start_pts - round(back_off_s / stream.time_base), stream=stream)
            except av.FFmpegError:  # AVI will not seek to before its first frame
                return
        for frame in container.decode(stream):
            if frame.pts is None:
                raise UndecodableError(f"{path.name} has a frame without pts near {start_pts}")
            yield frame.pts, frame


def planes_of(frame: VideoFrame) -> list[Plane]:
    """Copies of the frame's planes, each [H, W], padding left out.

    Raises:
        UndecodableError: the samples are packed, so the planes are not Y, U and V.
    """
    if not frame.format.is_planar or frame.format.is_rgb:
        raise UndecodableError(f"pixel format {frame.format.name} has no Y, U and V planes")
    dtype: np.dtype[Any] = np.dtype(np.uint8 if frame.format.components[0].bits <= 8 else np.uint16)
    return [_plane_samples(plane, dtype) for plane in frame.planes]


def digest_of(planes: Sequence[Plane]) -> bytes:
    """A short digest of a frame's samples."""
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for plane in planes:
        digest.update(np.ascontiguousarray(plane).data)
    return digest.digest()


def _plane_samples(plane: VideoPlane, dtype: np.dtype[Any]) -> Plane:
    samples: Plane = np.frombuffer(memoryview(plane), dtype).reshape(-1, plane.line_size // dtype.itemsize)
    return samples[: plane.height, : plane.width].copy()


def to_rgb(
    frame: VideoFrame,
    size: tuple[int, int] | None = None,
    kernel: Interpolation = SHARP_CHROMA,
    coding: Coding | None = None,
) -> Bytes:
    """The frame as RGB, [H, W, 3] uint8, by the matrix and range it is tagged with.

    Films in wide colours or high dynamic range are shown as on an ordinary screen (`ordinary_screen`).

    Args:
        frame: as decoded.
        size: width and height to shrink it to, by the mean of what a pixel then shows.
        kernel: how chroma is interpolated, unless it is shrunk.
        coding: what its samples mean, where that is known better: of a part of a frame.
    """
    meant = coding or coding_of(frame)
    whole = frame.width, frame.height
    width, height = size or whole
    rgb = frame.reformat(
        width=width,
        height=height,
        format="rgb24" if meant.is_ordinary else "rgb48le",
        src_colorspace=meant.matrix,
        src_color_range=ColorRange.JPEG if meant.full_range else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=kernel if (width, height) == whole else MEAN,  # at one size MEAN gives wrong 16-bit colours
    )
    (plane,) = rgb.planes
    dtype: np.dtype[Any] = np.dtype(np.uint8 if meant.is_ordinary else np.uint16)
    rows = np.frombuffer(memoryview(plane), dtype).reshape(height, plane.line_size // dtype.itemsize)  # no copy
    samples = np.ascontiguousarray(rows[:, : 3 * width]).reshape(height, width, 3)
    return samples if meant.is_ordinary else shown(samples, meant.transfer, meant.primaries)


def coding_of(frame: VideoFrame, siting: Siting = Siting.LEFT) -> Coding:
    """What the frame's samples mean, an untagged matrix guessed as `to_rgb` guesses it.

    Args:
        frame: as decoded.
        siting: of its film, where chroma is to be made.
    """
    planes = frame.planes
    matrix = matrix_of(frame.colorspace, frame.width, frame.height)
    return Coding(
        bits=frame.format.components[0].bits,
        chroma_x=-(-planes[0].width // planes[1].width),
        chroma_y=-(-planes[0].height // planes[1].height),
        matrix=matrix,
        full_range=frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj"),
        transfer=int(frame.color_trc),
        primaries=primaries_of(int(frame.color_primaries), matrix),
        siting=siting,
    )


def matrix_of(tag: int, width_px: int, height_px: int) -> int:
    """The matrix to decode with: the tag, and without one BT.709 for HD and BT.601 below it, as players guess."""
    if tag != UNTAGGED:
        return tag
    return Colorspace.ITU709 if width_px >= HD_WIDTH_PX or height_px >= HD_HEIGHT_PX else Colorspace.ITU601
