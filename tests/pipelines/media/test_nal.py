"""NAL units, parameter sets and messages are read and written as the standards say."""

import random
from pathlib import Path

import av
import pytest

from pipelines.media.hevc_ids import HevcIds, NoFreeIdError, first_free, free_ids, renumber
from pipelines.media.nal import (
    Avc,
    Hevc,
    bits_of,
    bytes_of,
    escape,
    golomb_at,
    golomb_of,
    join,
    kind_of,
    split,
    unescape,
)
from pipelines.media.parameter_sets import ParameterSets, read_sets, set_id
from pipelines.media.sei import kept_messages, messages
from tests.synthetic import FilmSpec, make_film

X265 = (("x265-params", "pools=1:log-level=error"), ("preset", "ultrafast"))
X264_UUID = bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef")
IDS = HevcIds(vps=1, sps=15, pps=15)


@pytest.mark.parametrize("seed", range(20))
def test_escaping_leaves_no_start_code_and_can_be_undone(seed: int) -> None:
    payload = bytes(random.Random(seed).choices([0, 0, 0, 1, 2, 3, 4, 255], k=300)) + b"\x80"

    coded = escape(payload)

    assert not any(code in coded for code in (b"\0\0\0", b"\0\0\1", b"\0\0\2"))
    assert unescape(coded) == payload


@pytest.mark.parametrize("length_bytes", [None, 2, 4])
def test_units_are_split_as_they_were_joined(length_bytes: int | None) -> None:
    units = [b"\x67\x01\x02", b"\x68\x03", b"\x65" + bytes(range(1, 200))]

    assert split(join(units, length_bytes), length_bytes) == units


def test_a_length_that_points_beyond_its_packet_is_an_error() -> None:
    with pytest.raises(ValueError, match="ends behind its packet"):
        split(b"\0\0\0\x09abc", 4)


@pytest.mark.parametrize("value", [0, 1, 2, 7, 14, 15, 30, 31, 255, 65_534])
def test_exp_golomb_codes_are_read_as_they_are_written(value: int) -> None:
    bits = "0110" + golomb_of(value) + "1"

    assert golomb_at(bits, 4) == (value, len(golomb_of(value)))
    assert bytes_of(bits_of(b"\x01\x80")) == b"\x01\x80"


@pytest.mark.parametrize(("codec", "name", "encoder"), [("libx264", "h264", ()), ("libx265", "hevc", X265)])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_a_record_is_written_as_it_was_read(
    tmp_path: Path, codec: str, name: str, encoder: tuple[tuple[str, str], ...], suffix: str
) -> None:
    film = make_film(tmp_path / f"film.{suffix}", FilmSpec(num_frames=3, cuts=(), codec=codec, encoder=encoder))
    with av.open(str(film.path)) as opened:
        extradata = bytes(opened.streams.video[0].codec_context.extradata)

    sets = read_sets(name, extradata)

    assert sets.extradata() == extradata or suffix == "ts"  # there lengths of start codes differ
    assert (sets.length_bytes is None) == (suffix == "ts")
    assert [sets.ids(kind) for kind in sorted(sets.sets) if kind != Hevc.SEI] == [{0}] * (2 if name == "h264" else 3)


def hevc_units(tmp_path: Path) -> tuple[ParameterSets, list[bytes]]:
    spec = FilmSpec(num_frames=12, cuts=(), codec="libx265", encoder=X265, sound_codec="aac")
    film = make_film(tmp_path / "film.mp4", spec)
    with av.open(str(film.path)) as opened:
        stream = opened.streams.video[0]
        sets = read_sets("hevc", bytes(stream.codec_context.extradata))
        return sets, [unit for p in opened.demux(stream) for unit in split(bytes(p), sets.length_bytes)]


def test_renumbered_units_are_a_byte_longer_and_have_the_new_ids(tmp_path: Path) -> None:
    sets, units = hevc_units(tmp_path)

    new = {kind: renumber(sets.sets[kind][0], IDS) for kind in (Hevc.VPS, Hevc.SPS, Hevc.PPS)}

    assert [set_id(new[kind], "hevc") for kind in (Hevc.VPS, Hevc.SPS, Hevc.PPS)] == [1, 15, 15]
    lengths = [len(unescape(new[kind])) - len(unescape(sets.sets[kind][0])) for kind in new]
    assert lengths == [0, 1, 2]
    for unit in units:
        if kind_of(unit, "hevc") < 32:
            longer, plain = unescape(renumber(unit, IDS)), unescape(unit)
            assert len(longer) == len(plain) + 1
            assert longer[65:] == plain[64:]  # from behind the part that has ids


def test_ids_that_a_stream_has_are_not_given_again(tmp_path: Path) -> None:
    sets, _ = hevc_units(tmp_path)
    taken = sets.with_more([renumber(sets.sets[Hevc.VPS][0], IDS), renumber(sets.sets[Hevc.PPS][0], IDS)])

    assert free_ids(sets) == IDS
    assert free_ids(taken) == HevcIds(vps=2, sps=15, pps=16)
    again = taken.with_more([renumber(sets.sets[Hevc.SPS][0], IDS)])  # of a delivery of ours
    assert free_ids(again) == HevcIds(vps=1, sps=15, pps=16)
    assert first_free(range(3), {0, 2}) == 1
    with pytest.raises(NoFreeIdError):
        first_free(range(3), {0, 1, 2})


def test_a_set_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(ValueError, match="cut off"):
        read_sets("h264", b"\x01\x64\x00\x1f\xff\xe1\x00\x40\x67")
    with pytest.raises(ValueError, match="cut off"):
        read_sets("hevc", b"\x01" + bytes(21))
    with pytest.raises(ValueError, match="cut off"):
        set_id(b"\x68\0\0", "h264")


@pytest.mark.parametrize(("codec", "header"), [("h264", b"\x06"), ("hevc", b"\x4e\x01")])
def test_messages_about_the_picture_stay_and_those_about_the_encoder_go(codec: str, header: bytes) -> None:
    captions, anybody = (4, b"\xb5\0\x31GA94\x03" + bytes(300)), (5, bytes(range(40)))
    unit = header + escape(
        b"".join(
            bytes([kind]) + b"\xff" * (len(payload) // 255) + bytes([len(payload) % 255]) + payload
            for kind, payload in [(5, X264_UUID + b"options" * 30), captions, (0, b"\x01"), anybody]
        )
        + b"\x80"
    )

    kept = kept_messages([b"\x67\x01", unit], codec)

    assert [kind for kind, _ in messages(unit, codec)] == [5, 4, 0, 5]
    assert kept is not None
    assert list(messages(kept, codec)) == [captions, anybody]
    assert kept_messages([unit[: len(header)] + b"\x01\x01\x01\x80"], codec) is None
    assert kind_of(kept, codec) == (Avc.SEI if codec == "h264" else Hevc.SEI)
