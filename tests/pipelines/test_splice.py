"""Only the GOPs that change are encoded again; every other packet and frame is the film's own."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from pipelines.media.dub_track import DubSource, dub_track
from pipelines.media.encode import EncodeConfig
from pipelines.media.gops import index_picture
from pipelines.media.mux import write_film
from pipelines.media.muxer import delivered_suffix
from pipelines.media.nal import Avc, Hevc
from pipelines.media.parameter_sets import read_sets
from pipelines.media.picture import frames, planes_of
from pipelines.media.run_encoder import UnspliceableError
from pipelines.media.sound import write_wav
from pipelines.media.splice import SplicedPicture, spliced
from pipelines.media.vui import chroma_siting
from schemas.reason import Whole
from tests.pipelines.deliveries import Changing
from tests.synthetic import FILM_24, FilmSpec, SyntheticFilm, made_once, make_film

CONFIG = EncodeConfig(preset="veryfast")
X264 = (("crf", "16"), ("preset", "medium"), ("threads", "1"))
X265 = (("x265-params", "pools=1:log-level=error:open-gop=0"), ("preset", "fast"))
SEEKS = 80
EARLIER_S = Fraction(1, 10)  # FFmpeg seeks in MP4 by times of decoding, and is late for some frames of VFR films
WHOLE_FILM = (-(1 << 62), 1 << 62)


def moving(spec: FilmSpec) -> Any:
    """A picture in which things move smoothly, so that encoders use B-frames."""
    y, x = np.mgrid[: spec.height_px, : spec.width_px]

    def draw(index: int) -> np.ndarray:
        waves = [np.sin((x + speed * index) / 9 + y / 13) * 90 + 128 for speed in (1, 2, 3)]
        return np.stack(waves, -1).clip(0, 255).astype(np.uint8)

    return draw


def film_of(path: Path, **more: Any) -> SyntheticFilm:
    spec = FilmSpec(**{"num_frames": 96, "cuts": (48,), "gop": 24, "encoder": X264, "languages": ()} | more)
    return made_once(path, f"moving {spec}", lambda: make_film(path, spec, draw=moving(spec)))


def changing(moments: Sequence[int]) -> Changing:
    def change(pts: int, planes_of: Any) -> Any:
        if pts not in moments:
            return None
        planes, coding = planes_of()
        planes[0][40:60, 60:100] = 180 << (coding.bits - 8)
        return planes

    return Changing(change)


def splice(film: SyntheticFilm, changed: Sequence[int]) -> tuple[Path, SplicedPicture]:
    """The film with some frames changed."""
    stem = film.path.with_name("stem.wav")
    write_wav(stem, np.zeros(round(float(film.duration_s) * 48_000), np.float32), 48_000)
    target = film.path.with_name(f"made.{delivered_suffix(film.path)}")
    start_s = film.pts[0] * film.time_base
    track = dub_track(DubSource(film=film.path, start_s=start_s, dub=stem, dub_kind="dub_stem"), target.suffix)
    with spliced(film.path, target.suffix, changed, lambda: changing(changed), CONFIG, at_once=2) as picture:
        write_film(film.path, target, picture, track, "fr", film.end_pts, CONFIG)
    return target, picture


def shown(path: Path) -> dict[Fraction, bytes]:
    """Each frame's samples, by the moment at which it is shown."""
    found = {}
    for pts, frame in frames(path, *WHOLE_FILM):
        assert not frame.is_corrupt
        found[pts * Fraction(frame.time_base or 1)] = b"".join(plane.tobytes() for plane in planes_of(frame))
    return found


def packets_of(path: Path) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        return [((p.pts or 0) * Fraction(stream.time_base or 1), bytes(p)) for p in film.demux(stream) if p.size]


FILMS = [
    pytest.param("mp4", {"frame_rate": FILM_24}, id="H.264 mp4 24000/1001"),
    pytest.param("mp4", {"start_frame": 7}, id="H.264 mp4, late start"),
    pytest.param("mov", {}, id="H.264 mov"),
    pytest.param("mkv", {}, id="H.264 mkv"),
    pytest.param("mp4", {"pixel_format": "yuv422p10le", "colour": (9, 9, 16, 1)}, id="H.264 10 bit 4:2:2"),
    pytest.param("mp4", {"pixel_format": "yuv444p"}, id="H.264 4:4:4"),
    pytest.param("mp4", {"colour": (1, 1, 1, 2)}, id="H.264 full range"),
    pytest.param("mp4", {"encoder": (*X264, ("profile", "main"))}, id="H.264 main"),
    pytest.param("mp4", {"encoder": (*X264, ("profile", "baseline")), "b_frames": 0}, id="H.264 baseline"),
    pytest.param("mp4", {"encoder": (*X264, ("tune", "zerolatency")), "b_frames": 0}, id="H.264 zero latency"),
    pytest.param("mp4", {"encoder": (*X264, ("x264-params", "sps-id=3"))}, id="H.264 with sets of another id"),
    pytest.param("mp4", {"gop": 1}, id="H.264, every frame by itself"),
    pytest.param("mp4", {"durations": (20, 40, 25, 25, 60, 30) * 16}, id="H.264 VFR"),
    pytest.param("mp4", {"codec": "libx265", "encoder": X265, "pixel_format": "yuv420p10le"}, id="HEVC 10 bit"),
    pytest.param("mkv", {"codec": "libx265", "encoder": X265}, id="HEVC mkv"),
    pytest.param("mp4", {"codec": "libx265", "encoder": X265, "colour": (9, 9, 16, 1)}, id="HEVC PQ"),
    pytest.param(
        "mov",
        {"codec": "prores_ks", "encoder": (("profile", "hq"),), "pixel_format": "yuv422p10le"},
        id="ProRes HQ",
    ),
    pytest.param(
        "mov",
        {
            "codec": "dnxhd",
            "encoder": (("profile", "dnxhr_hqx"),),
            "pixel_format": "yuv422p10le",
            "width_px": 256,
            "height_px": 128,
        },
        id="DNxHR HQX",
    ),
    pytest.param(
        "mov",
        {
            "codec": "mjpeg",
            "encoder": (("qmin", "2"), ("qmax", "2")),
            "pixel_format": "yuvj422p",
            "b_frames": 0,
            "colour": (5, 1, 1, 2),
        },
        id="MJPEG",
    ),
]


@dataclass(frozen=True)
class Spliced:
    """A film of which six frames changed, and where it was encoded again."""

    film: SyntheticFilm
    changed: set[int]
    inside: set[int]  # pts of changed GOPs
    made: Path
    picture: SplicedPicture


@pytest.fixture(scope="module", params=[pytest.param(film.values, id=film.id) for film in FILMS])
def one(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Spliced:
    suffix, more = request.param
    film = film_of(tmp_path_factory.mktemp("splice") / f"film.{suffix}", **more)
    index, changed = index_picture(film.path), set(film.pts[50:56])
    inside = {pts for run in index.runs(changed) for pts in index.pts[run.first : run.end].tolist()}
    return Spliced(film, changed, inside, *splice(film, changed))


def test_all_that_lies_outside_of_changed_gops_is_the_films_own_to_the_bit(one: Spliced) -> None:
    film, changed, inside, made, picture = one.film, one.changed, one.inside, one.made, one.picture

    before, after = shown(film.path), shown(made)
    assert list(before) == list(after)
    apart = {moment for moment in before if before[moment] != after[moment]}
    assert apart <= {pts * film.time_base for pts in inside}
    assert {pts * film.time_base for pts in changed} <= apart
    own = dict(packets_of(film.path))
    copied = [moment for moment, data in packets_of(made) if own[moment] == data]
    assert len(copied) == picture.counts.copied == len(film.pts) - len(inside)
    assert (picture.counts.edited, picture.counts.all) == (6, len(film.pts))
    assert (
        picture.encoded[0].psnr_db_min >= 45 or picture.encoded[0].num_bytes >= 2 * picture.encoded[0].num_bytes_before
    )


def test_every_seek_finds_the_frame_that_playing_finds(one: Spliced) -> None:
    made = one.made
    expected = shown(made)
    moments = random.Random(0).choices(list(expected), k=SEEKS)

    with av.open(str(made)) as opened:  # one decoder for all, that has seen both kinds of parameter sets
        stream = opened.streams.video[0]
        assert stream.time_base
        for moment in moments:
            opened.seek(round((moment - EARLIER_S) / stream.time_base), stream=stream)
            found = next(frame for frame in opened.decode(stream) if frame.pts * stream.time_base >= moment)
            assert b"".join(plane.tobytes() for plane in planes_of(found)) == expected[moment]


@pytest.mark.parametrize("changed", [(0, 3), (90, 96), (0, 96), (23, 25), (3, 4)])
def test_runs_may_lie_anywhere(tmp_path: Path, changed: tuple[int, int]) -> None:
    film = film_of(tmp_path / "film.mp4")
    made, picture = splice(film, set(film.pts[slice(*changed)]))

    before, after = shown(film.path), shown(made)
    assert list(before) == list(after)
    assert picture.counts.edited == changed[1] - changed[0]
    assert sum(before[moment] == after[moment] for moment in before) >= picture.counts.copied


def side_data_of(path: Path) -> list[set[str]]:
    return [{one.type.name for one in frame.side_data} for _, frame in frames(path, *WHOLE_FILM)]


def holding(packet: av.Packet, data: bytes) -> av.Packet:
    """A packet with the times of another, and with other bytes."""
    new = av.Packet(data)
    new.pts, new.dts, new.duration, new.time_base = packet.pts, packet.dts, packet.duration, packet.time_base
    new.is_keyframe = packet.is_keyframe
    return new


def with_captions(film: SyntheticFilm) -> SyntheticFilm:
    """The film with closed captions (ATSC A/53) in every frame, as broadcast has them."""
    cc = b"\xb5\0\x31GA94\x03\x41\xff\xfc\x94\x2c\xff"  # country, provider, one pair of EIA-608
    unit = b"\x06\x04" + bytes([len(cc)]) + cc + b"\x80"
    target = film.path.with_name("captions.mp4")
    with av.open(str(film.path)) as source, av.open(str(target), "w") as out:
        stream = source.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.size:
                new = holding(packet, len(unit).to_bytes(4) + unit + bytes(packet))
                new.stream = copy
                out.mux(new)
    return replace(film, path=target)


def test_captions_of_frames_that_are_encoded_again_stay(tmp_path: Path) -> None:
    film = with_captions(film_of(tmp_path / "film.mp4"))

    made, picture = splice(film, set(film.pts[50:56]))

    assert picture.counts.copied == 72
    assert all("A53_CC" in found for found in side_data_of(film.path))
    assert side_data_of(made) == side_data_of(film.path)


def test_colours_of_the_mastering_screen_and_light_levels_stay(tmp_path: Path) -> None:
    screen = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400"
    encoder = (("x265-params", f"pools=1:log-level=error:open-gop=0:hdr10=1:{screen}"), ("preset", "fast"))
    hdr = {"codec": "libx265", "pixel_format": "yuv420p10le", "colour": (9, 9, 16, 1)}
    film = film_of(tmp_path / "film.mp4", encoder=encoder, **hdr)

    made, _ = splice(film, set(film.pts[50:56]))

    assert "MASTERING_DISPLAY_METADATA" in side_data_of(film.path)[50]
    assert side_data_of(made) == side_data_of(film.path)


@pytest.mark.parametrize(
    ("suffix", "more", "reason"),
    [
        ("mp4", {"encoder": (*X264, ("x264-params", "open-gop=1"))}, Whole.NO_IDR),
        ("mp4", {"encoder": (*X264, ("x264-params", "intra-refresh=1"))}, Whole.NO_IDR),
        (
            "mp4",
            {"codec": "libx265", "encoder": (*X265[1:], ("x265-params", "pools=1:log-level=error"))},
            Whole.NO_IDR,
        ),
        ("avi", {"codec": "mpeg4", "encoder": (), "b_frames": 0}, Whole.CODEC),
    ],
)
def test_what_cannot_be_cut_is_named(tmp_path: Path, suffix: str, more: dict[str, Any], reason: Whole) -> None:
    film = film_of(tmp_path / f"film.{suffix}", subtitle=None, chapters=False, **more)

    with pytest.raises(UnspliceableError) as caught:
        splice(film, set(film.pts[50:56]))

    assert caught.value.reason == reason


def test_long_stretches_are_cut_at_gops_and_what_comes_out_does_not_depend_on_how_many_run(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4", num_frames=800, width_px=64, height_px=48)
    index, changed = index_picture(film.path), set(film.pts[30:790])

    def packets(at_once: int) -> list[bytes]:
        with SplicedPicture(film.path, index, changed, lambda: changing(changed), CONFIG, at_once) as picture:
            runs = [picture._encoding.result() for _ in index.runs(changed)]
        return [bytes(packet) for run in runs for packet in run.packets]

    runs = index.runs(changed)
    assert len(runs) == 3
    assert all(a.end == b.first for a, b in pairwise(runs))
    assert all((run.end - run.first) / 25 <= 15 for run in runs)
    assert packets(1) == packets(3)


def test_a_film_from_mpeg_ts_keeps_its_nal_units(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.ts", subtitle=None)

    made, picture = splice(film, set(film.pts[50:56]))

    before, after = shown(film.path), shown(made)
    assert list(before) == list(after)
    assert sum(before[moment] == after[moment] for moment in before) == picture.counts.copied == 72


@pytest.mark.parametrize(
    ("suffix", "more"),
    [
        ("mp4", {"encoder": (*X264, ("x264-params", "open-gop=1"))}),
        ("mkv", {"codec": "libvpx-vp9", "encoder": (("deadline", "realtime"),), "b_frames": 0, "num_frames": 20}),
        ("mov", {"codec": "prores_ks", "encoder": (("profile", "4444"),), "pixel_format": "yuv444p10le"}),
    ],
)
def test_a_film_in_which_nothing_changes_is_copied_whatever_its_codec(
    tmp_path: Path, suffix: str, more: dict[str, Any]
) -> None:
    film = film_of(tmp_path / f"film.{suffix}", **{"cuts": (), **more})

    made, picture = splice(film, set())

    assert packets_of(made) == packets_of(film.path)
    assert picture.counts.copied == len(film.pts)


def opencv_frames(path: Path) -> list[np.ndarray]:
    """The film as another build of another FFmpeg decodes it: the one inside OpenCV."""
    capture, found = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG), []
    while (read := capture.read())[0]:
        found.append(read[1])
    return found


def test_a_second_decoder_shows_the_same(one: Spliced) -> None:
    film, changed, inside, made = one.film, one.changed, one.inside, one.made

    before, after = opencv_frames(film.path), opencv_frames(made)
    assert len(before) == len(after) == len(film.pts)
    for pts, old, new in zip(film.pts, before, after, strict=True):
        assert np.array_equal(old, new) or pts in inside
        if pts in inside and pts not in changed:
            assert np.abs(old.astype(int) - new).mean() < 8  # of a stretch that is grey or torn: 30 and more


@pytest.mark.parametrize(
    ("name", "codec", "encoder"),
    [
        ("h264", "libx264", (*X264, ("x264-params", "chromaloc=2"))),
        ("hevc", "libx265", (("x265-params", "pools=1:log-level=error:open-gop=0:chromaloc=2"), ("preset", "fast"))),
    ],
)
def test_new_gops_say_that_chroma_lies_where_the_film_says(
    tmp_path: Path, name: str, codec: str, encoder: tuple[tuple[str, str], ...]
) -> None:
    film = film_of(tmp_path / "film.mp4", codec=codec, encoder=encoder)

    made, _ = splice(film, set(film.pts[50:56]))

    with av.open(str(made)) as opened:
        sets = read_sets(name, bytes(opened.streams.video[0].codec_context.extradata)).sets
    assert [chroma_siting(sps, name) for sps in sets[Avc.SPS if name == "h264" else Hevc.SPS]] == [2, 2]


def places_of(path: Path) -> list[tuple[int, str, Fraction]]:
    """Where each packet lies in a file, of which kind it is, and when it is decoded."""
    with av.open(str(path)) as film:
        packets = [packet for packet in film.demux() if packet.size and packet.dts is not None]
        return sorted((p.pos or 0, p.stream.type, p.dts * Fraction(p.time_base)) for p in packets)


def test_sound_lies_beside_new_packets_in_the_file(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4", num_frames=500, width_px=64, height_px=48, languages=("eng",))

    made, picture = splice(film, set(film.pts[10:480]))

    assert picture.counts.copied < 50
    pictures = {place: moment for place, kind, moment in places_of(made) if kind == "video"}
    sounds = {place: moment for place, kind, moment in places_of(made) if kind == "audio"}
    for place, moment in pictures.items():
        beside = min(sounds, key=lambda other: abs(other - place))
        assert abs(sounds[beside] - moment) < 2
