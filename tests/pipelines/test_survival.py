"""What a film has beside its picture and sound, and how its container keeps time, comes back with it."""

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from pipelines import film_picture, stitch
from pipelines.media import encode
from pipelines.media.edit_list import has_dolby_box
from pipelines.media.gops import index_picture
from pipelines.media.ledger import read_ledger
from pipelines.media.nal import Avc, Hevc, join, split
from pipelines.media.parameter_sets import read_sets
from pipelines.media.run_encoder import UnspliceableError
from pipelines.media.vui import chroma_siting
from pipelines.proof import Check, Proof
from pipelines.stitch import stitch_film
from pipelines.storage import ObjectStore
from pipelines.verify import verify_films
from schemas.reason import Whole
from tests.pipelines.deliveries import film_row, shot_rows
from tests.pipelines.test_splice import CONFIG, X264, X265, film_of, holding, side_data_of
from tests.synthetic import SyntheticFilm

Retag = Callable[[av.container.OutputContainer, dict[int, Any]], None]
Keep = Callable[[int, int], bool]  # stream index, number of its packet


def remuxed(
    film: SyntheticFilm,
    name: str,
    shift_s: Fraction = Fraction(0),
    options: dict[str, str] | None = None,
    retag: Retag = lambda out, copies: None,
    keep: Keep = lambda index, number: True,
) -> SyntheticFilm:
    """The film in another container: its packets, later or earlier, some of them left out."""
    target = film.path.with_name(name)
    with av.open(str(film.path)) as source, av.open(str(target), "w", options=options or {}) as out:
        kept = [one for one in source.streams if one.type in ("video", "audio")]
        copies = {one.index: out.add_stream_from_template(one) for one in kept}
        retag(out, copies)
        numbers = dict.fromkeys(copies, -1)
        for packet in source.demux():
            if packet.pts is None or packet.dts is None or packet.stream.index not in copies:
                continue
            numbers[packet.stream.index] += 1
            if keep(packet.stream.index, numbers[packet.stream.index]):
                ticks = round(shift_s / packet.time_base)
                packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
                packet.stream = copies[packet.stream.index]
                out.mux(packet)
    return as_read(replace(film, path=target))


def as_read(film: SyntheticFilm) -> SyntheticFilm:
    """The film with the frames that a decoder shows; the second half is a shot."""
    with av.open(str(film.path)) as opened:
        stream = opened.streams.video[0]
        pts = tuple(frame.pts for frame in opened.decode(stream))
        step = pts[1] - pts[0]
        return replace(
            film,
            pts=pts,
            time_base=Fraction(stream.time_base or 1),
            end_pts=pts[-1] + step,
            cuts=(pts[len(pts) // 2],),
        )


def delivered(folder: Path, film: SyntheticFilm, painted: int | None = 1) -> tuple[Path, dict[str, Any]]:
    """The film with a shot painted, proved, and its manifest."""
    row = film_row(film)
    shots = shot_rows(film, row, ObjectStore(str(folder / "work")), painted)
    made = stitch_film(row, shots, str(folder / "out"), encode=CONFIG).film
    assert made["failure"] is None
    path = Path(made["delivered_uri"])
    assert verify_films(film.path, path).failures == []
    return path, json.loads(path.with_name("manifest.json").read_text())


@pytest.mark.parametrize("painted", [0, 1])
@pytest.mark.parametrize(
    ("name", "shift_s", "options", "num_frames"),
    [
        pytest.param("cut.mp4", Fraction(-10, 25), {}, 86, id="an edit list hides the ten first frames"),
        pytest.param("late.mkv", Fraction(1), {}, 96, id="Matroska that starts at one second"),
        pytest.param("hour.ts", Fraction(3600), {}, 96, id="MPEG-TS that starts at one hour"),
        pytest.param("parts.mp4", Fraction(0), {"movflags": "frag_keyframe+delay_moov"}, 96, id="fragmented MP4"),
    ],
)
def test_films_that_keep_time_in_their_own_way_are_spliced(
    tmp_path: Path, name: str, shift_s: Fraction, options: dict[str, str], num_frames: int, painted: int
) -> None:
    film = remuxed(film_of(tmp_path / "film.mp4", languages=("eng",)), name, shift_s, options)

    path, manifest = delivered(tmp_path, film, painted)

    assert (manifest["picture"]["method"], manifest["num_frames"]["all"]) == ("splice", num_frames)
    assert as_read(replace(film, path=path)).pts == film.pts or path.suffix != film.path.suffix
    assert manifest["num_frames"]["copied"] >= 24


def test_a_broadcast_that_begins_in_the_middle_of_a_gop_is_spliced_where_it_can_be_decoded(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4", languages=("eng",))
    cut = remuxed(film, "cut.ts", keep=lambda index, number: index > 0 or number > 6)

    _, manifest = delivered(tmp_path, cut)

    assert manifest["num_frames"]["all"] == len(cut.pts) == 72
    assert manifest["num_frames"]["copied"] == 24


def test_a_film_whose_container_contradicts_the_bitstream_is_spliced(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4")
    data = bytearray(film.path.read_bytes())
    place = data.index(b"colrnclx") + 8
    data[place : place + 7] = b"\0\5\0\6\0\5\x80"  # BT.601, full range
    conflicting = film.path.with_name("conflict.mp4")
    conflicting.write_bytes(data)

    _, manifest = delivered(tmp_path, replace(film, path=conflicting))

    assert manifest["picture"]["method"] == "splice"


def test_all_that_a_master_has_is_there_when_it_was_spliced(tmp_path: Path) -> None:
    more = {"rotation": 90, "sample_aspect_ratio": Fraction(4, 3), "layout": "5.1", "chapters": True}
    film = film_of(tmp_path / "film.mov", languages=("eng", "fra", "ita"), **more)

    def retag(out: av.container.OutputContainer, copies: dict[int, Any]) -> None:
        copies[0].metadata.update({"timecode": "10:00:00:00", "reel_name": "A001"})
        out.metadata["title"] = "Master"
        for index, language in enumerate(("eng", "fra", "ita"), start=1):
            copies[index].metadata["language"] = language

    path, manifest = delivered(tmp_path, remuxed(film, "master.mov", retag=retag))

    with av.open(str(path)) as made:
        assert made.streams.video[0].metadata["timecode"] == "10:00:00:00"
        reels = [one.metadata.get("reel_name") for one in made.streams if one.type == "data"]
        assert "A001" in reels
        assert [one.language for one in made.streams.audio] == ["por", "eng", "fra", "ita"]
        assert [one.layout.name for one in made.streams.audio[1:]] == ["5.1"] * 3
        frame = next(made.decode(video=0))
        assert (frame.rotation, made.streams.video[0].sample_aspect_ratio) == (90, Fraction(4, 3))
    assert (manifest["picture"]["method"], manifest["left_out"]) == ("splice", [])


def test_a_stream_that_no_spliced_film_can_hold_is_named(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4", languages=("eng",), encoder=X264)

    def retag(out: av.container.OutputContainer, copies: dict[int, Any]) -> None:
        out.add_data_stream("klv")

    _, manifest = delivered(tmp_path, remuxed(film, "film.ts", retag=retag))

    assert manifest["left_out"] == ["stream 2 (data, klv)"]


def test_a_film_with_temporal_layers_is_encoded_whole_not_spliced(tmp_path: Path) -> None:
    params = "pools=1:log-level=error:open-gop=0:temporal-layers=2:b-adapt=0"
    film = film_of(tmp_path / "film.mp4", codec="libx265", encoder=(("x265-params", params), ("preset", "fast")))

    _, manifest = delivered(tmp_path, film)

    assert (manifest["picture"]["method"], manifest["picture"]["reason"]) == ("transcode", "parameter_sets")


@pytest.mark.parametrize("painted", [None, 1])
@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_spliced_hevc_keeps_the_name_by_which_players_know_it(
    tmp_path: Path, suffix: str, painted: int | None
) -> None:
    film = film_of(tmp_path / f"film.{suffix}", codec="libx265", encoder=X265)
    film.path.write_bytes(film.path.read_bytes().replace(b"hev1", b"hvc1"))

    path, manifest = delivered(tmp_path, film, painted)

    with av.open(str(path)) as made:
        assert made.streams.video[0].codec_context.codec_tag == "hvc1"
    assert manifest["picture"]["method"] == "splice"


@pytest.mark.parametrize("container", ["mov", "mkv"])
@pytest.mark.parametrize(("profile", "tag"), [("proxy", "apco"), ("lt", "apcs"), ("hq", "apch")])
def test_a_profile_of_spliced_prores_stays_what_it_is(tmp_path: Path, profile: str, tag: str, container: str) -> None:
    prores = {"codec": "prores_ks", "encoder": (("profile", profile),), "pixel_format": "yuv422p10le"}
    film = film_of(tmp_path / "film.mov", **prores)
    film = film if container == "mov" else remuxed(film, f"film.{container}")

    path, manifest = delivered(tmp_path, film)

    if container == "mkv":  # PyAV leaves out which profile it is
        assert manifest["picture"]["reason"] == "codec"
        return
    assert manifest["picture"]["method"] == "splice"
    with av.open(str(path)) as made:
        assert made.streams.video[0].codec_context.codec_tag == tag


def prores_4444(path: Path, profile: str) -> SyntheticFilm:
    full = {"codec": "prores_ks", "encoder": (("profile", profile),), "pixel_format": "yuv444p10le"}
    film = film_of(path, num_frames=24, cuts=(12,), languages=("eng",), **full)
    return replace(film, spec=replace(film.spec, pixel_format="yuv444p12le"))  # as FFmpeg decodes all of it


@pytest.mark.parametrize(("profile", "tag"), [("4444", "ap4h"), ("4444xq", "ap4x")])
def test_spliced_prores_of_full_chroma_stays_what_it_is(tmp_path: Path, profile: str, tag: str) -> None:
    path, manifest = delivered(tmp_path, prores_4444(tmp_path / "film.mov", profile))

    assert (manifest["picture"]["method"], manifest["num_frames"]["copied"]) == ("splice", 12)
    assert manifest["picture"]["runs"][0]["psnr_db_min"] > 45
    with av.open(str(path)) as made:
        context = made.streams.video[0].codec_context
        assert (context.pix_fmt, context.codec_tag) == ("yuv444p12le", tag)


def test_prores_of_full_chroma_that_cannot_be_spliced_keeps_its_bits_as_hevc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: Any) -> None:
        raise UnspliceableError(Whole.ENCODER, "made up")

    monkeypatch.setattr(film_picture, "spliced", refuse)

    path, _ = delivered(tmp_path, prores_4444(tmp_path / "film.mov", "4444"))

    with av.open(str(path)) as made:
        context = made.streams.video[0].codec_context
        assert (context.codec.canonical_name, context.pix_fmt) == ("hevc", "yuv444p12le")


def test_an_edit_list_that_hides_the_end_hides_it_in_the_spliced_film(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4")
    data = bytearray(film.path.read_bytes())
    place = data.index(b"elst") + 12
    scale = int.from_bytes(data[data.index(b"mvhd") + 16 :][:4])
    data[place : place + 4] = (86 * scale // 25).to_bytes(4)
    trimmed = film.path.with_name("trimmed.mp4")
    trimmed.write_bytes(data)
    film = as_read(replace(film, path=trimmed))
    assert len(film.pts) == 86

    for painted in (None, 0):
        path, manifest = delivered(tmp_path / str(painted), film, painted)
        assert (manifest["picture"]["method"], manifest["num_frames"]["all"]) == ("splice", 86)
        assert as_read(replace(film, path=path)).pts == film.pts


def test_a_shape_of_pixels_that_the_container_tells_otherwise_stays_in_the_spliced_film(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4", sample_aspect_ratio=Fraction(4, 3))
    data = bytearray(film.path.read_bytes())
    place = data.index(b"pasp") + 4
    data[place : place + 8] = (16).to_bytes(4) + (11).to_bytes(4)
    film.path.write_bytes(data)

    path, manifest = delivered(tmp_path, film)

    assert manifest["picture"]["method"] == "splice"
    with av.open(str(path)) as made:
        assert made.streams.video[0].sample_aspect_ratio == Fraction(16, 11)


@pytest.mark.parametrize(
    ("codec", "encoder"), [("libvpx-vp9", (("deadline", "realtime"),)), ("ffv1", ()), ("mpeg2video", (("b", "2M"),))]
)
def test_a_film_without_a_painted_mouth_is_not_spliced_but_its_own_whatever_its_codec(
    tmp_path: Path, codec: str, encoder: tuple[tuple[str, str], ...]
) -> None:
    film = film_of(tmp_path / "film.mkv", codec=codec, encoder=encoder, b_frames=0, num_frames=24, cuts=(12,))

    _, manifest = delivered(tmp_path, film, None)

    assert manifest["num_frames"] == {"all": 24, "edited": 0, "re_encoded_untouched": 0, "copied": 24}


def test_frames_of_unequal_length_last_as_long_at_the_end_of_spliced_hevc(tmp_path: Path) -> None:
    uneven = {"durations": (20, 40, 25, 25, 60, 30) * 16, "codec": "libx265", "encoder": X265}

    _, manifest = delivered(tmp_path, film_of(tmp_path / "film.mp4", **uneven))

    assert manifest["picture"]["method"] == "splice"


@pytest.mark.parametrize(("codec", "encoder"), [("libx264", X264), ("libx265", X265)])
def test_a_spliced_film_can_be_dubbed_once_more(
    tmp_path: Path, codec: str, encoder: tuple[tuple[str, str], ...]
) -> None:
    film = film_of(tmp_path / "film.mp4", codec=codec, encoder=encoder)
    first, _ = delivered(tmp_path / "first", film)

    again = tmp_path / "again.mp4"
    again.write_bytes(first.read_bytes())
    _, manifest = delivered(tmp_path / "second", as_read(replace(film, path=again)), 0)

    assert manifest["picture"]["method"] == "splice"


def test_lengths_of_two_bytes_before_nal_units_are_too_short_to_splice(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4")
    short = tmp_path / "short.mp4"
    with av.open(str(film.path)) as source, av.open(str(short), "w") as out:
        stream = source.streams.video[0]
        copy = out.add_stream_from_template(stream)
        record = bytearray(stream.codec_context.extradata)
        record[4] = 0xFC | 1
        copy.codec_context.extradata = bytes(record)
        for packet in source.demux(stream):
            if packet.size:
                new = holding(packet, join(split(bytes(packet), 4), 2))
                new.stream = copy
                out.mux(new)

    _, manifest = delivered(tmp_path, replace(film, path=short))

    assert (manifest["picture"]["method"], manifest["picture"]["reason"]) == ("transcode", "parameter_sets")


def test_dolby_vision_that_a_container_declares_is_not_spliced_and_told_as_lost(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4", codec="libx265", encoder=X265)
    assert not has_dolby_box(film.path)
    declared = film.path.read_bytes()
    assert declared.count(b"colrnclx") == 1
    film.path.write_bytes(declared.replace(b"colrnclx", b"dvvCnclx"))  # the box as such; what it says is not read

    assert has_dolby_box(film.path)
    _, manifest = delivered(tmp_path, film)
    assert manifest["picture"]["reason"] == "dolby_vision"
    assert manifest["left_out"] == ["Dolby Vision of its frames"]


SCREEN = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
HDR = {"pixel_format": "yuv420p10le", "colour": (9, 9, 16, 1)}
OPEN_X265 = f"pools=1:log-level=error:hdr10=1:chromaloc=2:master-display={SCREEN}:max-cll=1000,400"  # its default
OPEN_X264 = f"open-gop=1:chromaloc=2:mastering-display={SCREEN}:cll=1000,400"


@pytest.mark.parametrize(
    ("suffix", "codec", "encoder"),
    [
        ("mp4", "libx265", (("x265-params", OPEN_X265), ("preset", "fast"))),
        ("mkv", "libx265", (("x265-params", OPEN_X265), ("preset", "fast"))),
        ("mov", "libx264", (*X264, ("x264-params", OPEN_X264))),
    ],
)
def test_light_and_siting_of_a_film_that_cannot_be_spliced_stay(
    tmp_path: Path, suffix: str, codec: str, encoder: tuple[tuple[str, str], ...]
) -> None:
    film = film_of(tmp_path / f"film.{suffix}", codec=codec, encoder=encoder, **HDR)

    path, manifest = delivered(tmp_path, film)

    assert (manifest["picture"]["method"], manifest["left_out"]) == ("transcode", [])
    assert {"MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"} <= side_data_of(path)[0]
    before, after = (read_ledger(one).side_data[0] for one in (film.path, path))
    assert before <= after
    assert [siting_of(one) for one in (film.path, path)] == [2, 2]


def siting_of(path: Path) -> int | None:
    with av.open(str(path)) as film:
        context = film.streams.video[0].codec_context
        sets = read_sets(context.name, context.extradata).sets
        return chroma_siting(sets[Avc.SPS if context.name == "h264" else Hevc.SPS][0], context.name)


def test_verify_sees_a_film_that_lost_its_light(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = (("x265-params", OPEN_X265), ("preset", "fast"))
    film = film_of(tmp_path / "film.mp4", codec="libx265", encoder=encoder, **HDR)
    monkeypatch.setattr(encode, "light_params", lambda frame, names: [])
    row = film_row(film)
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), 1)

    made = stitch_film(row, shots, str(tmp_path / "out"), encode=CONFIG).film

    assert "side_data" in made["failure"]
    assert "MASTERING_DISPLAY_METADATA" in made["failure"]


def test_spliced_runs_of_single_frames_end_so_that_neighbours_have_other_ids(tmp_path: Path) -> None:
    index = index_picture(film_of(tmp_path / "film.mp4", gop=1, num_frames=800, width_px=64, height_px=48).path)

    runs = index.runs(set(index.pts.tolist()))

    assert len(runs) > 1
    assert all((run.end - run.first) % 2 == 0 for run in runs[:-1])


def test_a_flaw_of_the_sound_does_not_cost_the_spliced_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = film_of(tmp_path / "film.mp4", languages=("eng",))
    row = film_row(film)
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), 1)
    written: list[str | None] = []
    proved = stitch.verify_films

    def failing(*given: Any) -> Proof:
        found = proved(*given)
        return replace(found, checks=(*found.checks, Check("dub_sound", False, "quiet")))

    monkeypatch.setattr(stitch, "verify_films", failing)
    write = stitch.write_picture
    monkeypatch.setattr(stitch, "write_picture", lambda *given: written.append(given[-1]) or write(*given))

    made = stitch_film(row, shots, str(tmp_path / "out"), encode=CONFIG).film

    assert "dub_sound" in made["failure"]
    assert written == [None]


@pytest.mark.parametrize("suffix", ["mxf", "mov"])
def test_a_master_with_pcm_is_spliced_and_delivered_as_mov(tmp_path: Path, suffix: str) -> None:
    dnx = {"codec": "dnxhd", "encoder": (("profile", "dnxhr_hqx"),), "pixel_format": "yuv422p10le"}
    size = {"width_px": 256, "height_px": 128, "subtitle": None, "chapters": False}
    film = film_of(tmp_path / f"film.{suffix}", languages=("eng",), sound_codec="pcm_s24le", **dnx, **size)

    path, manifest = delivered(tmp_path, film)

    assert (path.suffix, manifest["picture"]["method"], manifest["num_frames"]["copied"]) == (".mov", "splice", 48)
    assert manifest["dub_track"]["codec"] == "pcm_s24le"


def test_verify_sees_pcm_of_which_a_piece_is_missing(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mov", languages=("eng",), sound_codec="pcm_s24le")
    path, _ = delivered(tmp_path, film)
    cut = remuxed(replace(film, path=path), "cut.mov", keep=lambda index, number: index != 2 or number != 40)

    assert {"copied_packets"} <= {check.name for check in verify_films(film.path, cut.path).failures}


def test_a_sound_that_goes_on_when_the_picture_is_over_is_kept_whole(tmp_path: Path) -> None:
    spec = {"num_frames": 35, "cuts": (5,), "frame_rate": Fraction(5), "gop": 5, "b_frames": 0}
    film = film_of(tmp_path / "film.mp4", languages=("eng",), subtitle=None, chapters=False, **spec)
    long = remuxed(film, "long.mp4", keep=lambda index, number: index > 0 or number < 10)
    packets = packets_of(long.path, 0)
    assert len(long.pts) == 10
    assert packets[-1][0] > long.duration_s + Fraction(49, 10)

    path, _ = delivered(tmp_path, long, painted=None)

    assert packets_of(path, 1) == packets


def packets_of(path: Path, place: int) -> list[tuple[Fraction, bytes]]:
    """When each packet of a sound begins, and what is in it."""
    with av.open(str(path)) as opened:
        packets = opened.demux(opened.streams.audio[place])
        return [(packet.pts * packet.time_base, bytes(packet)) for packet in packets if packet.size]
