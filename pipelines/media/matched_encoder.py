"""Encoders whose packets fit between those of a film: same codec, samples, tags and order of frames, other set ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import av
from av.codec.context import Flags
from av.packet import Packet
from av.stream import Stream
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipelines.media.encode import EncodeConfig, tag_as
from pipelines.media.gops import PictureIndex
from pipelines.media.hevc_ids import HevcIds, first_free, free_ids, renumber
from pipelines.media.nal import DELIMITERS, SEI_KINDS, SET_KINDS, Avc, Hevc, join, kind_of, split
from pipelines.media.parameter_sets import ParameterSets
from pipelines.media.run_quality import FINEST_CRF
from pipelines.media.sei import kept_messages
from pipelines.media.vui import siting_params

ENCODER_NAMES = {"h264": "libx264", "hevc": "libx265", "prores": "prores_ks", "dnxhd": "dnxhd", "mjpeg": "mjpeg"}
AVC_IDS = range(32)  # of x264, which gives its two sets one id
AVC_PROFILES = {66: "baseline", 77: "main"}  # by profile_idc; of the others x264 chooses by the samples
MAX_B_FRAMES = 3
PRORES_TAGS = {"Proxy": "apco", "LT": "apcs", "Standard": "apcn", "HQ": "apch", "4444": "ap4h", "XQ": "ap4x"}
PRORES_PROFILES = {"apco": "proxy", "apcs": "lt", "apcn": "standard", "apch": "hq", "ap4h": "4444", "ap4x": "4444xq"}
DNXHD_MBIT = (36, 42, 45, 60, 63, 75, 80, 84, 90, 100, 110, 115, 120, 145, 175, 180, 185, 220, 240, 290, 365, 390, 440)
JPEG_QSCALES = ("1", "2")  # the finest of FFmpeg's scale of 1..31, and the one to try first


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """What an encoder must keep of a film's picture."""

    stream: VideoStream  # of the film, open for reading
    index: PictureIndex
    ids: HevcIds | int | None  # of the parameter sets: of HEVC, of H.264, or none


def match_of(stream: VideoStream, index: PictureIndex) -> Match:
    """How to encode into the film.

    Raises:
        ValueError: its parameter sets leave no id, or lengths before its NAL units are too short for new ones.
    """
    if index.sets and index.sets.length_bytes in (1, 2):
        raise ValueError(f"lengths of {index.sets.length_bytes} bytes before its NAL units are too short")
    ids: HevcIds | int | None = None
    if index.codec == "h264" and index.all_sets:
        ids = first_free(AVC_IDS, index.all_sets.ids(Avc.SPS) | index.all_sets.ids(Avc.PPS))
    elif index.codec == "hevc" and index.all_sets:
        ids = free_ids(index.all_sets)
    return Match(stream=stream, index=index, ids=ids)


def encoded_format(codec: str, pixel_format: str) -> str:
    """In which samples a codec is encoded whose decoder gives these: FFmpeg decodes every ProRes 4444 at 12 bits."""
    return "yuv444p10le" if (codec, pixel_format) == ("prores", "yuv444p12le") else pixel_format


def encoder_of(match: Match, first: VideoFrame, config: EncodeConfig, crf: int) -> VideoCodecContext:
    """An encoder of a stretch of the film that begins with this frame. It is opened with the first frame."""
    name = ENCODER_NAMES[match.index.codec]
    context = cast(VideoCodecContext, av.CodecContext.create(name, "w"))
    context.width, context.height = first.width, first.height
    context.pix_fmt = encoded_format(match.index.codec, first.format.name)
    rate = match.stream.average_rate or match.stream.guessed_rate or Fraction(25)
    context.framerate, context.time_base = Fraction(rate), match.index.time_base
    tag_as(context, first)
    if match.stream.sample_aspect_ratio:
        context.sample_aspect_ratio = match.stream.sample_aspect_ratio
    context.thread_count = config.threads
    context.flags |= Flags.frame_duration
    if match.ids is not None:
        context.flags |= Flags.global_header
        context.gop_size = max(match.index.longest_gop, 1)
    context.options = _options(match, config, crf)
    if match.index.codec == "dnxhd" and match.stream.codec_context.profile == "DNXHD":
        context.bit_rate = _bit_rate(match, rate)
    return context


def _options(match: Match, config: EncodeConfig, crf: int) -> dict[str, str]:
    makers = {"h264": _avc_options, "hevc": _hevc_options}
    if match.index.codec in makers:
        shared = {"crf": str(crf), "preset": config.preset, "forced-idr": "1"}
        return shared | makers[match.index.codec](match, config)
    context = match.stream.codec_context
    if match.index.codec == "prores":
        return {"profile": PRORES_PROFILES[prores_tag(context)], "vendor": "apl0"}
    if match.index.codec == "dnxhd":
        return {"profile": str(context.profile).lower().replace(" ", "_")}
    scale = JPEG_QSCALES[crf > FINEST_CRF]
    return {"qmin": scale, "qmax": scale, "strict": "unofficial"}


def _avc_options(match: Match, config: EncodeConfig) -> dict[str, str]:
    params = [
        *_order(match),
        *_siting(match),
        f"sps-id={match.ids}",
        "stitchable=1",
        "open-gop=0",
        "mbtree=0",
        "keyint=infinite",
    ]
    options = {"threads": str(config.threads), "x264-params": ":".join(params)}
    sps = match.index.all_sets.sets[Avc.SPS][0] if match.index.all_sets else b""
    profile = AVC_PROFILES.get(sps[1]) if len(sps) > 1 else None
    return options | ({"profile": profile} if profile else {})


def _hevc_options(match: Match, config: EncodeConfig) -> dict[str, str]:
    params = [
        *_order(match),
        *_siting(match),
        f"pools={config.threads}",
        "frame-threads=1",
        "open-gop=0",
        "log-level=error",
    ]
    return {"x265-params": ":".join([*params, "info=0", f"keyint={match.index.longest_gop}"])}


def _order(match: Match) -> list[str]:
    """No more frames are held back than the film's own encoder held, or its decoding times would not fit."""
    depth = match.index.reorder_depth
    return [f"bframes={MAX_B_FRAMES if depth else 0}", f"b-pyramid={int(depth > 1)}"]


def _siting(match: Match) -> list[str]:
    kind = Avc.SPS if match.index.codec == "h264" else Hevc.SPS
    sets = match.index.all_sets.sets.get(kind, ()) if match.index.all_sets else ()
    return siting_params(next(iter(sets), None), match.index.codec, match.stream.codec_context.pix_fmt)


def _bit_rate(match: Match, rate: Fraction) -> int:
    """DNxHD knows some rates only, and has packets of one size for each."""
    exact = match.index.num_bytes[0] * 8 * float(rate) / 1_000_000
    return min(DNXHD_MBIT, key=lambda nominal: abs(nominal - exact)) * 1_000_000


def prores_tag(context: VideoCodecContext) -> str:
    """By which MOV knows a profile of ProRes; containers that have no such tag are asked for the profile."""
    tag = context.codec_tag
    return tag if tag in PRORES_PROFILES else PRORES_TAGS.get(str(context.profile), "")


def describe_as(stream: Stream, source: VideoStream, container: str) -> None:
    """Give a stream that was made from a template what templates leave behind.

    Args:
        stream: of the film that is written.
        source: the film's own.
        container: FFmpeg's name of the muxer.
    """
    context, own = cast(VideoCodecContext, stream.codec_context), source.codec_context
    if source.average_rate:
        context.framerate = Fraction(source.average_rate)
    if source.sample_aspect_ratio:
        context.sample_aspect_ratio = source.sample_aspect_ratio
    if container in ("mov", "mp4"):
        is_mov = source.container.format.name.startswith("mov")
        tag = prores_tag(own) if own.codec.canonical_name == "prores" else own.codec_tag if is_mov else ""
        if tag.strip():
            context.codec_tag = tag  # Apple's players take hvc1 alone, and editing systems go by the tag of ProRes


def sets_of(match: Match, extradata: bytes) -> ParameterSets | None:
    """The film's parameter sets and those of its new stretches; None where it has none."""
    if match.index.sets is None:
        return None
    units = split(extradata, None)
    if isinstance(match.ids, HevcIds):
        ids = match.ids
        units = [renumber(unit, ids) for unit in units if kind_of(unit, "hevc") in SET_KINDS["hevc"]]
    own = match.index.sets
    merged = own.with_more(units)
    for kind in SET_KINDS[match.index.codec]:
        num_new = len(merged.sets.get(kind, ())) - len(own.sets.get(kind, ()))
        if len(merged.ids(kind) - own.ids(kind)) < num_new:
            raise ValueError("another parameter set of the film has the last id that is left")
    return merged


def fitted(match: Match, packet: "Packet[Any]", source: "Packet[Any]") -> bytes:
    """The bytes of an encoded frame as the film's stream has them, with the messages of the frame's own packet."""
    data, codec, sets = bytes(packet), match.index.codec, match.index.sets
    if sets is None:
        return data
    units = [unit for unit in split(data, None) if not _is_about_encoder(unit, codec)]
    if isinstance(match.ids, HevcIds):
        units = [renumber(unit, match.ids) for unit in units]
    before = split(bytes(source), sets.length_bytes)
    own_sets = [unit for unit in before if kind_of(unit, codec) in SET_KINDS[codec]]  # what is copied may need them
    message = kept_messages(before, codec)
    return join([*own_sets, *([message] if message else []), *units], sets.length_bytes)


def _is_about_encoder(unit: bytes, codec: str) -> bool:
    kind: int = kind_of(unit, codec)
    other: Sequence[int] = (DELIMITERS[codec], SEI_KINDS[codec], *SET_KINDS[codec])
    return kind in other
