"""Sound lies where the container says, to the sample."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import scipy.io.wavfile

from pipelines.media.channels import UNNAMED
from pipelines.media.container import UndecodableError
from pipelines.media.sound import SILENCE_SAMPLES, mono_blocks, read_channels, read_mono, write_wav
from tests.pipelines.media.ac3_gains import write_with_gain
from tests.synthetic import FilmSpec, make_film, ticking


def lag_of(found: np.ndarray, expected: np.ndarray) -> int:
    """How many samples `found` is late, by the peak of the cross correlation."""
    size = 1 << (len(found) + len(expected)).bit_length()
    product = np.fft.rfft(found, size) * np.conj(np.fft.rfft(expected, size))
    peak = int(np.argmax(np.fft.irfft(product, size)))
    return peak if peak < size // 2 else peak - size


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_sound_of_a_film_is_not_moved_by_the_codec(tmp_path: Path, suffix: str) -> None:
    film = make_film(tmp_path / f"film.{suffix}")
    tolerance = 32 if suffix == "mkv" else 1  # Matroska rounds time to 1 ms

    assert abs(lag_of(read_mono(film.path), ticking(32_000, 16_000))) <= tolerance


def test_a_late_sound_stream_begins_with_silence(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(sound_start_s=Fraction(1, 4)))

    samples = read_mono(film.path)

    assert np.abs(samples[:3000]).max() < 1e-3
    assert abs(lag_of(samples, ticking(32_000, 16_000)) - 4000) <= 16


def test_a_hole_of_any_length_comes_in_blocks_of_silence(tmp_path: Path) -> None:
    late = 3 * SILENCE_SAMPLES
    film = make_film(tmp_path / "film.mp4", FilmSpec(sound_start_s=Fraction(late, 16_000)))

    blocks = list(mono_blocks(film.path))

    samples = np.concatenate(blocks)
    assert max(map(len, blocks)) <= SILENCE_SAMPLES
    assert np.array_equal(samples, read_mono(film.path))
    assert np.abs(samples[: late - 1000]).max() < 1e-3
    assert abs(lag_of(samples[late:], ticking(32_000, 16_000))) <= 16


def test_channels_keep_rate_and_layout(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(sample_rate_hz=44_100))

    samples, rate, layout = read_channels(film.path)

    assert (len(samples), rate, layout) == (2, 44_100, "stereo")
    assert lag_of(samples[1], ticking(88_200, 44_100)) == 0


def test_a_wav_is_read_by_another_library_as_it_was_written(tmp_path: Path) -> None:
    stereo = np.random.default_rng(0).uniform(-1, 1, (2, 4800)).astype(np.float32)
    write_wav(tmp_path / "stem.wav", stereo, 48_000)

    rate, codes = scipy.io.wavfile.read(tmp_path / "stem.wav")

    assert rate == 48_000
    assert np.abs(codes.T / 2**31 - stereo).max() < 2**-22  # 24 bits
    assert np.abs(read_channels(tmp_path / "stem.wav")[0] - stereo).max() < 2**-22


def test_an_impulse_stays_where_it_is_when_resampled(tmp_path: Path) -> None:
    impulse = np.zeros(48_000, np.float32)
    impulse[24_000] = 0.9
    write_wav(tmp_path / "impulse.wav", impulse, 48_000)

    assert int(np.argmax(read_mono(tmp_path / "impulse.wav"))) == 8000


def test_a_film_without_sound_says_so(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(languages=()))

    with pytest.raises(UndecodableError, match="no sound stream"):
        read_mono(film.path)


@pytest.mark.parametrize("word", [0b11000000, 0b10100000, 0b01000000])
def test_ac3_is_heard_as_loud_as_it_was_mixed_whatever_range_it_asks_for(tmp_path: Path, word: int) -> None:
    tone = (0.05 * np.sin(2 * np.pi * 997 * np.arange(48_000) / 48_000)).astype(np.float32)
    for name, asked in (("plain.mka", 0), ("asked.mka", word)):
        write_with_gain(tmp_path / name, tone, 48_000, asked)

    plain, asked_for = (read_channels(tmp_path / name)[0] for name in ("plain.mka", "asked.mka"))

    assert np.array_equal(asked_for[:, 4800:40_000], plain[:, 4800:40_000])


@pytest.mark.parametrize("num_channels", UNNAMED)
def test_channels_without_names_are_all_heard_in_the_order_of_the_usual_layout(
    tmp_path: Path, num_channels: int
) -> None:
    sound = np.random.default_rng(num_channels).uniform(-1, 1, (num_channels, 4800)).astype(np.float32)
    write_wav(tmp_path / "stem.wav", sound, 48_000)

    found, _, layout = read_channels(tmp_path / "stem.wav")

    assert layout == UNNAMED[num_channels]
    assert np.abs(found - sound).max() < 2**-22
