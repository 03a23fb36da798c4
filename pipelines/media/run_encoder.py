"""Changed GOPs of a film, decoded, changed and encoded again so that their packets fit between the others."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import av
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from numpy.typing import NDArray

from pipelines.media.container import FILM_FORMATS, UndecodableError, open_media, picture_stream
from pipelines.media.encode import EncodeConfig, as_encoded, with_planes
from pipelines.media.frame_tags import ColourTags, colour_tags
from pipelines.media.gops import PictureIndex, Run
from pipelines.media.matched_encoder import Match, encoder_of, fitted, match_of, sets_of
from pipelines.media.picture import coded_planes, coding_of, planes_of
from pipelines.media.picture_writer import Changes
from pipelines.media.run_colours import RunColours
from pipelines.media.run_quality import EQUAL_DB, Quality, next_crf, rank, worst_plane_db
from schemas.reason import Whole

Plane = NDArray[Any]


class UnspliceableError(RuntimeError):
    """The film's GOPs cannot be replaced one by one; the whole picture is encoded instead."""

    def __init__(self, reason: Whole, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedRun:
    """A run, encoded again. Its packets have the times of those that they replace."""

    first_pts: int
    num_frames: int
    packets: tuple["Packet[Any]", ...]
    extradata: bytes | None  # of the film's stream, this run's parameter sets among them
    changes: Changes  # what was asked for its frames
    num_frames_changed: int
    num_interlaced: int  # frames that were flagged so; new ones never are
    crf: int
    psnr_db_min: float  # of the worst frame, over the samples that were not painted
    num_bytes: int
    num_bytes_before: int

    @property
    def quality(self) -> Quality:
        """By which it is judged."""
        return Quality(self.crf, self.psnr_db_min, self.num_bytes / max(self.num_bytes_before, 1))

    def without_packets(self) -> "EncodedRun":
        """What is known of it, when its packets are written."""
        return replace(self, packets=())


class RunEncoder:
    """Encodes runs of one film, one after the other. Closed after use."""

    def __init__(
        self, path: Path, index: PictureIndex, config: EncodeConfig, colours: Sequence[ColourTags] = ()
    ) -> None:
        """Open the film.

        Args:
            path: the film.
            index: of its picture.
            config: encoder settings.
            colours: tags of all frames that are encoded in this film; may be left out where they are the same.

        Raises:
            ValueError: its parameter sets leave no id.
        """
        self._opened = open_media(path, FILM_FORMATS)
        self._stream = picture_stream(self._opened.__enter__())
        self._config = config
        self._is_mov = self._stream.container.format.name.startswith("mov")
        self.match: Match = match_of(self._stream, index)
        self._colours = RunColours(self.match, config, colours)

    def close(self) -> None:
        """Free the decoder."""
        self._opened.__exit__(None, None, None)

    def encode(
        self, run: Run, packets: Sequence["Packet[Any]"], begin: Callable[[], Changes], first_crf: int
    ) -> EncodedRun:
        """Encode a run as well as is wanted, or as its bytes allow.

        Args:
            run: which packets of the film these are.
            packets: the film's own.
            begin: gives something that has not been asked yet.
            first_crf: to try first.

        Raises:
            UnspliceableError: it cannot be encoded by itself, or its packets would not fit.
        """
        tries: list[EncodedRun] = []
        crf: int | None = first_crf
        try:
            while crf is not None:
                tries.append(self._tried(run, packets, begin, crf))
                crf = next_crf([one.quality for one in tries], self.match.index.codec)
        except (av.FFmpegError, UndecodableError, ValueError, OverflowError) as error:
            raise UnspliceableError(Whole.ENCODER, f"frame {run.first} and those after it: {error}") from error
        return min(tries, key=lambda one: rank(one.quality))

    def _tried(self, run: Run, packets: Sequence["Packet[Any]"], begin: Callable[[], Changes], crf: int) -> EncodedRun:
        made = self._attempt(run, packets, begin(), crf)
        psnr_db = self._psnr_db(packets, made, begin())
        return EncodedRun(
            first_pts=min(packet.pts or 0 for packet in made.packets),
            num_frames=len(made.packets),
            packets=made.packets,
            extradata=made.extradata,
            changes=made.changes,
            num_frames_changed=made.num_frames_changed,
            num_interlaced=made.num_interlaced,
            crf=crf,
            psnr_db_min=psnr_db,
            num_bytes=sum(packet.size for packet in made.packets),
            num_bytes_before=sum(packet.size for packet in packets),
        )

    def _attempt(self, run: Run, packets: Sequence["Packet[Any]"], changes: Changes, crf: int) -> "_Attempt":
        encoder: VideoCodecContext | None = None
        tags: ColourTags | None = None
        match = self.match
        made: list[Packet[Any]] = []
        starts = _idr_pts(run, self.match.index)
        num_frames = num_changed = num_interlaced = 0
        for frame, planes in self._frames(packets, changes):
            if encoder is None:
                tags = colour_tags(frame)
                match = self._colours.match_of(tags)
                encoder = encoder_of(match, frame, self._config, crf)
            if colour_tags(frame) != tags:
                raise UnspliceableError(Whole.UNLIKE, f"the colour tags change within a GOP, at pts {frame.pts}")
            target = frame if planes is None else with_planes(planes, frame)
            target = as_encoded(target, encoder.pix_fmt or "")
            target.pict_type = PictureType.I if frame.pts in starts else PictureType.NONE
            made += _encoded(encoder, target)
            num_frames, num_changed = num_frames + 1, num_changed + (planes is not None)
            num_interlaced += frame.interlaced_frame
        if encoder is None:
            raise UndecodableError("a stretch of the film shows no frame")
        made += encoder.encode(None)
        shown = [packet for packet in packets if not packet.is_discard]
        if not num_frames == len(made) == len(shown):
            raise UndecodableError(f"{len(shown)} packets gave {num_frames} frames and {len(made)} new packets")
        extradata = self._colours.extradata(sets_of(match, encoder.extradata or b""))
        timed = tuple(self._timed(match, made, shown))
        return _Attempt(timed, extradata, changes, num_changed, num_interlaced)

    def _frames(
        self, packets: Sequence["Packet[Any]"], changes: Changes
    ) -> Iterator[tuple[VideoFrame, list[Plane] | None]]:
        """The frames in the order they are shown, each with what its planes become."""
        context = self._stream.codec_context
        context.flush_buffers()
        for packet in [*packets, None]:
            for frame in context.decode(packet):
                if frame.pts is None:
                    raise UndecodableError("a frame has no pts")
                yield frame, changes.change(frame.pts, partial(coded_planes, frame))

    def _timed(
        self, match: Match, made: Sequence["Packet[Any]"], shown: Sequence["Packet[Any]"]
    ) -> Iterator["Packet[Any]"]:
        """The new packets with the times of the old ones: those of decoding in their order, all others by pts."""
        by_pts = {packet.pts: packet for packet in shown}
        for packet, place in zip(made, shown, strict=True):
            source = by_pts.get(packet.pts)
            if source is None or packet.pts is None:
                raise UnspliceableError(Whole.UNLIKE, f"the encoder moved a frame to pts {packet.pts}")
            if place.dts is not None and place.dts > packet.pts:
                raise UnspliceableError(Whole.UNLIKE, f"the frame at pts {packet.pts} would be decoded too late")
            new = Packet(fitted(match, packet, source))
            lasting = place if self._is_mov else source  # MP4 and MOV know how long decoding takes, others showing
            new.pts, new.dts, new.duration = packet.pts, place.dts, lasting.duration
            new.time_base, new.is_keyframe = source.time_base, packet.is_keyframe
            yield new

    def _psnr_db(self, packets: Sequence["Packet[Any]"], encoded: "_Attempt", changes: Changes) -> float:
        """How near the worst frame comes to what it should be, where nothing was painted."""
        decoder = self._decoder(encoded.extradata)
        found = (frame for packet in [*encoded.packets, None] for frame in decoder.decode(packet))
        worst = EQUAL_DB
        for (frame, planes), made in zip(self._frames(packets, changes), found, strict=True):
            if made.pts != frame.pts:
                raise UnspliceableError(Whole.UNLIKE, f"the frame at pts {frame.pts} is decoded as {made.pts}")
            if (made.width, made.height) != (frame.width, frame.height):
                sizes = f"{frame.width} x {frame.height} became {made.width} x {made.height}"
                raise UnspliceableError(Whole.UNLIKE, f"the frame at pts {frame.pts} has another size: {sizes}")
            painted = encoded.changes.painted(frame.pts or 0)
            worst = min(worst, worst_plane_db(planes or planes_of(frame), planes_of(made), painted, coding_of(frame)))
        return worst

    def _decoder(self, extradata: bytes | None) -> VideoCodecContext:
        own = self._stream.codec_context
        decoder = cast(VideoCodecContext, av.CodecContext.create(own.codec.name, "r"))
        decoder.extradata = extradata if extradata is not None else own.extradata
        decoder.codec_tag, decoder.thread_count, decoder.flags = own.codec_tag, 1, own.flags
        decoder.width, decoder.height = own.width, own.height
        return decoder


def _encoded(encoder: VideoCodecContext, frame: VideoFrame) -> "list[Packet[Any]]":
    try:
        return encoder.encode(frame)
    except av.FFmpegError as error:
        detail = f"{encoder.codec.name} does not take the film's settings: {error.strerror}"
        raise UnspliceableError(Whole.CODEC, detail) from error


@dataclass(frozen=True, slots=True)
class _Attempt:
    packets: tuple["Packet[Any]", ...]
    extradata: bytes | None
    changes: Changes
    num_frames_changed: int
    num_interlaced: int


def _idr_pts(run: Run, index: PictureIndex) -> set[int]:
    """The frames at which GOPs of the run begin."""
    starts = index.gop_starts
    return set(index.pts[starts[(starts >= run.first) & (starts < run.end)]].tolist())
