"""The delivered film is the source with a dub; what was made before is left alone; what fails is not seen."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

from pipelines.media.dub_track import DubSource, DubTrack, dub_track
from pipelines.media.encode import EncodeConfig
from pipelines.media.mux import write_film
from pipelines.media.muxer import UnwritableError
from pipelines.media.picture import plane_frames, rgb_frames
from pipelines.media.picture_writer import TranscodedPicture
from pipelines.media.sound import read_mono, write_wav
from pipelines.stitch import is_delivered, stitch_film
from pipelines.storage import ObjectStore, file_digest
from pipelines.verify import verify_films
from schemas.film import DUBBED_FILM
from tests.pipelines.deliveries import DUB_HZ, PAINTED_CODES, RECT, Changing, film_row, shot_rows, visible
from tests.synthetic import FILM_24, NTSC_30, FilmSpec, SyntheticFilm, frame_number, make_film, ticking

FAST = EncodeConfig(preset="veryfast")
FILMS = [
    pytest.param("mp4", FilmSpec(frame_rate=FILM_24, languages=("eng", "fra")), id="mp4 24000/1001, two languages"),
    pytest.param("mp4", FilmSpec(durations=(20, 40, 25, 25, 60) * 10), id="mp4 VFR"),
    pytest.param("mp4", FilmSpec(frame_rate=NTSC_30, start_frame=7), id="mp4 30000/1001, late start"),
    pytest.param("mp4", FilmSpec(sound_start_s=Fraction(1, 4)), id="mp4, late sound"),
    pytest.param("mp4", FilmSpec(pixel_format="yuv422p10le", colour=(9, 9, 16, 1)), id="mp4 10 bit 4:2:2 PQ"),
    pytest.param("mp4", FilmSpec(languages=(), subtitle=None, chapters=False), id="mp4, picture alone"),
    pytest.param("mp4", FilmSpec(colour=None), id="mp4, untagged"),
    pytest.param("mov", FilmSpec(), id="mov"),
    pytest.param("mkv", FilmSpec(), id="mkv"),
    pytest.param("ts", FilmSpec(), id="ts, delivered as mp4"),
]


def stitched(
    tmp_path: Path, film: SyntheticFilm, painted: int | None = 1, dub: Path | None = None, **more: Any
) -> dict[str, Any]:
    row = film_row(film, dub=dub) if dub else film_row(film)
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), painted)
    return stitch_film(row, list(reversed(shots)), str(tmp_path / "out"), **{"encode": FAST, **more}).film


@pytest.mark.parametrize(("suffix", "spec"), FILMS)
def test_the_delivered_film_holds_and_shows_the_patch_where_it_was_laid(
    tmp_path: Path, suffix: str, spec: FilmSpec
) -> None:
    film = make_film(tmp_path / f"film.{suffix}", spec)

    row = stitched(tmp_path, film)

    assert row["failure"] is None
    assert set(row) == {field.name for field in DUBBED_FILM}
    assert (row["num_shots"], row["num_shots_dubbed"], row["num_frames_changed"]) == (2, 1, 25)
    for index, (_, planes) in enumerate(plane_frames(Path(row["delivered_uri"]), -(1 << 60), 1 << 60)):
        inner = planes[0][RECT.y + 4 : RECT.y + RECT.height - 4, RECT.x + 4 : RECT.x + RECT.width - 4]
        painted = PAINTED_CODES[0] * (4 if "10" in spec.pixel_format else 1)
        assert (np.abs(inner.astype(int) - painted).max() < painted / 20) == (index >= 25)


def test_every_frame_shows_its_own_number(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(frame_rate=FILM_24))

    delivered = Path(stitched(tmp_path, film)["delivered_uri"])

    shown = [(pts, frame_number(rgb)) for pts, rgb in rgb_frames(delivered, 0, film.end_pts)]
    assert shown == list(zip(film.pts, range(50), strict=True))


def test_the_dub_is_the_default_sound_and_the_original_the_second(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(languages=("eng", "fra")))

    with av.open(stitched(tmp_path, film)["delivered_uri"]) as made:
        sounds = made.streams.audio
        assert [sound.language for sound in sounds] == ["por", "eng", "fra"]
        assert [bool(sound.disposition & Disposition.default) for sound in sounds] == [True, False, False]
        assert "pt-BR" in sounds[0].metadata["handler_name"]
        assert [line.language for line in made.streams.subtitles] == ["eng"]
        assert [chapter["metadata"]["title"] for chapter in made.chapters()] == ["One", "Two"]
        assert made.metadata["title"] == "Synthetic"


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_the_dub_is_heard_at_the_sample_where_it_was_laid(tmp_path: Path, suffix: str) -> None:
    film = make_film(tmp_path / f"film.{suffix}", FilmSpec(languages=()))

    found = read_mono(Path(stitched(tmp_path, film)["delivered_uri"]), 48_000)

    wanted = ticking(len(found), 48_000, DUB_HZ)
    scores = [float(np.dot(found[100:-100], np.roll(wanted, lag)[100:-100])) for lag in range(-60, 61)]
    assert abs(int(np.argmax(scores)) - 60) <= (48 if suffix == "mkv" else 0)  # Matroska rounds to 1 ms
    assert len(found) >= 96_000


def test_a_second_run_does_nothing(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4")
    first = stitched(tmp_path, film)
    before = Path(first["delivered_uri"]).stat()

    second = stitched(tmp_path, film)

    assert second == first
    assert Path(second["delivered_uri"]).stat() == before


def test_another_delivery_takes_the_place_of_the_old_one_and_leaves_no_rest(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4")
    first = stitched(tmp_path, film, extra_files={"plan.parquet": b"old"})
    old = file_digest(Path(first["delivered_uri"]))

    second = stitched(tmp_path, film, painted=0, extra_files={"shots.parquet": b"new"})

    assert file_digest(Path(second["delivered_uri"])) != old
    names = ["film.mp4", "manifest.json", "shots.parquet"]
    assert visible(tmp_path / "out") == ["one", "one/pt-BR", *(f"one/pt-BR/{name}" for name in names)]


def test_the_manifest_says_what_was_done(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4")
    row = stitched(tmp_path, film, facts={"model": "small"})

    manifest = json.loads(Path(row["delivered_uri"]).with_name("manifest.json").read_text())

    assert manifest["num_frames"] == {"all": 50, "edited": 25, "re_encoded_untouched": 3, "copied": 22}
    assert [shot["reason"] for shot in manifest["shots"]] == ["no_face", None]
    assert manifest["shots"][1]["changed_rect"] == [RECT.x, RECT.y, RECT.width, RECT.height]
    assert manifest["film_digest"] == file_digest(Path(row["delivered_uri"]))
    assert (manifest["dub_track"]["mix"], manifest["made_with"]) == ("dialogue_only", {"model": "small"})
    assert manifest["proof"]["holds"]
    assert manifest["proof"]["facts"]["picture"]["psnr_db_min"] > 38
    assert str(tmp_path) not in json.dumps(manifest)


def test_an_error_while_writing_leaves_nothing_to_be_taken_for_a_film(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4")
    row = film_row(film)
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), 1)
    shots[1]["patch_uri"] = str(tmp_path / "gone")

    with pytest.raises(FileNotFoundError):
        stitch_film(row, shots, str(tmp_path / "out"), encode=FAST)

    assert visible(tmp_path / "out") == ["one"]


@pytest.mark.parametrize("left", [3000, 0.7])
def test_a_film_that_broke_since_it_was_admitted_fails_with_its_reason(tmp_path: Path, left: float) -> None:
    film = make_film(tmp_path / "film.mp4")
    row = film_row(film)
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), None)
    whole = film.path.read_bytes()
    film.path.write_bytes(whole[: int(left if left > 1 else left * len(whole))])

    failed = stitch_film(row, shots, str(tmp_path / "out"), encode=FAST).film

    assert failed["delivered_uri"] is None
    assert "film.mp4" in failed["failure"]
    assert visible(tmp_path / "out") == []


def test_a_missing_shot_is_our_mistake(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4")
    row = film_row(film)
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), None)

    with pytest.raises(ValueError, match=r"shots \[1\]"):
        stitch_film(row, shots[1:], str(tmp_path / "out"))


def track_of(folder: Path, effects: Path | None = None) -> DubTrack:
    """Of a film without sound."""
    film = make_film(folder / "mute.mp4", FilmSpec(languages=()))
    stem = folder / "stem.wav"
    source = DubSource(film=film.path, start_s=Fraction(0), dub=stem, dub_kind="dub_stem", music_and_effects=effects)
    return dub_track(source, ".mp4")


def test_dialogue_and_effects_are_summed_sample_by_sample(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).uniform(-0.4, 0.4, (2, 2, 30_000)).astype(np.float32)
    write_wav(tmp_path / "stem.wav", noise[0][:, :20_000], 48_000)
    write_wav(tmp_path / "effects.wav", noise[1], 48_000)

    track = track_of(tmp_path, tmp_path / "effects.wav")
    mix = np.concatenate(list(track.blocks(25_000)), axis=1)

    wanted = noise[1][:, :25_000].copy()
    wanted[:, :20_000] += noise[0][:, :20_000]
    assert (track.sample_rate_hz, track.layout, mix.shape) == (48_000, "stereo", (2, 25_000))
    assert np.abs(mix - wanted).max() < 2**-21


def test_mono_dialogue_is_as_loud_in_both_channels_of_stereo_effects(tmp_path: Path) -> None:
    stem = np.random.default_rng(0).uniform(-0.4, 0.4, 20_000).astype(np.float32)
    write_wav(tmp_path / "stem.wav", stem, 48_000)
    write_wav(tmp_path / "effects.wav", np.zeros((2, 20_000), np.float32), 48_000)

    mix = np.concatenate(list(track_of(tmp_path, tmp_path / "effects.wav").blocks(20_000)), axis=1)

    assert np.abs(mix - stem).max() < 2**-21


@pytest.mark.parametrize(
    ("suffix", "spec"),
    [
        pytest.param("mp4", FilmSpec(start_frame=1500, languages=()), id="mp4 that starts at 60 s"),
        pytest.param("mov", FilmSpec(start_frame=1500), id="mov that starts at 60 s"),
        pytest.param("mkv", FilmSpec(start_frame=1500, languages=()), id="mkv that starts at 60 s"),
        pytest.param("ts", FilmSpec(languages=()), id="ts, which starts at 1.48 s"),
    ],
)
def test_the_dub_begins_with_the_first_frame_of_a_film_that_starts_late(
    tmp_path: Path, suffix: str, spec: FilmSpec
) -> None:
    film = make_film(tmp_path / f"film.{suffix}", spec)
    start_s = film.pts[0] * film.time_base
    write_wav(tmp_path / "stem.wav", ticking(96_000, 48_000, DUB_HZ), 48_000)

    delivered = Path(stitched(tmp_path, film, dub=tmp_path / "stem.wav")["delivered_uri"])

    with av.open(str(film.path)) as before, av.open(str(delivered)) as after:
        assert abs(after.start_time - before.start_time) <= (1000 if suffix == "mkv" else 21)  # us
    found = read_mono(delivered, 48_000, start_s)[:96_000]
    wanted = ticking(len(found), 48_000, DUB_HZ)
    scores = [float(np.dot(found[100:-100], np.roll(wanted, lag)[100:-100])) for lag in range(-60, 61)]
    assert abs(int(np.argmax(scores)) - 60) <= (48 if suffix == "mkv" else 1)
    assert np.abs(found[:480]).max() > 0.4  # the tick at its first sample


def prepared(tmp_path: Path, **more: Any) -> tuple[dict[str, Any], list[dict[str, Any]], str]:
    film = make_film(tmp_path / "film.mp4")
    row = film_row(film, **more)
    return row, shot_rows(film, row, ObjectStore(str(tmp_path / "work")), 1), str(tmp_path / "out")


def test_the_delivery_of_another_film_is_not_replaced(tmp_path: Path) -> None:
    row, shots, out = prepared(tmp_path)
    first = stitch_film(row, shots, out, encode=FAST).film
    (tmp_path / "other").mkdir()
    other = make_film(tmp_path / "other" / "film.mp4", FilmSpec(title="Other"))

    failed = stitched(tmp_path, other)

    assert "another film" in failed["failure"]
    assert failed["delivered_uri"] is None
    assert json.loads((tmp_path / "out/one/pt-BR/manifest.json").read_text())["film_id"] == first["film_id"]


def test_a_delivery_that_was_cut_or_altered_is_made_again(tmp_path: Path) -> None:
    row, shots, out = prepared(tmp_path)
    delivered = Path(stitch_film(row, shots, out, encode=FAST).film["delivered_uri"])
    whole = delivered.read_bytes()

    for broken in (whole[:-100], whole[:-1] + bytes([whole[-1] ^ 1])):
        delivered.write_bytes(broken)
        assert not is_delivered(row, shots, out, FAST)
        assert stitch_film(row, shots, out, encode=FAST).film["failure"] is None
        assert delivered.read_bytes() == whole
    assert is_delivered(row, shots, out, FAST)


def test_what_killed_stitches_left_is_swept_and_a_half_replaced_delivery_comes_back(tmp_path: Path) -> None:
    row, shots, out = prepared(tmp_path)
    first = stitch_film(row, shots, out, encode=FAST).film
    folder = Path(first["delivered_uri"]).parent
    folder.rename(folder.with_name(f".pt-BR.{'a' * 32}.old"))
    folder.with_name(f".pt-BR.{'b' * 32}.tmp").mkdir()
    folder.with_name(f".pt.{'c' * 32}.tmp").mkdir()

    assert stitch_film(row, shots, out, encode=FAST).film == first

    assert sorted(path.name for path in folder.parent.iterdir()) == [f".pt.{'c' * 32}.tmp", "pt-BR"]


def test_another_verdict_or_review_patch_is_another_delivery_and_other_code_is_not(tmp_path: Path) -> None:
    row, shots, out = prepared(tmp_path)
    stitch_film(row, shots, out, encode=FAST, code={"commit": "abc"})
    verdict = {"track_index": 0, "verdict": "review", "reason": None}

    assert json.loads((tmp_path / "out/one/pt-BR/manifest.json").read_text())["code"] == {"commit": "abc"}
    assert is_delivered(row, shots, out, FAST)
    assert not is_delivered(row, [shots[0], shots[1] | {"verdicts": [verdict]}], out, FAST)
    assert not is_delivered(row, [shots[0], shots[1] | {"review_patch_uri": "store/cd"}], out, FAST)
    assert is_delivered(row, [shots[0], shots[1] | {"patch_uri": f"elsewhere/{'ab' * 32}"}], out, FAST)


@pytest.mark.parametrize("name", ["dub.wav", "effects.wav"])
def test_sound_that_changed_since_it_was_admitted_is_not_delivered(tmp_path: Path, name: str) -> None:
    write_wav(tmp_path / "effects.wav", np.zeros(96_000, np.float32), 48_000)
    row, shots, out = prepared(tmp_path, me_stem=tmp_path / "effects.wav")
    write_wav(tmp_path / name, np.full(96_000, 0.1, np.float32), 48_000)

    assert name in stitch_film(row, shots, out, encode=FAST).film["failure"]


def test_a_full_disk_is_not_blamed_on_the_source(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4")
    write_wav(tmp_path / "stem.wav", np.zeros(96_000, np.float32), 48_000)
    (tmp_path / "full.mp4").symlink_to("/dev/full")

    with pytest.raises(UnwritableError, match=r"cannot be written: No space left"):
        write_film(
            film.path,
            tmp_path / "full.mp4",
            TranscodedPicture(Changing(), FAST),
            track_of(tmp_path),
            "fr",
            film.end_pts,
            FAST,
        )


def test_a_cover_and_streams_without_a_language_come_along(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4")
    bare = tmp_path / "bare.mp4"
    with av.open(str(film.path)) as source, av.open(str(bare), "w") as out:
        kept = {stream.index: stream for stream in source.streams if stream.type != "data"}
        copies = {index: out.add_stream_from_template(stream) for index, stream in kept.items()}
        cover = out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        for packet in source.demux():
            if packet.dts is not None and packet.stream.index in copies:
                packet.stream = copies[packet.stream.index]
                out.mux(packet)
        out.mux([*cover.encode(av.VideoFrame(64, 64, "yuvj420p")), *cover.encode(None)])

    row = stitched(tmp_path, replace(film, path=bare))

    assert row["failure"] is None
    with av.open(row["delivered_uri"]) as made:
        assert [bool(one.disposition & Disposition.attached_pic) for one in made.streams.video] == [False, True]


def test_an_avi_without_tags_is_delivered_as_mp4(tmp_path: Path) -> None:
    spec = FilmSpec(b_frames=0, colour=None, languages=(), subtitle=None, chapters=False, codec="mpeg4", encoder=())

    assert stitched(tmp_path, make_film(tmp_path / "film.avi", spec))["failure"] is None


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_hevc_keeps_the_tag_by_which_players_know_it(tmp_path: Path, suffix: str) -> None:
    spec = FilmSpec(
        codec="libx265", encoder=(("x265-params", "pools=1:log-level=error:open-gop=0"), ("preset", "ultrafast"))
    )
    film = make_film(tmp_path / f"film.{suffix}", spec)
    tagged = tmp_path / f"tagged.{suffix}"
    tagged.write_bytes(film.path.read_bytes().replace(b"hev1", b"hvc1"))

    row = stitched(tmp_path, replace(film, path=tagged))

    with av.open(row["delivered_uri"]) as made:
        assert (row["failure"], made.streams.video[0].codec_context.codec_tag) == (None, "hvc1")


def test_a_dub_that_ends_early_is_followed_by_silence(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(languages=()))
    write_wav(tmp_path / "short.wav", ticking(24_000, 48_000, DUB_HZ), 48_000)

    row = stitched(tmp_path, film, dub=tmp_path / "short.wav")

    assert row["failure"] is None
    heard = read_mono(Path(row["delivered_uri"]), 48_000)
    assert len(heard) >= 96_000
    assert np.abs(heard[:2400]).max() > 0.1 > 100 * np.abs(heard[30_000:]).max()


@pytest.mark.parametrize("num_frames", [100, 125, 274])  # of 274, 37 ms lie beyond the first block that is compared
def test_a_dub_that_is_longer_than_its_film_is_delivered_and_proved_however_its_last_packet_falls(
    tmp_path: Path, num_frames: int
) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(num_frames=num_frames, cuts=(48,), subtitle=None, chapters=False))

    row = stitched(tmp_path, film)

    assert row["failure"] is None
    dub, film_s = film.path.with_name("dub.wav"), num_frames / 25
    assert len(read_mono(dub, 48_000)) == round((film_s + 1) * 48_000)
    proof = verify_films(film.path, Path(row["delivered_uri"]), dub)
    assert proof.holds, proof.failures
    assert proof.facts["dub_lag_samples"] == 0
