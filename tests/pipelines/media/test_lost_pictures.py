"""Pictures that packets lost on the way took with them are missed; in films that lost none, none is missed."""

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from pipelines.media.container import FILM_FORMATS, open_media, picture_stream
from pipelines.media.lost_pictures import LostPictures
from pipelines.media.nal import bits_of, bytes_of, golomb_at
from pipelines.media.parameter_sets import read_sets
from tests.pipelines.media.test_probe import remuxed
from tests.pipelines.test_splice import film_of


def missed(path: Path) -> int:
    """At how many places pictures of a film are lost."""
    with open_media(path, FILM_FORMATS) as film:
        stream = picture_stream(film)
        lost, places = LostPictures(stream), 0
        for packet in film.demux(stream):
            places += lost.see_packet(packet)
            with suppress(av.FFmpegError):  # of what comes before the first keyframe
                for frame in packet.decode():
                    lost.see_frame(frame)
    return places + len(lost.unseen())


def x264(params: str, **more: Any) -> dict[str, Any]:
    return {"encoder": (("preset", "fast"), ("x264-params", params)), **more}


def x265(params: str) -> dict[str, Any]:
    encoder = (("preset", "fast"), ("x265-params", f"pools=1:log-level=error:{params}"))
    return {"codec": "libx265", "encoder": encoder}


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(x264("open-gop=1:slices=3", b_frames=4), id="H.264, open GOP"),
        pytest.param(x264("b-pyramid=normal:ref=8", b_frames=8, gop=48), id="H.264, B-frames that are referred to"),
        pytest.param(x264("intra-refresh=1"), id="H.264, intra refresh"),
        pytest.param(x264("tff=1"), id="H.264, fields"),
        pytest.param(x264("keyint=1"), id="H.264, intra"),
        pytest.param(x265("open-gop=1:bframes=4"), id="HEVC, open GOP"),
        pytest.param(x265("open-gop=0:radl=2"), id="HEVC, leading pictures that can be decoded"),
        pytest.param(x265("temporal-layers=3"), id="HEVC, layers"),
    ],
)
def test_no_picture_of_a_good_film_is_missed_also_where_it_begins_in_the_middle(
    tmp_path: Path, more: dict[str, Any]
) -> None:
    film = film_of(tmp_path / "film.mp4", **{"num_frames": 48, "cuts": (24,), "gop": 12, **more})
    cut = remuxed(film.path, tmp_path / "cut.ts", lambda packet, index: index > 6)

    assert (missed(film.path), missed(cut)) == (0, 0)


@pytest.mark.parametrize("lost", [9, 14], ids=["a keyframe", "another"])
def test_one_lost_picture_of_h264_is_missed(tmp_path: Path, lost: int) -> None:
    film = film_of(tmp_path / "film.mp4", num_frames=24, cuts=(12,), gop=9, b_frames=0)
    with av.open(str(film.path)) as opened:
        packets = [packet for packet in opened.demux(video=0) if packet.size]
        assert packets[lost].is_keyframe == (lost == 9)

    assert missed(remuxed(film.path, tmp_path / "lossy.mp4", lambda packet, index: index != lost)) == 1


def test_numbers_that_are_left_out_on_purpose_are_no_loss(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4", num_frames=24, cuts=(12,), gop=12)
    lossy = remuxed(film.path, tmp_path / "lossy.mp4", lambda packet, index: index % 5 != 4)
    assert missed(lossy) > 0

    allow_gaps(lossy)

    assert missed(lossy) == 0


def allow_gaps(film: Path) -> None:
    """Set `gaps_in_frame_num_value_allowed_flag` of a film by x264 (ITU-T H.264, 7.3.2.1.1)."""
    with av.open(str(film)) as opened:
        sps = read_sets("h264", bytes(opened.streams.video[0].codec_context.extradata)).sets[7][0]
    bits, place = bits_of(sps), 8 + 24
    for field in ("id", "chroma", "depth", "depth", "", "numbers", "order", "order", "references"):
        place += golomb_at(bits, place).num_bits if field else 2  # no transform is left out, no matrix is given
    changed = bytes_of(f"{bits[:place]}1{bits[place + 1 :]}")
    data = film.read_bytes()
    assert bits[place] == "0"
    assert data.count(sps) == 1
    film.write_bytes(data.replace(sps, changed))


def test_a_film_of_a_codec_without_such_numbers_is_left_to_its_decoder(tmp_path: Path) -> None:
    more = {"codec": "mpeg4", "encoder": (), "b_frames": 0, "frame_rate": Fraction(25)}
    film = film_of(tmp_path / "film.mp4", num_frames=24, cuts=(12,), **more)

    assert missed(remuxed(film.path, tmp_path / "lossy.mp4", lambda packet, index: index != 5)) == 0


@pytest.mark.parametrize("place", [8, 11])
def test_a_declared_set_that_cannot_be_read_is_left_to_the_decoder(tmp_path: Path, place: int) -> None:
    """The packets may bring a good one."""
    film = film_of(tmp_path / "film.mp4", num_frames=24, cuts=(), **x264("repeat-headers=1"))
    data = bytearray(film.path.read_bytes())
    record = data.index(b"avcC") + 4
    length = int.from_bytes(data[record + 6 : record + 8])
    data[record + place + 1 : record + 8 + length] = bytes(length + 7 - place)
    film.path.write_bytes(data)

    with open_media(film.path, FILM_FORMATS) as opened:
        assert LostPictures(picture_stream(opened)).unseen() == []
