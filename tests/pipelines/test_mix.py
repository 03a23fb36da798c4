"""The dub track: what is heard in it, in which channel, at which sample, whatever was delivered."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from jobs.dub_notices import dub_notices
from pipelines.media.container import open_media
from pipelines.media.dub_track import DubSource, DubTrack, dub_track
from pipelines.media.encode import EncodeConfig
from pipelines.media.sound import read_channels, sound_blocks, sound_format, write_wav
from pipelines.stitch import stitch_film
from pipelines.storage import ObjectStore
from pipelines.verify import verify_films
from schemas.timing import fraction
from tests.pipelines.deliveries import film_row, shot_rows
from tests.synthetic import FilmSpec, SyntheticFilm, made_once, make_film

FAST = EncodeConfig(preset="ultrafast")
SAMPLES = 96_000
SURROUND = ("FL", "FR", "FC", "LFE", "BL", "BR")
CODE_24_BITS = 2**-23


def noise(channels: int, seed: int, num_samples: int = SAMPLES) -> np.ndarray:
    """[C, N], independent in each channel, soft enough that sums do not clip."""
    return np.random.default_rng(seed).uniform(-0.2, 0.2, (channels, num_samples)).astype(np.float32)


def wav(path: Path, samples: np.ndarray, sample_rate_hz: int = 48_000) -> Path:
    write_wav(path, samples, sample_rate_hz)
    return path


def film_with(path: Path, layout: str | None, codec: str = "flac", **more: Any) -> SyntheticFilm:
    """A film of 2 s whose own sound is noise that is another in each channel: `noise(C, 9)`."""
    languages = ("eng",) if layout else ()
    spec = FilmSpec(layout=layout or "stereo", sound_codec=codec, languages=languages, **more)
    channels = av.AudioLayout(spec.layout).nb_channels

    def made() -> SyntheticFilm:
        return make_film(path, spec, sound=lambda num_samples, _: noise(channels, 9, num_samples))

    return made_once(path, f"noise {spec}", made)


def track_of(film: SyntheticFilm, dub: Path, kind: str = "dub_stem", me: Path | None = None) -> DubTrack:
    start_s = film.pts[0] * film.time_base
    source = DubSource(film=film.path, start_s=start_s, dub=dub, dub_kind=kind, music_and_effects=me)
    return dub_track(source, film.path.suffix)


def heard(track: DubTrack, num_samples: int = SAMPLES) -> np.ndarray:
    return np.concatenate(list(track.blocks(num_samples)), axis=1)


def test_a_stem_alone_takes_the_place_of_the_centre_and_the_rest_of_the_film_s_sound_stays(tmp_path: Path) -> None:
    film, stem = film_with(tmp_path / "film.mkv", "5.1"), noise(1, 0)

    track = track_of(film, wav(tmp_path / "stem.wav", stem))

    own = read_channels(film.path)[0]
    assert (track.mix, track.layout, track.sample_rate_hz) == ("in_centre", "5.1", 48_000)
    for index, name in enumerate(SURROUND):
        wanted = stem[0] if name == "FC" else own[index]
        assert np.abs(heard(track)[index] - wanted).max() < CODE_24_BITS


def test_a_film_s_own_sound_is_heard_around_the_stem_where_it_was_when_the_film_begins_late(tmp_path: Path) -> None:
    film = film_with(tmp_path / "film.mkv", "5.1", start_frame=25)

    left = heard(track_of(film, wav(tmp_path / "stem.wav", noise(1, 0))))[0]

    assert np.abs(left - noise(6, 9)[0]).max() < 2**-14  # FLAC of 16 bits


@pytest.mark.parametrize("layout", ["mono", "stereo", None])
def test_a_stem_alone_over_a_film_without_a_centre_is_dialogue_only_in_the_film_s_layout(
    tmp_path: Path, layout: str | None
) -> None:
    film, stem = film_with(tmp_path / "film.mkv", layout), noise(1, 0)

    track = track_of(film, wav(tmp_path / "stem.wav", stem))

    assert (track.mix, track.layout) == ("dialogue_only", layout or "mono")
    assert np.abs(heard(track) - stem).max() < CODE_24_BITS


def test_stem_and_music_and_effects_are_added_in_the_film_s_layout(tmp_path: Path) -> None:
    film, stem, effects = film_with(tmp_path / "film.mkv", "5.1"), noise(1, 0), noise(2, 1)
    me = wav(tmp_path / "me.wav", effects)

    track = track_of(film, wav(tmp_path / "stem.wav", stem), me=me)

    found = dict(zip(SURROUND, heard(track), strict=True))
    assert (track.mix, track.layout) == ("with_music_and_effects", "5.1")
    for name, wanted in zip(("FL", "FR", "FC"), (*effects, *stem), strict=True):
        assert np.abs(found[name] - wanted).max() < CODE_24_BITS
    assert not any(found[name].any() for name in ("LFE", "BL", "BR"))


def test_music_and_effects_with_more_channels_than_the_film_keep_them(tmp_path: Path) -> None:
    film, stem, effects = film_with(tmp_path / "film.mkv", "stereo"), noise(2, 0), noise(6, 1)

    track = track_of(film, wav(tmp_path / "stem.wav", stem), me=wav(tmp_path / "me.wav", effects))

    effects[2] += stem.mean(0)
    assert track.layout == "5.1"
    assert np.abs(heard(track) - effects).max() < 2 * CODE_24_BITS


def test_a_mix_keeps_its_layout_and_comes_at_the_film_s_rate(tmp_path: Path) -> None:
    film = film_with(tmp_path / "film.mkv", "5.1")
    time_s = np.arange(88_200) / 44_100
    mix = wav(tmp_path / "mix.wav", np.float32(0.3) * np.sin(2 * np.pi * 997 * time_s)[None].repeat(2, 0), 44_100)

    track = track_of(film, mix, "dub_mix")

    wanted = 0.3 * np.sin(2 * np.pi * 997 * np.arange(SAMPLES) / 48_000)
    inside = slice(200, -200)
    assert (track.mix, track.layout, track.sample_rate_hz) == ("as_delivered", "stereo", 48_000)
    assert np.abs(heard(track)[:, inside] - wanted[inside]).max() < 1e-4


@pytest.mark.parametrize(
    ("suffix", "codec", "expected"),
    [
        ("mp4", "aac", "aac"),
        ("mov", "pcm_s16le", "pcm_s24le"),
        ("mkv", "pcm_s24le", "pcm_s24le"),
        ("mkv", "flac", "flac"),
        ("mp4", "flac", "flac"),
        ("mov", "aac", "aac"),
        ("mkv", "ac3", "aac"),
    ],
)
@pytest.mark.parametrize(("start_frame", "rate"), [(0, Fraction(25)), (7, Fraction(24_000, 1001))])
def test_an_impulse_comes_out_of_the_delivered_film_at_its_sample(
    tmp_path: Path, suffix: str, codec: str, expected: str, start_frame: int, rate: Fraction
) -> None:
    spec = {"start_frame": start_frame, "frame_rate": rate}
    film = film_with(tmp_path / f"film.{suffix}", "stereo", codec, **spec)
    places, stem = (600, 12_345, 50_001, 90_011), np.zeros(SAMPLES + 4800, np.float32)
    stem[list(places)] = 0.9
    row = film_row(film, dub=wav(tmp_path / "stem.wav", stem))
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), None)

    done = stitch_film(row, shots, str(tmp_path / "out"), encode=FAST).film

    assert done["failure"] is None
    delivered = Path(done["delivered_uri"])
    with open_media(delivered) as opened:
        picture = next(opened.decode(video=0))
        start_s = picture.pts * picture.time_base
    found = np.concatenate(list(sound_blocks(delivered, 48_000, "mono", start_s)), axis=1)[0]
    peaks = [int(np.abs(found[place - 300 : place + 300]).argmax()) - 300 for place in places]
    assert max(map(abs, peaks)) <= 1
    assert (sound_format(delivered).codec, picture.pts) == (expected, film.pts[0])


@pytest.mark.parametrize(("suffix", "codec"), [("mov", "pcm_s24le"), ("mkv", "flac")])
def test_a_lossless_dub_track_holds_24_bits(tmp_path: Path, suffix: str, codec: str) -> None:
    film, stem = film_with(tmp_path / f"film.{suffix}", "stereo", codec), noise(2, 0, SAMPLES + 4800)
    row = film_row(film, dub=wav(tmp_path / "stem.wav", stem))
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), None)

    done = stitch_film(row, shots, str(tmp_path / "out"), encode=FAST).film

    assert np.abs(read_channels(Path(done["delivered_uri"]))[0] - stem[:, :SAMPLES]).max() <= CODE_24_BITS


@pytest.mark.parametrize(
    ("layout", "codec", "suffix"), [("5.1(side)", "ac3", "mkv"), ("5.1(side)", "ac3", "mp4"), ("7.1", "flac", "mkv")]
)
def test_a_surround_film_is_delivered_and_proved_with_its_own_sound_beside_the_dub(
    tmp_path: Path, layout: str, codec: str, suffix: str
) -> None:
    film = film_with(tmp_path / f"film.{suffix}", layout, codec)
    row = film_row(film, dub=wav(tmp_path / "stem.wav", noise(1, 0, SAMPLES + 4800)))
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), None)

    done = stitch_film(row, shots, str(tmp_path / "out"), encode=FAST).film

    assert done["failure"] is None
    manifest = json.loads(Path(done["delivered_uri"]).with_name("manifest.json").read_text())
    named = {name: manifest["dub_track"][name] for name in ("mix", "layout", "sample_rate_hz")}
    assert named == {"mix": "in_centre", "layout": "7.1" if layout == "7.1" else "5.1", "sample_rate_hz": 48_000}
    with av.open(done["delivered_uri"]) as made, av.open(str(film.path)) as source:
        assert [stream.codec_context.name for stream in made.streams.audio][1:] == [codec]
        kept, own = (
            [bytes(packet) for packet in one.demux(audio=index) if packet.size]
            for one, index in ((made, 1), (source, 0))
        )
        assert kept == own


FC, LFE, SURROUNDS = 2, 3, [4, 5]


def changed(sound: np.ndarray, channels: Any, value: Any) -> np.ndarray:
    other = sound.copy()
    other[channels] = value
    return other


WRONG_IN_CENTRE: dict[str, Any] = {
    "the film's own sound and no dub": lambda own, stem, right: own,
    "the old voice under the dub": lambda own, stem, right: changed(right, FC, own[FC] + stem),
    "a silent centre": lambda own, stem, right: changed(right, FC, 0),
    "silent surrounds": lambda own, stem, right: changed(right, SURROUNDS, 0),
    "left and right exchanged": lambda own, stem, right: right[[1, 0, 2, 3, 4, 5]],
    "a dub that is 6 dB soft": lambda own, stem, right: changed(right, FC, stem / 2),
    "a dub that is 2 ms late": lambda own, stem, right: changed(right, FC, np.roll(stem, 96)),
    "stereo": lambda own, stem, right: right[:2],
}


@pytest.mark.parametrize("wrong", [None, *WRONG_IN_CENTRE])
def test_the_proof_sees_each_wrong_channel_of_a_dub_in_the_centre(tmp_path: Path, wrong: str | None) -> None:
    film, stem = film_with(tmp_path / "film.mkv", "5.1"), noise(1, 0)[0]
    own = read_channels(film.path)[0]
    right = changed(own, FC, stem)
    sound = WRONG_IN_CENTRE[wrong](own, stem, right) if wrong else right

    proof = verify_films(film.path, mixed(film, sound), wav(tmp_path / "stem.wav", stem[None]), dub_kind="dub_stem")

    assert {check.name for check in proof.failures} <= {"dub_sound", "dub_form"}
    assert proof.holds is (wrong is None)


WRONG_WITH_ME: dict[str, Any] = {
    "no dialogue": lambda me, stem, right: me,
    "dialogue among the low frequencies": lambda me, stem, right: changed(me, LFE, me[LFE] + stem),
    "dialogue 6 dB soft": lambda me, stem, right: changed(me, FC, me[FC] + stem / 2),
    "silent surrounds": lambda me, stem, right: changed(right, SURROUNDS, 0),
}


@pytest.mark.parametrize("wrong", [None, *WRONG_WITH_ME])
def test_the_proof_sees_each_wrong_channel_of_dialogue_with_music_and_effects(
    tmp_path: Path, wrong: str | None
) -> None:
    film, stem, me = film_with(tmp_path / "film.mkv", "5.1"), noise(1, 0)[0], noise(6, 1) / 2
    right = changed(me, FC, me[FC] + stem)
    sound = WRONG_WITH_ME[wrong](me, stem, right) if wrong else right
    given = wav(tmp_path / "stem.wav", stem[None]), wav(tmp_path / "me.wav", me)

    proof = verify_films(film.path, mixed(film, sound), *given, dub_kind="dub_stem")

    assert {check.name for check in proof.failures} == ({"dub_sound"} if wrong else set())


def mixed(film: SyntheticFilm, sound: np.ndarray) -> Path:
    """A film delivered with just this sound, and no manifest beside it."""
    mix = wav(film.path.with_name("mix.wav"), np.pad(sound, ((0, 0), (0, 4800))))
    row = film_row(film, dub=mix, dub_kind="dub_mix")
    shots = shot_rows(film, row, ObjectStore(str(film.path.with_name("work"))), None)
    done = stitch_film(row, shots, str(film.path.with_name("out")), encode=FAST).film
    return Path(done["delivered_uri"]).rename(film.path.with_name("alone.mkv"))


@pytest.mark.parametrize("sample_rate_hz", [8_000, 22_050, 44_100, 96_000])
def test_a_film_with_sound_at_any_rate_is_proved(tmp_path: Path, sample_rate_hz: int) -> None:
    film = film_with(tmp_path / "film.mp4", "stereo", "aac", sample_rate_hz=sample_rate_hz)
    row = film_row(film, dub=wav(tmp_path / "stem.wav", noise(1, 0, SAMPLES + 4800)))
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), None)

    done = stitch_film(row, shots, str(tmp_path / "out"), encode=FAST).film

    assert done["failure"] is None
    assert sound_format(Path(done["delivered_uri"])).sample_rate_hz == sample_rate_hz


def test_damage_of_a_surround_film_s_own_sound_is_silence_and_costs_no_delivery(tmp_path: Path) -> None:
    film = film_with(tmp_path / "film.mkv", "5.1")
    broken = SyntheticFilm(
        spoilt(film.path, tmp_path / "spoilt.mkv"), film.spec, film.time_base, film.pts, film.end_pts, film.cuts
    )
    stem = noise(1, 0, SAMPLES + 4800)
    row = film_row(broken, dub=wav(tmp_path / "stem.wav", stem))
    shots = shot_rows(broken, row, ObjectStore(str(tmp_path / "work")), None)

    done = stitch_film(row, shots, str(tmp_path / "out"), encode=FAST).film

    assert done["failure"] is None
    start_s, own = row["start_pts"] * fraction(row["time_base"]), read_channels(film.path)[0]
    found = np.concatenate(list(sound_blocks(Path(done["delivered_uri"]), 48_000, "5.1", start_s)), axis=1)
    assert np.abs(found[FC] - stem[0, : found.shape[1]]).max() <= CODE_24_BITS
    same = np.abs(found[0, : own.shape[1]] - own[0]) <= CODE_24_BITS
    assert 0.3 < same.mean() < 1
    assert np.abs(found[0, : own.shape[1]][~same]).max() == 0


def spoilt(film: Path, path: Path) -> Path:
    """The film with some packets of its sound zeroed."""
    whole = film.read_bytes()
    with av.open(str(film)) as source:
        packets = [bytes(packet) for packet in source.demux(audio=0) if packet.size]
    for data in packets[5:8]:
        assert whole.count(data) == 1
        whole = whole.replace(data, bytes(len(data)))
    path.write_bytes(whole)
    return path


def test_what_is_lost_by_a_stem_alone_is_told(tmp_path: Path) -> None:
    row = film_row(film_with(tmp_path / "film.mkv", "stereo")) | {"sounds_uri": None, "dub_lines": []}
    surround = row | {"sound_layout": "5.1(side)"}

    assert [notice.split(":")[0] for notice in dub_notices([row])] == ["DIALOGUE ONLY"]
    assert "centre of its own 5.1(side) sound" in dub_notices([surround])[0]
    assert dub_notices([row | {"me_uri": "me.wav"}]) == dub_notices([row | {"dub_kind": "dub_mix"}]) == []
    assert [notice[:13] for notice in dub_notices([row | {"sound_layout": None}])] == ["DIALOGUE ONLY"]  # unreadable
    assert dub_notices([row | {"sound_layout": None, "num_sounds": 0}]) == []  # there was nothing to lose
