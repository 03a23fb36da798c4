"""A mix that is late or runs at another speed lies on the film again; what is not sure is not touched."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import soxr
from numpy.typing import NDArray

from pipelines.conform import ConformConfig, ConformDub, conform_notice, judged
from pipelines.conform_fit import UNKNOWN, ConformFit, fit_conform
from pipelines.conformed_blocks import conformed_blocks
from pipelines.media.sound import read_channels, write_wav
from pipelines.stage import Row, check_chain
from pipelines.storage import file_digest
from schemas.film import FILM
from schemas.timing import ANALYSIS_RATE_HZ
from tests.film_rows import film_row
from tests.shared_sound import laid, music, original_and_mix, speech
from tests.synthetic import FilmSpec, SyntheticFilm, make_film

Floats = NDArray[np.float32]

MAX_LAG_S = 2.0
MIX_RATE_HZ = 48_000


def fit(lag_s: float, rate: float = 1.0, **changes: Any) -> ConformFit:
    facts = {"name": "", "num_windows": 9, "num_clear": 9, "num_agreeing": 9, "is_sure": True, "length_s": 60.0}
    return ConformFit(**({"lag_s": lag_s, "rate": rate} | facts | changes))


def told(moved: bool, detail: str) -> Row:
    return {"moved": moved, "detail": detail}


@pytest.mark.parametrize(
    ("rate", "name"),
    [(1.0, ""), (25 / 24, "25/24"), (1001 / 1000, "1001/1000"), (24 / 25, "24/25"), (0.9996, ""), (1.0081, "")],
)
@pytest.mark.parametrize("lag_s", [-1.7, 1.2])
def test_lag_and_drift_that_were_put_in_are_found_under_other_voices(rate: float, name: str, lag_s: float) -> None:
    original, mix, lag_s = original_and_mix(round(1000 * rate), 40.0, rate, lag_s)

    found = fit_conform(original, mix, MAX_LAG_S)

    assert found.is_sure, found
    assert found.lag_s == pytest.approx(lag_s, abs=1e-3)
    assert found.rate == pytest.approx(rate, abs=20e-6)
    assert found.name == name


@pytest.mark.parametrize(
    ("rate", "lag_s", "words"), [(1.0, -1.2, "moved: "), (25 / 24, 0.5, "moved: "), (1.0, 0.0, "in ")]
)
def test_a_mix_of_the_opposite_polarity_is_found_as_any_other_and_told_of(
    rate: float, lag_s: float, words: str
) -> None:
    rng = np.random.default_rng(5)
    shared = music(rng, 40.0)
    mix, lag_s = laid(speech(rng, 40.0) - shared, rate, lag_s)

    found = fit_conform(shared + speech(rng, 40.0), mix, MAX_LAG_S)
    moved, detail = judged(found, ConformConfig())

    assert (found.is_sure, found.is_inverted) == (True, True), found
    assert found.lag_s == pytest.approx(lag_s, abs=2e-5)
    assert found.rate == pytest.approx(rate, abs=20e-6)
    assert detail.startswith(words)
    assert "its polarity is inverted against the film's: invert it" in conform_notice("it is", told(moved, detail))[0]


def test_a_drift_that_nobody_hears_moves_no_sample_and_is_not_told() -> None:
    original, mix, _ = original_and_mix(3, 40.0, 1.00003, 0.0)

    found = fit_conform(original, mix, MAX_LAG_S)
    moved, detail = judged(found, ConformConfig())

    assert (found.is_sure, moved) == (True, False)
    assert found.most_lag_s == pytest.approx(0.0012, abs=1e-4)
    assert conform_notice("its mix is", told(moved, detail)) == []


def test_a_mix_of_the_film_s_polarity_is_not_called_inverted() -> None:
    original, mix, _ = original_and_mix(5, 40.0, 1.0, -1.2)

    found = fit_conform(original, mix, MAX_LAG_S)

    assert (found.is_sure, found.is_inverted) == (True, False)
    assert "inverted" not in judged(found, ConformConfig())[1]


def test_unrelated_and_silent_sounds_are_not_taken_for_one_another() -> None:
    rng = np.random.default_rng(7)
    one, other = (music(rng, 12.0) + speech(rng, 12.0) for _ in range(2))

    for mix in (other, np.zeros_like(one), one[:0], one[:ANALYSIS_RATE_HZ]):
        found = fit_conform(one, mix, MAX_LAG_S)
        assert not found.is_sure
        assert (found.lag_s, found.rate) == (0.0, 1.0)


def test_music_that_is_heard_in_the_pauses_alone_is_found_far_below_the_voices() -> None:
    rng = np.random.default_rng(1)
    shared = 0.06 * music(rng, 40.0)
    own, other = speech(rng, 40.0), speech(rng, 40.0)
    assert np.std(shared) < 0.1 * np.std(own)  # 20 dB
    mix, lag_s = laid(shared + other, 1.0, -0.7)

    found = fit_conform(shared + own, mix, MAX_LAG_S)

    assert found.is_sure, found
    assert found.lag_s == pytest.approx(lag_s, abs=1e-3)


def test_a_mix_that_was_cut_in_the_middle_is_not_moved() -> None:
    """Half of it is a second later: no line is right for both."""
    original, mix, _ = original_and_mix(3, 60.0, 1.0, 0.3)
    half = len(mix) // 2
    torn = np.concatenate([mix[:half], np.zeros(ANALYSIS_RATE_HZ, np.float32), mix[half:]])

    assert not fit_conform(original, torn, MAX_LAG_S).is_sure


@pytest.mark.parametrize("period_s", [0.5, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_of_music_that_is_a_loop_no_lag_is_sure_and_the_reason_is_said(period_s: float, seed: int) -> None:
    """Whole loops later it is the same."""
    rng = np.random.default_rng(seed)
    loop = 2 * np.resize(music(rng, period_s), round(40 * ANALYSIS_RATE_HZ))
    mix, _ = laid(loop + speech(rng, 40.0), 1.0, -1.2)

    found = fit_conform(loop + speech(rng, 40.0), mix, MAX_LAG_S)

    assert not found.is_sure
    if found.num_windows:
        assert "the shared sound repeats" in judged(found, ConformConfig())[1]


def test_music_that_is_a_loop_for_half_of_a_film_is_found_by_the_other_half() -> None:
    rng = np.random.default_rng(2)
    shared = 2 * music(rng, 60.0)
    shared[len(shared) // 2 :] = np.resize(2 * music(rng, 1.5), len(shared) - len(shared) // 2)
    mix, lag_s = laid(shared + speech(rng, 60.0), 1.0, -1.2)

    found = fit_conform(shared + speech(rng, 60.0), mix, MAX_LAG_S)

    assert found.is_sure, found
    assert found.lag_s == pytest.approx(lag_s, abs=1e-3)


def test_a_late_mix_is_found_by_music_that_plays_for_a_tenth_of_the_film() -> None:
    rng = np.random.default_rng(4)
    shared = music(rng, 300.0)
    times = np.arange(len(shared)) / ANALYSIS_RATE_HZ
    shared *= ((times > 50) & (times < 65)) | ((times > 200) & (times < 215))
    mix, lag_s = laid(shared + speech(rng, 300.0), 1.0, 1.0)

    found = fit_conform(shared + speech(rng, 300.0), mix, MAX_LAG_S)

    assert found.is_sure, found
    assert found.lag_s == pytest.approx(lag_s, abs=1e-3)


@pytest.mark.parametrize(("lag_s", "words"), [(2.6, "2.6 s late"), (8.0, "8.0 s late"), (-5.0, "5.0 s early")])
def test_a_mix_that_begins_far_from_the_film_stays_and_its_lag_is_said(lag_s: float, words: str) -> None:
    original, mix, _ = original_and_mix(3, 60.0, 1.0, lag_s)

    moved, detail = judged(fit_conform(original, mix, MAX_LAG_S), ConformConfig())

    assert not moved
    assert detail.startswith(f"not moved: it seems to be {words}, beyond the 2 s that are looked for: give it from")


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize(("rate", "lag_s"), [(1.0, 0.25), (1.0, -0.25), (25 / 24, 0.5), (0.97, -0.1)])
def test_what_was_moved_away_comes_back_in_every_channel(channels: int, rate: float, lag_s: float) -> None:
    rng = np.random.default_rng(5)
    film = np.stack([music(rng, 6.0, MIX_RATE_HZ) for _ in range(channels)])
    away = [laid(channel, rate, lag_s, MIX_RATE_HZ) for channel in film]
    mix = np.stack([channel for channel, _ in away])
    blocks = (mix[:, first : first + 10_007] for first in range(0, mix.shape[1], 10_007))

    back = np.concatenate(list(conformed_blocks(blocks, MIX_RATE_HZ, fit(away[0][1], rate))), axis=1)

    assert abs(back.shape[1] - film.shape[1]) < MIX_RATE_HZ * 0.6
    for moved, stood in zip(back, film, strict=True):
        # Up to 12 kHz: at the upper end of its band any resampling takes something away.
        one, other = (
            soxr.resample(channel, MIX_RATE_HZ, MIX_RATE_HZ / 2)[12_000:120_000] for channel in (moved, stood)
        )
        error = np.sqrt(np.mean((one - other) ** 2) / np.mean(other**2))
        assert error < (1e-6 if rate == 1 else 0.005)


@pytest.mark.parametrize(
    ("found", "moved", "words"),
    [
        (fit(0.004), False, "in time: 0.004 s late; 9 of 9 stretches of the film agree"),
        (fit(0.0, 1.000012), False, "in time: 0.000 s early, 0.001 s late at its end; 9 of 9 stretches"),
        (fit(0.0045, 1.000012), True, "moved: it was 0.004 s late and 1.000012 times as long; 9 of 9"),
        (fit(0.003, 0.9999), False, "in time: 0.003 s late, 0.003 s early at its end; 9 of 9"),
        (fit(0.0, 1.0001), True, "moved: it was 0.000 s early and 1.000100 times as long"),
        (fit(-0.04), True, "moved: it was 0.040 s early; 9 of 9 stretches of the film agree"),
        (fit(0.0, 25 / 24, name="25/24"), True, "moved: it was 0.000 s early and 25/24 times as long"),
        (fit(0.5, 1.0317), True, "moved: it was 0.500 s late and 1.031700 times as long"),
        (UNKNOWN, False, "not moved: too little of the film's own sound is found in it to tell its lag"),
        (
            fit(0.5, is_sure=False, num_agreeing=3),
            False,
            "not moved: its lag is not known, 3 of 9 stretches of the film agree, 6 contradict; see that it is of the "
            "same cut as the film",
        ),
        (
            fit(0.5, is_sure=False, num_clear=3, num_agreeing=3),
            False,
            "not moved: its lag is not known, 3 of 9 stretches of the film agree, too few or too uneven; see that",
        ),
        (
            fit(2.2, is_sure=False),
            False,
            "not moved: its lag is not known, 9 of 9 stretches of the film agree, that it is 2.200 s late; where it "
            "lies more than 2 s elsewhere give it from the film's first frame, or raise conform.max_lag_s",
        ),
        (
            fit(0.5, is_sure=False, num_clear=1, num_agreeing=1, num_repeating=8),
            False,
            "not moved: its lag is not known, the shared sound repeats: 8 of 9 stretches of the film lie equally well",
        ),
    ],
)
def test_what_is_done_is_said_with_its_numbers(found: ConformFit, moved: bool, words: str) -> None:
    assert judged(found, ConformConfig())[0] is moved
    assert judged(found, ConformConfig())[1].startswith(words)
    assert not judged(found, ConformConfig(move=False))[0]


def test_a_late_mix_of_a_film_is_delivered_in_time_and_measured_once(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    shared = music(rng, 20.0, MIX_RATE_HZ)
    original, mix = (shared + speech(rng, 20.0, MIX_RATE_HZ) for _ in range(2))
    spec = FilmSpec(num_frames=500, cuts=(), width_px=64, height_px=48, sound_start_s=0, languages=("eng",))
    film = make_film(
        tmp_path / "film.mkv",
        spec,
        sound=lambda number, _: np.pad(original, (0, max(0, number - len(original))))[:number],
    )
    late, lag_s = laid(mix, 1.0, 0.7, MIX_RATE_HZ)
    write_wav(tmp_path / "mix.wav", np.stack([late, late]), MIX_RATE_HZ)
    row = film_row(film, tmp_path / "mix.wav", dub_kind="dub_mix", dub_digest=file_digest(tmp_path / "mix.wav"))
    table = pa.Table.from_pylist([row], schema=FILM)
    check_chain([ConformDub])

    (first,) = ConformDub(str(tmp_path / "work"))(table).to_pylist()
    (again,) = ConformDub(str(tmp_path / "work"))(table).to_pylist()
    (left,) = ConformDub(str(tmp_path / "work"), ConformConfig(move=False))(table).to_pylist()

    assert first["conform"]["lag_s"] == pytest.approx(lag_s, abs=1e-3)
    assert first["conform"]["moved"]
    assert first["dub_digest"] == file_digest(Path(first["dub_uri"]))
    samples, rate_hz, layout = read_channels(Path(first["dub_uri"]))
    assert (rate_hz, layout) == (MIX_RATE_HZ, "stereo")
    np.testing.assert_allclose(samples[0, : 19 * MIX_RATE_HZ], mix[: 19 * MIX_RATE_HZ], atol=2e-3)
    assert again == first
    assert (left["dub_uri"], left["conform"]["moved"]) == (row["dub_uri"], False)


def test_a_mix_beside_a_picture_that_begins_late_is_as_late_as_it_sounds(tmp_path: Path) -> None:
    """Its container's time does not count: sound and picture begin at 1.4 s of it."""
    rng = np.random.default_rng(12)
    mix = music(rng, 20.0, MIX_RATE_HZ)
    late, lag_s = laid(mix, 1.0, 0.3, MIX_RATE_HZ)
    spec = FilmSpec(num_frames=500, cuts=(), width_px=64, height_px=48, sound_start_s=0, languages=("eng",))

    def written(name: str, sound: Floats, start_frame: int) -> SyntheticFilm:
        fitted = lambda number, _: np.pad(sound, (0, max(0, number - len(sound))))[:number]  # noqa: E731
        return make_film(tmp_path / name, replace(spec, start_frame=start_frame, sound_codec="flac"), sound=fitted)

    film, dub = written("film.mkv", mix, 0), written("mix.mkv", late, 35).path
    row = film_row(film, dub, dub_kind="dub_mix", dub_digest=file_digest(dub))

    (moved,) = ConformDub(str(tmp_path / "work"))(pa.Table.from_pylist([row], schema=FILM)).to_pylist()

    assert moved["conform"]["lag_s"] == pytest.approx(lag_s, abs=1e-3)
    samples = read_channels(Path(moved["dub_uri"]))[0]
    np.testing.assert_allclose(samples[0, : 19 * MIX_RATE_HZ], mix[: 19 * MIX_RATE_HZ], atol=2e-3)


def test_other_dubs_go_through_as_they_are(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(num_frames=25, cuts=(), width_px=64, height_px=48))
    row = film_row(film)
    assert ConformDub(str(tmp_path / "work"))(pa.Table.from_pylist([row], schema=FILM)).to_pylist() == [row]


def test_limits_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="must hold"):
        ConformConfig(least_lag_s=3.0)


def test_without_a_folder_for_it_a_late_mix_is_told_and_stays() -> None:
    moved, words = judged(fit(0.5), ConformConfig(), has_folder=False)
    assert not moved
    assert words.startswith("not moved, for want of a mounted --work folder: it is 0.500 s late")
