"""What mouths are compared with: the curves of a long film are those of the whole, whatever is in memory at a time."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from pipelines import expected_opening as opening
from pipelines.expected_opening import BLOCK_S, GRID_HZ, expected_opening, sound_features
from pipelines.heard_sound import BLOCK_SAMPLES, DYNAMIC_RANGE_DB, HeardSound, heard_sound, loudness
from schemas.timing import ANALYSIS_RATE_HZ


def noise(num_samples: int) -> np.ndarray:
    """Noise whose level and colour wander."""
    rng = np.random.default_rng(0)
    level = np.repeat(rng.uniform(0.01, 0.2, num_samples // 1600 + 1), 1600)[:num_samples]
    return (np.convolve(rng.normal(0, 1, num_samples), np.ones(4) / 4, "same") * level).astype(np.float32)


def test_loudness_of_a_long_film_is_that_of_the_whole_to_the_bit() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 2 * BLOCK_SAMPLES + 5000).astype(np.float32)

    power = np.square(sound[: len(sound) // 320 * 320].reshape(-1, 320)).mean(1, dtype=np.float64)

    assert np.array_equal(loudness(sound), 10 * np.log10(gaussian_filter1d(power, 3.0)))  # 60 ms


def test_expected_opening_of_a_long_film_is_that_of_the_whole() -> None:
    sound = noise((2 * BLOCK_S + 7) * ANALYSIS_RATE_HZ + 123)

    found = expected_opening(sound)

    assert len(found) == len(sound) * GRID_HZ // ANALYSIS_RATE_HZ
    assert np.abs(found - sound_features(sound) @ opening._weights()).max() < 1e-6


@pytest.mark.parametrize("num_samples", [0, 1, 319, 320, 1600])
def test_the_shortest_sounds_have_curves_of_their_length(num_samples: int) -> None:
    heard = heard_sound(noise(2000)[:num_samples])

    assert len(heard.loud) == len(heard.expected) == num_samples // 320


def test_beyond_the_ends_it_is_silent_and_room_tone_is_cut_off() -> None:
    heard = HeardSound(np.array([-20.0, -90.0, -30.0]), np.array([0.1, 0.2, 0.3]))

    loud, expected = heard.around(-1, 5)

    assert loud.tolist() == [-20 - DYNAMIC_RANGE_DB, -20, -20 - DYNAMIC_RANGE_DB, -30] + 2 * [-20 - DYNAMIC_RANGE_DB]
    assert expected.tolist() == [0, 0.1, 0.2, 0.3, 0, 0]
