"""What is wrong with a delivered sound is named; what is right with it is not."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from pipelines.align import AlignConfig
from pipelines.media.sound import read_channels, read_mono, tells_lead, write_wav
from pipelines.media.wave64 import write_wave64
from pipelines.sound_check import checked_sounds, sounds_in_words, stored_sounds
from pipelines.stage import Row
from pipelines.storage import ObjectStore, file_digest
from schemas.reason import SoundFlaw
from tests.film_rows import film_row
from tests.real_assets import real_asset
from tests.synthetic import FilmSpec, SyntheticFilm, make_film

HZ = 48_000
VOICE = Path(__file__).parents[2] / "jobs" / "demo_takes" / "lecturer.ogg"
SPEECH = AlignConfig().speech
DIGITAL_SILENCE = np.zeros((2, 1), np.float32)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> SyntheticFilm:
    return make_film(tmp_path_factory.mktemp("film") / "film.mp4", FilmSpec(num_frames=100, cuts=(50,)))


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    """[2, N] four seconds of a voice."""
    samples, rate, _ = read_channels(VOICE)
    assert rate == HZ
    return np.asarray(np.resize(samples[:1], (1, 4 * HZ)).repeat(2, 0), np.float32)


def checked(folder: Path, film: SyntheticFilm, dub: np.ndarray, **changes: Any) -> list[Row]:
    path = folder / "dub.wav"
    write_wav(path, dub, HZ)
    return rows_of(folder, film, path, **changes)


def rows_of(folder: Path, film: SyntheticFilm, dub: Path, **changes: Any) -> list[Row]:
    row = film_row(film, dub, film_id=file_digest(film.path), dub_digest=file_digest(dub), **changes)
    return stored_sounds(checked_sounds(ObjectStore(str(folder / "store")), row, SPEECH))


def flaws(rows: list[Row], role: str = "dub") -> set[str]:
    return {flaw["flaw"] for row in rows if row["role"] == role for flaw in row["flaws"]}


def test_a_dub_that_speaks_has_no_flaw_and_its_measures(
    tmp_path: Path, film: SyntheticFilm, voice: np.ndarray
) -> None:
    rows = checked(tmp_path, film, voice)

    assert [row["role"] for row in rows] == ["dub", "original"]
    assert [row["flaws"] for row in rows] == [[], []]
    assert (rows[0]["codec"], rows[0]["layout"], rows[0]["length_s"]) == ("pcm_s24le", "stereo", 4.0)
    assert 1 < rows[0]["speech_s"] <= 4
    assert -40 < rows[0]["integrated_lufs"] < rows[0]["true_peak_dbtp"] <= 0
    assert rows[1]["codec"] == "aac"


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda voice: voice * 0, {SoundFlaw.SILENT}),
        (lambda voice: 0.1 * np.random.default_rng(0).standard_normal(voice.shape), {SoundFlaw.NO_SPEECH}),
        (lambda voice: np.clip(40 * voice, -1, 1), {SoundFlaw.CLIPPED}),
        (lambda voice: voice * [[1], [0]], {SoundFlaw.DEAD_CHANNEL}),
        (lambda voice: voice[:, : 3 * HZ], {SoundFlaw.SHORTER}),
        (lambda voice: np.concatenate([voice, voice], axis=1), {SoundFlaw.LONGER}),
    ],
)
def test_each_flaw_of_a_dub_is_named(
    tmp_path: Path, film: SyntheticFilm, voice: np.ndarray, spoil: Any, named: set[SoundFlaw]
) -> None:
    rows = checked(tmp_path, film, np.asarray(spoil(voice), np.float32))

    assert flaws(rows) == named
    assert [line.startswith("its dub is ") for line in sounds_in_words(rows)] == [True]


def test_which_channel_alone_is_heard_is_told(tmp_path: Path, film: SyntheticFilm, voice: np.ndarray) -> None:
    (tmp_path / "opposed").mkdir()
    opposed = checked(tmp_path / "opposed", film, np.asarray(voice * [[1], [-1]], np.float32), dub_channel="left")
    dead = checked(tmp_path, film, np.asarray(voice * [[0], [1]], np.float32), dub_channel="right")

    assert (flaws(opposed), flaws(dead)) == ({SoundFlaw.OPPOSED}, {SoundFlaw.DEAD_CHANNEL})
    assert [line.rsplit(": ")[1] for line in sounds_in_words(opposed)] == ["its left one alone is heard, as mono"]
    assert [line.rsplit(": ")[1] for line in sounds_in_words(dead)] == ["its right one alone is heard, as mono"]
    assert min(rows[0]["speech_s"] for rows in (opposed, dead)) > 1


def test_music_alone_is_a_dub_in_which_nobody_speaks(tmp_path: Path, film: SyntheticFilm) -> None:
    time_s = np.arange(4 * HZ) / HZ
    chord = sum(np.sin(2 * np.pi * pitch * time_s) for pitch in (220, 277, 330))

    assert flaws(checked(tmp_path, film, np.asarray(0.1 * chord, np.float32)[None])) == {SoundFlaw.NO_SPEECH}


@pytest.mark.assets
def test_the_music_of_a_cartoon_is_a_dub_in_which_nobody_speaks(tmp_path: Path, film: SyntheticFilm) -> None:
    cartoon = read_mono(real_asset("clip-face-noface"), HZ)[round(2.9 * HZ) :]  # where the man is gone

    rows = checked(tmp_path, film, np.resize(cartoon, (1, 4 * HZ)))

    assert flaws(rows) == {SoundFlaw.NO_SPEECH}
    assert rows[0]["integrated_lufs"] > -30


@pytest.mark.parametrize(("over_db", "told"), [(3.5, {SoundFlaw.OVER_FULL_SCALE}), (-0.5, set())])
def test_floats_above_full_scale_are_told_by_how_much(
    tmp_path: Path, film: SyntheticFilm, voice: np.ndarray, over_db: float, told: set[SoundFlaw]
) -> None:
    loud = voice * np.float32(10 ** (over_db / 20) / np.abs(voice).max())
    with (tmp_path / "dub.w64").open("wb") as file:
        write_wave64(file, [loud], HZ, "stereo")

    rows = rows_of(tmp_path, film, tmp_path / "dub.w64")

    assert flaws(rows) == told
    assert ["by up to 3.5 dB" in line for line in sounds_in_words(rows)] == [True] * len(told)


@pytest.mark.parametrize(
    ("name", "codec", "layout", "told"),
    [("a.mkv", "flac", "6.1", set()), ("a.mp4", "aac", "quad", {"other_layout"}), ("a.mp4", "aac", "5.1", set())],
)
def test_a_layout_of_the_film_that_cannot_be_kept_is_told(
    tmp_path: Path, voice: np.ndarray, name: str, codec: str, layout: str, told: set[str]
) -> None:
    surround = make_film(tmp_path / name, FilmSpec(num_frames=100, cuts=(), layout=layout, sound_codec=codec))

    assert flaws(checked(tmp_path, surround, voice), "original") == told


def test_music_and_effects_need_not_speak(tmp_path: Path, film: SyntheticFilm, voice: np.ndarray) -> None:
    write_wav(tmp_path / "me.wav", 0.01 * np.random.default_rng(0).standard_normal((2, 4 * HZ)).astype(np.float32), HZ)

    rows = checked(tmp_path, film, voice, me_uri=str(tmp_path / "me.wav"))

    assert [row["role"] for row in rows] == ["dub", "music_and_effects", "original"]
    assert flaws(rows, "music_and_effects") == set()
    assert rows[1]["speech_s"] is None


def test_a_film_without_sound_has_none_to_be_measured(tmp_path: Path, voice: np.ndarray) -> None:
    mute = make_film(tmp_path / "mute.mp4", FilmSpec(num_frames=100, cuts=(), languages=()))

    assert [row["role"] for row in checked(tmp_path, mute, voice)] == ["dub"]


def test_the_length_of_a_film_s_own_sound_counts_from_its_first_frame(tmp_path: Path, voice: np.ndarray) -> None:
    late = make_film(tmp_path / "late.mp4", FilmSpec(num_frames=100, cuts=(), start_frame=250))

    (own,) = [row for row in checked(tmp_path, late, voice) if row["role"] == "original"]

    assert own["length_s"] == pytest.approx(4, abs=0.03)  # AAC pads


@pytest.mark.parametrize(
    ("name", "codec", "options", "is_told"),
    [
        ("dub.m4a", "aac", {}, True),
        ("dub.mkv", "aac", {}, True),
        ("dub.mka", "ac3", {}, True),
        ("dub.opus", "libopus", {}, True),
        ("dub.mp3", "libmp3lame", {}, True),
        ("dub.flac", "flac", {}, True),
        ("dub.wav", "pcm_s24le", {}, True),
        ("dub.aac", "aac", {}, False),
        ("dub.ts", "aac", {}, False),
        ("dub.ac3", "ac3", {}, False),
        ("dub.mp4", "aac", {"movflags": "empty_moov+frag_keyframe"}, False),
    ],
)
def test_a_file_that_does_not_tell_its_encoder_s_delay_is_named(
    tmp_path: Path,
    film: SyntheticFilm,
    voice: np.ndarray,
    name: str,
    codec: str,
    options: dict[str, str],
    is_told: bool,
) -> None:
    path = encoded(tmp_path / name, codec, voice, options)

    assert tells_lead(path) is is_told
    assert flaws(rows_of(tmp_path, film, path)) == (set() if is_told else {SoundFlaw.UNKNOWN_LEAD})


@pytest.mark.parametrize(
    ("name", "codec", "sample_rate_hz", "layout"),
    [
        ("dub.m4a", "aac", 44_100, "5.1"),
        ("dub.mkv", "ac3", HZ, "5.1(side)"),
        ("dub.mp4", "eac3", HZ, "5.1(side)"),
        ("dub.mka", "libopus", HZ, "5.1"),
        ("dub.webm", "libopus", HZ, "mono"),
        ("dub.mp4", "libopus", HZ, "7.1"),
        ("dub.mp3", "libmp3lame", 44_100, "stereo"),
        ("dub.flac", "flac", 96_000, "7.1"),
        ("dub.w64", "pcm_f32le", HZ, "7.1"),
        ("dub.wav", "pcm_s16le", 22_050, "mono"),
        ("dub.aiff", "pcm_s24be", HZ, "stereo"),
        ("dub.mov", "pcm_s24le", HZ, "7.1"),
    ],
)
def test_an_impulse_lies_at_its_sample_in_whatever_form_a_dub_comes(
    tmp_path: Path, name: str, codec: str, sample_rate_hz: int, layout: str
) -> None:
    impulse = np.zeros((av.AudioLayout(layout).nb_channels, 2 * sample_rate_hz), np.float32)
    impulse[:, sample_rate_hz] = 0.9
    path = encoded(tmp_path / name, codec, impulse, {}, sample_rate_hz, layout)

    found, rate, read = read_channels(path)

    assert (rate, read) == (sample_rate_hz, layout)
    for channel in found[np.abs(found).max(1) > 0.3]:  # not in that of low frequencies
        assert abs(int(np.abs(channel).argmax()) - sample_rate_hz) <= 1
    assert (np.abs(found).max(1) > 0.3).sum() >= len(found) - 1


def encoded(
    path: Path, codec: str, samples: np.ndarray, options: dict[str, str], rate: int = HZ, layout: str = "stereo"
) -> Path:
    """Samples [C, N] in a file of their own."""
    with av.open(str(path), "w", options=options) as out:
        stream = out.add_stream(codec, rate=rate, layout=layout)
        for start in range(0, samples.shape[1], 1024):
            packed = np.ascontiguousarray(samples[:, start : start + 1024].T).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(packed, "flt", layout)
            frame.sample_rate, frame.pts = rate, start
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def test_a_stem_whose_lines_all_come_late_is_named(tmp_path: Path, voice: np.ndarray) -> None:
    beginnings = np.cumsum(np.random.default_rng(0).uniform(1.6, 3.4, 14)) - 1.0
    line = voice[:1, : round(1.2 * HZ)]

    def spoken(late_s: float) -> np.ndarray:
        sound = np.zeros((1, round((beginnings[-1] + 3) * HZ)), np.float32)
        for begin in beginnings:
            first = round((begin + late_s) * HZ)
            sound[:, first : first + line.shape[1]] += line
        return sound

    frames = round(spoken(0).shape[1] / HZ * 25)
    spec = FilmSpec(num_frames=frames, cuts=(), width_px=64, height_px=48)
    film = make_film(tmp_path / "film.mp4", spec, sound=lambda num_samples, _: np.resize(spoken(0)[0], num_samples))

    for late_s, named in ((0.0, set()), (0.8, {SoundFlaw.MAYBE_LATE})):
        rows = checked(tmp_path, film, spoken(late_s))
        assert flaws(rows) == named
    assert "0.80 s late as a whole" in sounds_in_words(rows)[0]


def test_samples_that_are_no_numbers_are_silent_and_named(
    tmp_path: Path, film: SyntheticFilm, voice: np.ndarray
) -> None:
    spoilt = voice.copy()
    spoilt[0, 1000] = np.nan
    spoilt[1, 2000] = np.inf
    path = tmp_path / "dub.w64"
    with path.open("wb") as file:
        write_wave64(file, [spoilt], HZ, "stereo")

    rows = rows_of(tmp_path, film, path)

    assert flaws(rows) == {SoundFlaw.DAMAGED}
    assert rows[0]["sample_peak_dbfs"] < 0


def test_channels_that_no_delivery_has_are_named(tmp_path: Path, film: SyntheticFilm, voice: np.ndarray) -> None:
    wide = encoded(tmp_path / "wide.mov", "pcm_s24le", np.tile(voice, (4, 1)), {}, HZ, "7.1(wide)")

    assert flaws(rows_of(tmp_path, film, wide)) == {SoundFlaw.FOLDED}
