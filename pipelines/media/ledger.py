"""All that a finished film must keep, read back from a file: what the verifier compares.

Shares no code with what writes films: a mistake made twice would be no proof.
"""

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.sidedata.sidedata import SideData
from av.stream import AttachmentStream, Disposition, Stream
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from pipelines.media.coded_picture import CodedPicture
from pipelines.media.container import FILM_FORMATS, open_media, picture_stream
from pipelines.media.declared_colour import declared_colour
from pipelines.media.declared_crop import declared_crop
from pipelines.media.picture import digest_of, planes_of

OF_MUXERS = ("major_brand", "minor_version", "compatible_brands", "encoder", "duration")  # tags that are no one's
OF_TIMECODES = ("timecode", "reel_name")
OF_ENCODERS = ("SEI_UNREGISTERED", "VIDEO_ENC_PARAMS", "REGIONS_OF_INTEREST")  # about how a frame was encoded
SCREEN, SCREEN_INTS = "MASTERING_DISPLAY_METADATA", 22
TURNED, TURNED_BYTES, UPRIGHT = "DISPLAYMATRIX", 36, (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
NAMES = ("title", "name", "filename", "handler_name")  # MP4 keeps the title of a track as its name
STATISTICS = ("bps", "number_of_", "_statistics", "source_id")  # of mkvmerge, about the file that it wrote
TOLD = (*NAMES, *OF_MUXERS, *OF_TIMECODES, "language", "vendor_id", "mimetype", "rotate")  # by fields of their own
EMPTY_LINE = b"\0\0"  # MP4 fills the time between two subtitle lines with these


@dataclass(kw_only=True, slots=True)
class StreamLedger:
    """One stream: its declaration and its packets."""

    kind: str
    codec: str
    tag: str  # by which its container knows the codec
    language: str | None
    title: str | None
    disposition: tuple[str, ...]
    mime: str | None = None  # of an attachment
    tags: dict[str, str] = field(default_factory=dict)  # all others, but muxers' own; names in small letters
    durations_s: list[Fraction] = field(default_factory=list)  # of every packet of a subtitle stream
    times_s: list[Fraction] = field(default_factory=list)  # of every packet
    end_s: Fraction = Fraction(0)
    digest: str = ""  # of the packets' bytes

    @property
    def is_pcm(self) -> bool:
        """Whether its packets are as long as a container likes: only what they hold together means something."""
        return self.codec.startswith("pcm_")

    @property
    def moments_s(self) -> list[Fraction]:
        """When each packet starts; of PCM when the first does, and when the last ends."""
        return [self.times_s[0], self.end_s] if self.is_pcm and self.times_s else self.times_s


@dataclass(kw_only=True, slots=True)
class Ledger:
    """A film: its frames as decoded, its streams as stored."""

    container: str
    time_base: Fraction
    pts: list[int]
    digests: list[bytes]  # of the samples of each frame
    side_data: list[frozenset[tuple[str, bytes]]]  # of each frame: captions, light levels and their like
    end_pts: int
    declared_ticks: int | None  # how long the container says that the picture lasts
    num_corrupt: int
    num_errors: int
    colour: dict[str, Any]
    shown_as: list[dict[str, Any]]  # of each frame what `colour` is of the first; of equal ones the same object
    picture: StreamLedger
    coded: CodedPicture
    streams: list[StreamLedger]  # all but the picture and data streams, in order
    chapters: list[tuple[Fraction, Fraction, dict[str, str]]]  # start, end, all that is said of it
    tags: dict[str, str]  # of the film, and the timecode of whichever stream has one; names in small letters
    declared_colour: tuple[int, int, int] | None  # primaries, transfer, matrix; the container's word
    crop: list[float]  # the container's word: what is hidden at the left, right, top and bottom


def read_ledger(path: Path) -> Ledger:
    """The ledger of a film, every packet read and every frame decoded.

    Raises:
        UndecodableError: the file is no film.
        FileNotFoundError: there is no such file.
    """
    with open_media(path, FILM_FORMATS) as film:
        picture = picture_stream(film)
        streams = {stream.index: _declared(stream) for stream in film.streams}
        digests = {stream.index: hashlib.sha256() for stream in film.streams}
        shown, coded = _Shown(), CodedPicture(picture)
        for packet in film.demux():
            index = packet.stream.index
            _note(streams[index], digests[index], packet)
            if index == picture.index:
                coded.note(packet)
                shown.take(packet)
        for index, digest in digests.items():
            stream = film.streams[index]
            if isinstance(stream, AttachmentStream):
                digest.update(stream.data)
            streams[index].digest = digest.hexdigest()
        crop = declared_crop(path, shown.colour.get("size_px", (0, 0)))
        return _ledger(film, streams, shown, coded, picture, _declared_colour(path), crop)


def _ledger(
    film: InputContainer,
    streams: dict[int, StreamLedger],
    shown: "_Shown",
    coded: CodedPicture,
    picture: VideoStream,
    declared_colour: tuple[int, int, int] | None,
    crop: list[float],
) -> Ledger:
    return Ledger(
        container=film.format.name,
        time_base=Fraction(picture.time_base or 1),
        pts=shown.pts,
        digests=shown.digests,
        side_data=shown.side_data,
        end_pts=shown.end_pts,
        declared_ticks=picture.duration,
        num_corrupt=shown.num_corrupt,
        num_errors=shown.num_errors,
        colour=shown.colour | {"sample_aspect_ratio": str(Fraction(picture.sample_aspect_ratio or 1))},
        shown_as=shown.shown_as,
        picture=streams[picture.index],
        coded=coded,
        streams=[one for index, one in streams.items() if index != picture.index and one.kind != "data"],
        chapters=[_chapter(chapter) for chapter in film.chapters()],
        tags=_tags(film),
        declared_colour=declared_colour,
        crop=crop,
    )


class _Shown:
    """What the decoder shows of the picture."""

    def __init__(self) -> None:
        self.pts: list[int] = []
        self.digests: list[bytes] = []
        self.side_data: list[frozenset[tuple[str, bytes]]] = []
        self.end_pts = 0
        self.num_corrupt = 0
        self.num_errors = 0
        self.colour: dict[str, Any] = {}
        self.shown_as: list[dict[str, Any]] = []

    def take(self, packet: "Packet[Any]") -> None:
        try:
            for frame in packet.decode():
                self._take_frame(frame)
        except av.FFmpegError:
            self.num_errors += 1

    def _take_frame(self, frame: VideoFrame) -> None:
        self.num_corrupt += frame.is_corrupt or frame.pts is None
        pts = frame.pts or 0
        self.pts.append(pts)
        self.digests.append(digest_of(planes_of(frame)))
        self.side_data.append(frozenset(_side_data(frame)))
        self.end_pts = max(self.end_pts, pts + frame.duration)
        tags = {
            "size_px": [frame.width, frame.height],
            "pixel_format": frame.format.name,
            "matrix": int(frame.colorspace),
            "primaries": int(frame.color_primaries),
            "transfer": int(frame.color_trc),
            "full_range": frame.color_range == ColorRange.JPEG,  # no tag is limited range
            "rotation": frame.rotation,
            "display_matrix": _display_matrix(frame),
        }
        self.colour = self.colour or tags
        last = self.shown_as[-1] if self.shown_as else tags
        self.shown_as.append(last if last == tags else tags)


def _side_data(frame: VideoFrame) -> Iterator[tuple[str, bytes]]:
    for one in cast(Sequence[SideData], frame.side_data):
        if one.type.name not in OF_ENCODERS:
            data = bytes(one)
            if one.type.name == SCREEN and len(data) == SCREEN_INTS * 4:
                data = _in_steps(data)
            yield one.type.name, hashlib.blake2b(data, digest_size=8).digest()


def _display_matrix(frame: VideoFrame) -> list[float]:
    """How the picture is turned, mirrored and stretched: a, b, c, d of ISO/IEC 14496-12, 6.2.2, in steps of 1/64.

    Where it is moved to is left out: players show one picture alone, and fill their window with it.
    """
    data = next((bytes(one) for one in cast(Sequence[SideData], frame.side_data) if one.type.name == TURNED), b"")
    ints = struct.unpack("=9i", data) if len(data) == TURNED_BYTES else UPRIGHT
    return [round(ints[place] / 1024) / 64 for place in (0, 1, 3, 4)]


def _in_steps(screen: bytes) -> bytes:
    """The mastering screen in steps of 0.00002 and 0.0001 cd/m2: containers and bitstreams write other fractions."""
    ints = struct.unpack(f"={SCREEN_INTS}i", screen)
    ratios = [over / under if under else 0.0 for over, under in zip(ints[:20:2], ints[1:20:2], strict=True)]
    steps = [round(ratio * 50_000) for ratio in ratios[:8]] + [round(ratio * 10_000) for ratio in ratios[8:]]
    return struct.pack("=12i", *steps, *ints[20:])


def _declared(stream: Stream) -> StreamLedger:
    own = {key.casefold(): value for key, value in stream.metadata.items()}
    return StreamLedger(
        kind=stream.type,
        codec=stream.codec_context.codec.canonical_name if stream.codec_context else "",
        tag=stream.codec_context.codec_tag if stream.codec_context else "",
        language=stream.metadata.get("language"),
        title=next((stream.metadata[key] for key in NAMES if key in stream.metadata), None),
        disposition=tuple(sorted(flag.name or "" for flag in Disposition if flag & stream.disposition)),
        mime=stream.mimetype if isinstance(stream, AttachmentStream) else None,
        tags={key: value for key, value in own.items() if key not in TOLD and not key.startswith(STATISTICS)},
    )


def _note(stream: StreamLedger, digest: Any, packet: "Packet[Any]") -> None:
    data = bytes(packet)
    if "attached_pic" in stream.disposition:
        digest.update(data)  # a cover has no time
        return
    if packet.pts is None or packet.time_base is None or (stream.kind == "subtitle" and data == EMPTY_LINE):
        return
    start_s = packet.pts * packet.time_base
    stream.times_s.append(start_s)
    lasts_s = (packet.duration or 0) * packet.time_base
    if stream.kind == "subtitle":
        stream.durations_s.append(lasts_s)
    stream.end_s = max(stream.end_s, start_s + lasts_s)
    data = _without_adts(data) if stream.codec == "aac" else data
    digest.update(data if stream.is_pcm else len(data).to_bytes(8) + data)


def _tags(film: InputContainer) -> dict[str, str]:
    timecodes = {key: one.metadata[key] for one in film.streams for key in OF_TIMECODES if key in one.metadata}
    own = {key.casefold(): value for key, value in film.metadata.items()}
    return {key: value for key, value in (timecodes | own).items() if key not in OF_MUXERS}


def _declared_colour(path: Path) -> tuple[int, int, int] | None:
    said = declared_colour(path)
    return None if said is None else (said.primaries, said.transfer, said.matrix)


def _without_adts(data: bytes) -> bytes:
    """An AAC packet without the header that MPEG-TS repeats before each: the only thing a remux may take away."""
    if len(data) < 9 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:
        return data
    return data[7 if data[1] & 1 else 9 :]


def _chapter(chapter: Any) -> tuple[Fraction, Fraction, dict[str, str]]:
    unit = Fraction(chapter["time_base"] or 1)
    said = {key.casefold(): value for key, value in chapter["metadata"].items()}
    return chapter["start"] * unit, chapter["end"] * unit, said
