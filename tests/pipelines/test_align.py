"""A lag put in by hand comes out again; speech lies where it was put, on every shot and at every rate."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipelines.align import AlignDub, clip_spans, constant_lag
from pipelines.media.sound import read_mono, write_wav
from pipelines.shots import DetectShots
from pipelines.storage import ObjectStore
from pipelines.stored_heard import stored_heard
from schemas.timing import ANALYSIS_RATE_HZ
from tests.film_rows import film_row
from tests.synthetic import FILM_24, PAL_25, FilmSpec, SyntheticFilm, make_film

RATE = ANALYSIS_RATE_HZ
VOICE = Path(__file__).parents[2] / "jobs" / "demo_takes" / "lecturer.ogg"
MAX_LAG = RATE // 2
NOISE = np.random.default_rng(0).standard_normal(8 * RATE).astype(np.float32)


def aligned(film: SyntheticFilm, store: Path, dub: Path, **changes: str) -> list[dict[str, object]]:
    films = pa.Table.from_pylist([film_row(film, dub, **changes)], schema=DetectShots.consumes)
    rows = AlignDub(store_uri=str(store))(DetectShots(store_uri=str(store))(films))
    assert rows.schema == AlignDub.produces
    return list(rows.to_pylist())


@pytest.mark.parametrize("lag", [-4000, -1, 0, 1, 4000])
def test_a_known_lag_is_found_to_the_sample_under_another_voice(lag: int) -> None:
    voice = np.random.default_rng(1).standard_normal(len(NOISE)).astype(np.float32)
    delayed = np.roll(NOISE, lag)

    assert constant_lag(NOISE, delayed + voice, MAX_LAG) == lag


@pytest.mark.parametrize("lag", [-4000, 0, 777])
def test_a_lag_is_found_of_the_opposite_polarity(lag: int) -> None:
    voice = np.random.default_rng(1).standard_normal(len(NOISE)).astype(np.float32)

    assert constant_lag(NOISE, voice - np.roll(NOISE, lag), MAX_LAG) == lag


def test_a_lag_is_found_in_sound_longer_than_a_block() -> None:
    shared = np.random.default_rng(2).standard_normal(130 * RATE).astype(np.float32)

    assert constant_lag(shared, np.concatenate([np.zeros(777, np.float32), shared]), MAX_LAG) == 777


def test_sounds_that_share_nothing_have_no_lag() -> None:
    other = np.random.default_rng(3).standard_normal(len(NOISE)).astype(np.float32)

    assert constant_lag(NOISE, other, MAX_LAG) is None
    assert constant_lag(NOISE, np.zeros_like(NOISE), MAX_LAG) is None
    assert constant_lag(NOISE, NOISE[:0], MAX_LAG) is None


def test_spans_are_clipped_to_the_shot() -> None:
    spans = [(0, 10), (15, 25), (28, 40), (50, 60)]

    assert clip_spans(spans, 20, 35) == [{"start": 20, "end": 25}, {"start": 28, "end": 35}]


@pytest.mark.parametrize("rate", [PAL_25, FILM_24])
def test_speech_lies_on_the_shot_where_it_was_put(tmp_path: Path, rate: object) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(num_frames=120, cuts=(60,), frame_rate=rate))  # type: ignore[arg-type]
    voice = read_mono(VOICE)
    start = 3 * RATE
    stem = np.zeros(round(film.duration_s * RATE), np.float32)
    stem[start : start + len(voice)] = voice[: len(stem) - start]
    write_wav(tmp_path / "stem.wav", stem, RATE)

    first, second = aligned(film, tmp_path / "store", tmp_path / "stem.wav")

    cut = round(film.cuts[0] * film.time_base * RATE)
    assert (first["dub_start_sample"], first["dub_end_sample"]) == (0, cut)
    assert (second["dub_start_sample"], second["dub_end_sample"]) == (cut, round(film.duration_s * RATE))
    assert first["dub_speech"] == [] == first["original_speech"] == second["original_speech"]
    [spoken] = second["dub_speech"]  # type: ignore[misc]
    assert abs(spoken["start"] - start) < 0.15 * RATE
    assert {first["lag_samples"], second["lag_samples"]} == {None}
    with pytest.MonkeyPatch.context() as patch:  # and what mouths are compared with is there
        patch.setattr("pipelines.stored_heard.heard_sound", pytest.fail)
        kept = stored_heard(ObjectStore(str(tmp_path / "store")), str(first["dub_digest"]), tmp_path / "stem.wav")
    assert len(kept.loud)


def test_only_a_mix_is_compared_with_the_film(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(num_frames=100, cuts=(50,)))
    samples = read_mono(film.path)
    samples += 0.01 * NOISE[: len(samples)]
    write_wav(tmp_path / "late.wav", np.concatenate([np.zeros(1234, np.float32), samples]), RATE)

    stem = aligned(film, tmp_path / "a", tmp_path / "late.wav")
    mix = aligned(film, tmp_path / "b", tmp_path / "late.wav", dub_kind="dub_mix")
    write_wav(tmp_path / "other.wav", 0.1 * NOISE[: len(samples)], RATE)
    other = aligned(film, tmp_path / "c", tmp_path / "other.wav", dub_kind="dub_mix")

    assert {row["lag_samples"] for row in stem} == {None}
    assert {row["lag_samples"] for row in mix} == {1234}
    assert {row["lag_samples"] for row in other} == {None}
