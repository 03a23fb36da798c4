"""What the frames of a film say of themselves: noted while all of them are decoded."""

from typing import NamedTuple

from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange


class ColourTags(NamedTuple):
    """The four colour tags of a frame, as FFmpeg numbers them: AVCOL_RANGE, SPC, PRI and TRC; the last three H.273."""

    range: int
    matrix: int
    primaries: int
    transfer: int


def colour_tags(frame: VideoFrame) -> ColourTags:
    """Of a decoded frame; what its bitstream does not say is the container's word."""
    return ColourTags(int(frame.color_range), int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc))


class FrameTags:
    """Takes frames in the order they are shown; each has a pts."""

    def __init__(self) -> None:
        self.num_frames = 0
        self.num_interlaced = 0
        self.first_interlaced_pts: int | None = None
        self.colours: list[tuple[int, ColourTags]] = []  # with the pts from which on they hold

    def see(self, frame: VideoFrame) -> None:
        """Note a frame."""
        pts, tags = frame.pts or 0, colour_tags(frame)
        self.num_frames += 1
        self.num_interlaced += frame.interlaced_frame
        if frame.interlaced_frame and self.first_interlaced_pts is None:
            self.first_interlaced_pts = pts
        if not self.colours or self.colours[-1][1] != tags:
            self.colours.append((pts, tags))


def says_full_range(tags: ColourTags, pixel_format: str) -> bool | None:
    """Whether samples use all codes; None where a frame does not say."""
    if pixel_format.startswith("yuvj") or tags.range == ColorRange.JPEG:
        return True
    return False if tags.range == ColorRange.MPEG else None
