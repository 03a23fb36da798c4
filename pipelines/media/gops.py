"""The packets of a film's picture, and where GOPs begin that need nothing from before them.

The flag of a container is no help: it marks every I frame, also one whose neighbours look back beyond it. Only the
NAL units tell (H.264: IDR; HEVC: IDR, with or without leading pictures).
"""

from array import array
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from pipelines.media.container import FILM_FORMATS, open_media, picture_stream
from pipelines.media.nal import IDR_KINDS, SET_KINDS, Hevc, kind_of, split
from pipelines.media.parameter_sets import ParameterSets, read_sets

INTRA_CODECS = frozenset({"prores", "dnxhd", "mjpeg"})  # every packet is a frame by itself
NAL_CODECS = frozenset(IDR_KINDS)
MAX_RUN_S = 15  # changed GOPs that are encoded together
NO_TIME = -(1 << 62)

Integers = NDArray[np.int64]


class UntimedError(ValueError):
    """Packets of a picture lack a time, or go back in it."""


@dataclass(frozen=True, slots=True)
class Run:
    """Packets that are encoded again together: half-open, counted in the order of decoding."""

    first: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureIndex:
    """All packets of a picture stream, in the order of decoding."""

    codec: str
    time_base: Fraction
    pts: Integers
    dts: Integers
    num_bytes: Integers
    gop_starts: Integers  # packets at which decoding can begin, and before which nothing is shown later
    sets: ParameterSets | None  # that the container declares; None for other codecs than H.264 and HEVC
    all_sets: ParameterSets | None  # and those in packets
    has_dolby_vision: bool
    last_shown: int  # place of the last packet whose frame is shown

    @property
    def num_packets(self) -> int:
        return len(self.pts)

    @property
    def reorder_depth(self) -> int:
        """How many frames are decoded before one that is shown before them, at most."""
        if not len(self.pts):
            return 0
        rank = np.empty_like(self.pts)
        rank[np.argsort(self.pts, kind="stable")] = np.arange(len(self.pts))
        return int((np.arange(len(self.pts)) - rank).max())

    @property
    def longest_gop_s(self) -> Fraction:
        """In seconds of film."""
        if not self.num_packets:
            return Fraction(0)
        starts = np.append(np.sort(self.pts[self.gop_starts]), self.pts.max())
        return int(np.diff(starts).max(initial=0)) * self.time_base

    @property
    def longest_gop(self) -> int:
        """In frames."""
        return int(np.diff(np.append(self.gop_starts, self.num_packets)).max(initial=1))

    def runs(self, changed: Collection[int], parted: Collection[int] = ()) -> list[Run]:
        """What is encoded again when the frames of these pts change: whole GOPs, at most about 15 s together.

        Args:
            changed: pts of frames.
            parted: pts of frames before which a run ends, as their colours are others.
        """
        wanted, edges = (np.isin(self.pts, np.fromiter(pts, np.int64, len(pts))) for pts in (changed, parted))
        runs: list[Run] = []
        for start, end in pairwise([*self.gop_starts.tolist(), self.num_packets]):
            if wanted[start:end].any():
                runs = self._with_gop(runs, start, end, may_join=not edges[start:end].any())
        return runs

    def _with_gop(self, runs: list[Run], start: int, end: int, *, may_join: bool) -> list[Run]:
        if (
            may_join
            and runs
            and runs[-1].end == start
            and (self._length_s(runs[-1].first, end) <= MAX_RUN_S or self._has_odd_end(runs[-1]))
        ):
            return [*runs[:-1], Run(runs[-1].first, end)]
        return [*runs, Run(start, end)]

    def _has_odd_end(self, run: Run) -> bool:
        """Whether the next run would begin with the `idr_pic_id` of this one's end (ITU-T H.264, 7.4.3)."""
        return self.longest_gop == 1 and bool((run.end - run.first) % 2)

    def _length_s(self, first: int, end: int) -> Fraction:
        span = self.pts[first:end]
        return int(span.max() - span.min()) * self.time_base


def index_picture(path: Path) -> PictureIndex:
    """The packets of a film's picture; none is decoded.

    Raises:
        UndecodableError: the file is no film.
        UntimedError: its packets do not say when they are shown or decoded, or go back in decoding.
        ValueError: its packets or parameter sets cannot be read.
    """
    with open_media(path, FILM_FORMATS) as film:
        return read_picture(film).index()


def read_picture(film: InputContainer) -> "PictureReader":
    """All packets of the picture of a film that is open, taken."""
    stream = picture_stream(film)
    reader = PictureReader(stream)
    for packet in film.demux(stream):
        reader.take(packet)
    return reader


class PictureReader:
    """Takes the packets of a stream as they come; what is wrong with one is told when the index is asked for."""

    def __init__(self, stream: VideoStream) -> None:
        self._wrong: ValueError | None = None
        self._time_base = Fraction(stream.time_base or 1)
        context = stream.codec_context
        self._codec = context.codec.canonical_name
        self._sets = self._declared(context.extradata) if self._codec in NAL_CODECS else None
        self._all_sets = self._sets
        self._pts, self._dts, self._num_bytes, self._starts = (array("q") for _ in range(4))
        self._last_shown = -1
        self._has_dolby_vision = context.codec_tag in ("dvh1", "dvhe", "dva1", "dvav")

    def _declared(self, extradata: bytes | None) -> ParameterSets:
        try:
            return read_sets(self._codec, extradata)
        except ValueError as error:
            self._wrong = error
            return read_sets(self._codec, None)

    def take(self, packet: "Packet[Any]") -> None:
        """Note a packet; empty ones are none."""
        if packet.size and self._wrong is None:
            try:
                self._note(packet)
            except ValueError as error:
                self._wrong = error

    def _note(self, packet: "Packet[Any]") -> None:
        if packet.pts is None:
            raise UntimedError("a packet has no pts")
        if self._begins_gop(packet):
            self._starts.append(len(self._pts))
        self._pts.append(packet.pts)
        self._dts.append(NO_TIME if packet.dts is None else packet.dts)
        self._num_bytes.append(packet.size)
        if not packet.is_discard:
            self._last_shown = len(self._pts) - 1

    def _begins_gop(self, packet: "Packet[Any]") -> bool:
        if self._all_sets is None:
            return self._codec in INTRA_CODECS or not self._pts
        units = split(bytes(packet), self._all_sets.length_bytes)
        kinds = {kind_of(unit, self._codec) for unit in units}
        if kinds & set(SET_KINDS[self._codec]):
            self._all_sets = self._all_sets.with_more(units)
        self._has_dolby_vision |= self._codec == "hevc" and Hevc.DOLBY_VISION in kinds
        return bool(kinds & IDR_KINDS[self._codec])

    def index(self) -> PictureIndex:
        """All packets that were taken.

        Raises:
            UntimedError: they do not say when they are shown or decoded, or go back in decoding.
            ValueError: they or their parameter sets cannot be read.
        """
        if self._wrong is not None:
            raise self._wrong
        pts, num_bytes = np.array(self._pts, np.int64), np.array(self._num_bytes, np.int64)
        return PictureIndex(
            codec=self._codec,
            time_base=self._time_base,
            pts=pts,
            dts=_times(np.array(self._dts, np.int64), pts),
            num_bytes=num_bytes,
            gop_starts=np.array(list(_clean_starts(self._starts, pts)), np.int64),
            sets=self._sets,
            all_sets=self._all_sets,
            has_dolby_vision=self._has_dolby_vision,
            last_shown=self._last_shown,
        )


def _times(dts: Integers, pts: Integers) -> Integers:
    """Decoding times; those before the first that is known (Matroska tells none) in steps of a frame before it.

    Raises:
        UntimedError: later ones are missing, or earlier than one before.
    """
    known = np.flatnonzero(dts != NO_TIME)
    first = int(known[0]) if len(known) else 0
    if len(known) + first != len(dts):
        raise UntimedError("packets do not say when they are decoded")
    back = np.flatnonzero(np.diff(dts[first:]) < 0)
    if len(back):
        raise UntimedError(f"decoding goes back after packet {first + int(back[0])}, as in a file of several edits")
    step = int(np.diff(np.sort(pts)).min(initial=1 << 30))
    lead = dts[first] - step * np.arange(first, 0, -1) if first else dts[:0]
    return np.concatenate([lead, dts[first:]]).astype(np.int64)


def _clean_starts(starts: "array[int]", pts: Integers) -> Iterator[int]:
    """Those of the places before which nothing is shown that is shown after what follows."""
    if not len(pts):
        return
    latest = np.maximum.accumulate(pts)
    earliest = np.minimum.accumulate(pts[::-1])[::-1]
    for start in starts:
        if start == 0 or latest[start - 1] < earliest[start]:
            yield start
