"""How a film's picture is written: all of it encoded again, here, or only the GOPs that change (`splice`)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol, cast

from av.container import OutputContainer
from av.packet import Packet
from av.sidedata.sidedata import SideData
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from pipelines.media.coding import Coding
from pipelines.media.colour_encoders import ColourEncoders, told_of_colours
from pipelines.media.container import UndecodableError
from pipelines.media.encode import EncodeConfig, add_picture
from pipelines.media.light import LEVEL_DATA, SCREEN_DATA
from pipelines.media.muxer import writing
from pipelines.media.picture import coded_planes
from pipelines.media.presentation import MATRIX_DATA

Plane = NDArray[Any]

CARRIED = (SCREEN_DATA, LEVEL_DATA, "A53_CC")  # by frames that are encoded again
ABOUT_CODING = ("SEI_UNREGISTERED", "VIDEO_ENC_PARAMS", "REGIONS_OF_INTEREST", MATRIX_DATA, "ICC_PROFILE")
DOLBY = "Dolby Vision of its frames"
CALLED = {"DOVI_RPU_BUFFER": DOLBY, "DOVI_METADATA": DOLBY, "DYNAMIC_HDR_PLUS": "HDR10+ of its frames"}


class Changes(Protocol):
    """Says what the planes of frames become. Frames are asked for in the order they are shown."""

    def change(self, pts: int, planes_of: Callable[[], tuple[list[Plane], Coding]]) -> list[Plane] | None:
        """The planes to encode; None for the decoder's own samples."""

    def painted(self, pts: int) -> Sequence[Sequence[int]]:
        """Rectangles of a frame that was asked for, as x, y, width, height: outside of them nothing changed."""


@dataclass(slots=True)
class PictureCounts:
    """Frames by what became of them."""

    copied: int = 0  # their packets are the film's own
    re_encoded_untouched: int = 0  # they share a GOP with an edited one
    edited: int = 0  # a mouth was painted

    @property
    def all(self) -> int:
        return self.copied + self.re_encoded_untouched + self.edited


class PictureWriter(Protocol):
    """The picture of the film that is written. What it makes out of a packet is ready to be muxed."""

    counts: PictureCounts

    @property
    def lost(self) -> list[str]:
        """What the film's frames carried and those that are written do not, in words; known when all is written."""

    def add(self, out: OutputContainer, source: VideoStream, first: VideoFrame) -> Stream:
        """Add the stream; `first` is the film's first frame."""

    def take(self, packet: "Packet[Any]") -> "Iterator[Packet[Any]]":
        """What is written in the place of a packet of the film; the last one is empty."""


def lost_fields(num_frames: int) -> list[str]:
    """Of frames that were flagged interlaced and are encoded again: as they lie in the frame, without the flag."""
    return [f"the interlaced flag of {num_frames} frames"] if num_frames else []


@dataclass(slots=True)
class TranscodedPicture:
    """Every frame decoded and encoded again."""

    changes: Changes
    config: EncodeConfig
    num_colours: int = 1  # colour tags that its frames have
    counts: PictureCounts = field(default_factory=PictureCounts)
    _encoded: VideoStream | None = None
    _encoders: ColourEncoders | None = None
    _kinds: set[str] = field(default_factory=set)  # of side data that was seen
    _num_interlaced: int = 0

    def add(self, out: OutputContainer, source: VideoStream, first: VideoFrame) -> Stream:
        """Add the stream, coded as `add_picture` says."""
        self._encoded = add_picture(out, source, first, self.config, told_of_colours(source, self.num_colours))
        self._encoders = ColourEncoders(self._encoded, source, first, self.config)
        return self._encoded

    @property
    def lost(self) -> list[str]:
        kinds = self._kinds.difference(CARRIED, ABOUT_CODING)
        carried = sorted({CALLED.get(kind, f"{kind} of its frames") for kind in kinds})
        return [*carried, *lost_fields(self._num_interlaced)]

    def take(self, packet: "Packet[Any]") -> "Iterator[Packet[Any]]":
        """The packets that are ready; after the last packet of the film all that are left.

        Raises:
            UndecodableError: a frame has no pts.
        """
        assert self._encoders is not None
        for frame in packet.decode():
            yield from self._taken(frame)
        if packet.dts is None and not packet.size:
            yield from self._encoders.end()

    def _taken(self, frame: VideoFrame) -> "list[Packet[Any]]":
        assert self._encoded is not None
        assert self._encoders is not None
        if frame.pts is None:
            raise UndecodableError("a frame has no pts")
        self._kinds |= {one.type.name for one in cast("Iterator[SideData]", iter(frame.side_data))}
        self._num_interlaced += frame.interlaced_frame
        planes = self.changes.change(frame.pts, partial(coded_planes, frame))
        self.counts.edited += planes is not None
        self.counts.re_encoded_untouched += planes is None
        with writing(Path(self._encoded.container.name)):
            return self._encoders.encode(frame, planes)
