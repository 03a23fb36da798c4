"""What is counted while a film is decoded, and the verdict on it."""

from collections.abc import Iterator
from fractions import Fraction

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipelines.media.coding import LUMA_WEIGHTS, UNTAGGED
from pipelines.media.frame_tags import FrameTags
from pipelines.media.lost_pictures import LostPictures
from pipelines.media.refusal import MediaRefusedError
from schemas.reason import Refusal

PIXEL_FORMATS = frozenset(
    f"yuv{chroma}p{depth}" for chroma in ("420", "422", "444") for depth in ("", "10le", "12le")
) | {"yuvj420p", "yuvj422p", "yuvj444p"}
MATRICES = {*LUMA_WEIGHTS, UNTAGGED, 3}  # 3 is reserved, and says nothing
MAX_PTS_GAP_S = 10
MAX_INTERLACED_SHARE = 0.05  # above it there is nothing to dub; below it the shots with such frames are left alone
END_TOLERANCE_S = Fraction(1, 4)  # a container's declared length is rounded and may count a codec's padding
STRETCH_S = 1  # damaged places that lie nearer are told as one stretch
MAX_TOLD = 5


class Tally:
    """What is counted while a film is decoded, and the verdict on it."""

    def __init__(self, stream: VideoStream) -> None:
        self._stream = stream
        self.tags = FrameTags()
        self._lost = LostPictures(stream)
        self._damaged: list[int] = []
        self._end_s: Fraction | None = None
        self._previous_pts: int | None = None
        self.num_frames = 0
        self.first_pts: int | None = None
        self.last: VideoFrame | None = None

    def see_packet(self, packet: Packet) -> None:  # type: ignore[type-arg]
        """Note a packet of any stream."""
        if packet.pts is not None and packet.time_base:
            end = (packet.pts + (packet.duration or 0)) * packet.time_base
            self._end_s = max(end, self._end_s or end)
        if packet.stream.index == self._stream.index and self._lost.see_packet(packet):
            self._note_damage(packet.pts)

    def decoded(self, packet: Packet) -> Iterator[VideoFrame]:  # type: ignore[type-arg]
        """The frames that come out of a packet of the picture; that none can is noted."""
        try:
            yield from packet.decode()
        except av.FFmpegError:
            self._note_damage(packet.pts)

    def see_frame(self, frame: VideoFrame) -> None:
        """Note the next frame.

        Raises:
            MediaRefusedError: the film is none that can be dubbed, whatever follows.
        """
        self._check_same(frame)
        self._check_matrix(int(frame.colorspace))
        self._check_time(frame.pts)
        self._check_length(frame.duration)
        self.tags.see(frame)
        self._lost.see_frame(frame)
        if frame.is_corrupt:
            self._note_damage(frame.pts)
        self.num_frames += 1
        self.last = frame

    def _note_damage(self, pts: int | None) -> None:
        self._damaged.append(pts if pts is not None else self._previous_pts or 0)

    def _check_time(self, pts: int | None) -> None:
        if pts is None:
            raise MediaRefusedError(Refusal.NO_TIMESTAMPS, f"frame {self.num_frames} has no pts")
        if self._previous_pts is None:
            self.first_pts = pts
        elif not self._damaged:  # a decoder that met damage may show frames in a wrong order
            self._check_step(self._previous_pts, pts)
        self._previous_pts = pts

    def _check_step(self, before: int, pts: int) -> None:
        if not 0 < (pts - before) * (self._stream.time_base or 0) <= MAX_PTS_GAP_S:
            raise MediaRefusedError(Refusal.TIMING, f"pts goes from {before} to {pts} at frame {self.num_frames}")

    def _check_length(self, duration: int) -> None:
        """Refuse a frame that outlasts its film: a table of times is broken, and what follows is not shown.

        A last frame may be held long.
        """
        length_s, declared = duration * (self._stream.time_base or 0), self._stream.duration
        if length_s > MAX_PTS_GAP_S and declared is not None and duration > declared:
            detail = f"frame {self.num_frames} lasts {float(length_s):.0f} s; its container's times are damaged"
            raise MediaRefusedError(Refusal.TIMING, detail)

    def _check_same(self, frame: VideoFrame) -> None:
        if self.last is None:
            if frame.format.name not in PIXEL_FORMATS:
                raise MediaRefusedError(Refusal.PIXEL_FORMAT, f"{frame.format.name} is not planar YUV")
            self._check_encodable(frame)
            return
        if (frame.width, frame.height) != (self.last.width, self.last.height):
            raise MediaRefusedError(Refusal.DIMENSIONS, f"the frame size changes at frame {self.num_frames}")
        if frame.format.name != self.last.format.name:
            raise MediaRefusedError(Refusal.PIXEL_FORMAT, f"the pixel format changes at frame {self.num_frames}")

    def _check_matrix(self, matrix: int) -> None:
        """Refuse colours that nothing here paints in; a broadcast may change to them."""
        if matrix not in MATRICES:
            where = f"matrix of colours from frame {self.num_frames} on, {matrix} of ITU-T H.273"
            raise MediaRefusedError(Refusal.PIXEL_FORMAT, f"its {where}, is not known; convert the film")

    def _check_encodable(self, frame: VideoFrame) -> None:
        """Refuse what the delivered picture cannot be encoded as."""
        name = frame.format.name
        if frame.width % (1 if "444" in name else 2) or frame.height % (2 if "420" in name else 1):
            detail = f"{frame.width} x {frame.height} is odd in {name}; crop the film to even sides"
            raise MediaRefusedError(Refusal.DIMENSIONS, detail)

    def judge(self, container: InputContainer) -> None:
        """Refuse what only the whole film shows."""
        if not self.num_frames:
            raise MediaRefusedError(Refusal.NO_FRAMES, "no frame of the picture can be decoded")
        if self.tags.num_interlaced > MAX_INTERLACED_SHARE * self.num_frames:
            detail = (
                f"{self.tags.num_interlaced} of {self.num_frames} frames are interlaced; deinterlace the film first"
            )
            raise MediaRefusedError(Refusal.INTERLACED, detail)
        missing_s = self._missing_s(container)
        if missing_s > END_TOLERANCE_S:
            detail = f"it ends {float(missing_s):.2f} s before its declared end; copy the file again"
            raise MediaRefusedError(Refusal.TRUNCATED, detail)
        places = sorted({*self._damaged, *self._lost.unseen()})
        if places:
            raise MediaRefusedError(Refusal.DAMAGED, f"{len(places)} damaged places: {self._told(places)}")

    def _told(self, places: list[int]) -> str:
        """Where a film is damaged: its first stretches by pts, and in seconds after its first frame."""
        unit = Fraction(self._stream.time_base or 1)
        start = min(places[0], self.first_pts or 0)
        told = []
        for stretch in _stretches(places, round(STRETCH_S / unit)):
            seconds = [f"{float((pts - start) * unit):.2f}" for pts in stretch]
            told.append(f"pts {' to '.join(map(str, stretch))} ({' to '.join(seconds)} s)")
        more = [f"and {len(told) - MAX_TOLD} stretches more"] if len(told) > MAX_TOLD else []
        return ", ".join([*told[:MAX_TOLD], *more])

    def _missing_s(self, container: InputContainer) -> Fraction:
        if not container.duration or self._end_s is None:
            return Fraction(0)
        counts_from_0 = "matroska" in container.format.name  # other containers count from their first moment
        start_s = Fraction(0 if counts_from_0 else container.start_time or 0, av.time_base)
        return start_s + Fraction(container.duration, av.time_base) - self._end_s


def _stretches(places: list[int], reach: int) -> Iterator[tuple[int, ...]]:
    """First and last of places, in order, that lie within reach of one another; one alone by itself."""
    first = last = places[0]
    for place in places[1:]:
        if place - last > reach:
            yield (first, last) if last > first else (first,)
            first = place
        last = place
    yield (first, last) if last > first else (first,)
