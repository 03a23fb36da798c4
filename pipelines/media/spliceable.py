"""Whether the GOPs of a film can be replaced one by one, and if not, why."""

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from av.codec.codec import Codec
from av.video.stream import VideoStream

from pipelines.media.container import FILM_FORMATS, open_media, picture_stream
from pipelines.media.edit_list import has_dolby_box
from pipelines.media.gops import INTRA_CODECS, NAL_CODECS, PictureIndex, PictureReader, UntimedError, read_picture
from pipelines.media.matched_encoder import ENCODER_NAMES, PRORES_PROFILES, encoded_format, match_of, prores_tag
from pipelines.media.muxer import fits
from pipelines.media.nal import Avc, Hevc
from pipelines.media.run_encoder import UnspliceableError
from pipelines.media.vui import left_crop
from schemas.reason import Whole

MAX_GOP_S = 60  # all packets of a GOP are in memory while it is encoded
NO_IDR_DETAIL = "its frames refer to each other for minutes, or from first to last: open GOPs, or intra refresh"


def check_spliceable(path: Path, suffix: str) -> PictureIndex:
    """The packets of a film whose GOPs can be replaced one by one.

    Args:
        path: the film.
        suffix: of the file that is written, with or without the dot.

    Raises:
        UnspliceableError: they cannot.
        UndecodableError: the file is no film.
    """
    with open_media(path, FILM_FORMATS) as film:
        return spliceable_index(path, suffix, picture_stream(film), read_picture(film))


def spliceable_index(path: Path, suffix: str, stream: VideoStream, reader: PictureReader) -> PictureIndex:
    """The same of packets that were read already.

    Args:
        path: the film.
        suffix: of the file that is written, with or without the dot.
        stream: its picture, open.
        reader: has taken all of its packets.

    Raises:
        UnspliceableError: they cannot be replaced GOP by GOP.
    """
    _check_stream(stream, suffix)
    index = _index_of(reader)
    try:
        match_of(stream, index)
    except ValueError as error:
        raise UnspliceableError(Whole.PARAMETER_SETS, str(error)) from error
    _check_crop(index)
    if index.has_dolby_vision or has_dolby_box(path):
        raise UnspliceableError(Whole.DOLBY_VISION, "its metadata would be missing from the frames that change")
    if len(index.gop_starts) < 2 or index.longest_gop_s > MAX_GOP_S:
        raise UnspliceableError(Whole.NO_IDR, NO_IDR_DETAIL)
    return index


def _check_crop(index: PictureIndex) -> None:
    """Encoders crop at the right and below. FFmpeg shows what others crop at the left: such a film would jump."""
    kind = Avc.SPS if index.codec == "h264" else Hevc.SPS
    for sps in index.all_sets.sets.get(kind, ()) if index.all_sets else ():
        with suppress(ValueError):  # of one that cannot be read the size of frames will tell
            if left_crop(sps, index.codec):
                raise UnspliceableError(
                    Whole.UNLIKE, "its picture is cropped at the left, and that of encoders is not"
                )


def copied_index(path: Path, suffix: str) -> PictureIndex:
    """The packets of a film of which nothing changes, whatever its codec."""
    with open_media(path, FILM_FORMATS) as film:
        _check_container(picture_stream(film), suffix)
        return _index_of(read_picture(film))


def _index_of(reader: PictureReader) -> PictureIndex:
    try:
        return reader.index()
    except UntimedError as error:
        raise UnspliceableError(Whole.TIMES, str(error)) from error
    except ValueError as error:
        raise UnspliceableError(Whole.PARAMETER_SETS, f"its packets cannot be read: {error}") from error


def _check_stream(stream: VideoStream, suffix: str) -> None:
    context = stream.codec_context
    codec = context.codec.canonical_name
    if codec not in INTRA_CODECS | NAL_CODECS:
        raise UnspliceableError(Whole.CODEC, f"{codec} is not cut; it is delivered as H.264")
    if codec == "prores" and prores_tag(context) not in PRORES_PROFILES:
        raise UnspliceableError(Whole.CODEC, "its ProRes is of no known profile")
    wanted = encoded_format(codec, context.pix_fmt or "")
    formats = Codec(ENCODER_NAMES[codec], "w").video_formats or []
    if wanted not in {one.name for one in formats}:
        raise UnspliceableError(Whole.PIXEL_FORMAT, f"no encoder of {codec} keeps samples of {context.pix_fmt}")
    _check_container(stream, suffix)


def _check_container(stream: VideoStream, suffix: str) -> None:
    if not fits(stream, suffix):
        codec = stream.codec_context.codec.canonical_name
        raise UnspliceableError(Whole.CONTAINER, f"{suffix.lstrip('.')} cannot hold its picture, {codec}")


def check_changed(index: PictureIndex, changed: Collection[int]) -> None:
    """All frames that change lie in GOPs that can be encoded by themselves."""
    first = int(index.gop_starts[0]) if len(index.gop_starts) else index.num_packets
    if not set(changed).isdisjoint(index.pts[:first].tolist()):
        raise UnspliceableError(Whole.NO_IDR, f"it begins in the middle of a GOP. {NO_IDR_DETAIL}")
    missing = set(changed).difference(index.pts.tolist())
    if missing:
        raise UnspliceableError(Whole.TIMES, f"no packet has the pts {min(missing)} of a frame that changes")
