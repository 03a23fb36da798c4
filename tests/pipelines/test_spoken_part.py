"""What in a take is spoken: not the click of a mouth, but the plosive of a word, and also what is whispered later."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.spoken_part import quiet_end, spoken_part
from schemas.line import STEM_RATE_HZ

Floats = NDArray[np.float32]

SILENCE_DBFS = -60.0
ROOM_DBFS = -70.0
STEP_S = 0.011  # an end is known to 10 ms


def tone(seconds: float, level: float = 0.25) -> Floats:
    return (level * np.cos(2 * np.pi * 220 * np.arange(round(seconds * STEM_RATE_HZ)) / STEM_RATE_HZ)).astype("f4")


def take(parts: Sequence[Floats | float], room_dbfs: float = ROOM_DBFS) -> Floats:
    """[N] sounds, and pauses in seconds, in a room."""
    sounds = [np.zeros(round(part * STEM_RATE_HZ), "f4") if isinstance(part, float) else part for part in parts]
    heard = np.concatenate(sounds)
    return heard + np.random.default_rng(0).normal(0, 10 ** (room_dbfs / 20), len(heard)).astype("f4")


def spoken_s(samples: Floats) -> list[float]:
    return [at / STEM_RATE_HZ for at in spoken_part(samples, SILENCE_DBFS)]


@pytest.mark.parametrize(
    "clicks", [(tone(0.012, 0.02), 1.0), (tone(0.012, 0.02), 0.03, tone(0.012, 0.02), 0.2), (tone(0.005, 0.9), 0.3)]
)
def test_clicks_before_a_word_are_not_the_word(clicks: tuple[Floats | float, ...]) -> None:
    before = [0.5, *clicks]
    word_s = len(take(before)) / STEM_RATE_HZ

    assert spoken_s(take([*before, tone(1.0), 0.5])) == pytest.approx([word_s, word_s + 1], abs=STEP_S)


def test_a_click_after_a_word_does_not_end_it() -> None:
    assert spoken_s(take([0.5, tone(1.0), 0.4, tone(0.012, 0.1), 0.5])) == pytest.approx([0.5, 1.5], abs=STEP_S)


@pytest.mark.parametrize("until_vowel_s", [0.01, 0.03, 0.06])
def test_a_plosive_before_its_vowel_is_the_first_sound_of_its_word(until_vowel_s: float) -> None:
    samples = take([0.5, tone(0.012, 0.05), until_vowel_s, tone(0.4), 0.5])
    assert spoken_s(samples)[0] == pytest.approx(0.5, abs=0.001)


def test_a_plosive_at_the_end_of_a_word_is_a_part_of_it() -> None:
    samples = take([0.5, tone(0.4), 0.09, tone(0.02, 0.03), 0.5])
    assert spoken_s(samples)[1] == pytest.approx(1.01, abs=STEP_S)


def test_a_creaky_voice_whose_pulses_lie_apart_is_spoken() -> None:
    pulses = [part for _ in range(12) for part in (tone(0.008), 0.022)]
    assert spoken_s(take([0.5, *pulses, 0.5])) == pytest.approx([0.5, 0.5 + 12 * 0.03 - 0.022], abs=STEP_S)


def test_where_no_sound_lasts_the_loud_ones_are_all_there_is() -> None:
    assert spoken_s(take([0.5, tone(0.03), 0.5])) == pytest.approx([0.5, 0.53], abs=STEP_S)


def test_a_whisper_far_below_a_shout_is_kept_though_hardly_louder_than_the_room() -> None:
    samples = take([0.5, tone(1.0, 0.7), 0.3, tone(0.8, 0.006), 0.5], room_dbfs=-52)
    after = spoken_part(samples, SILENCE_DBFS)[1]
    assert after / STEM_RATE_HZ == pytest.approx(1.5, abs=STEP_S)
    assert quiet_end(samples, after, SILENCE_DBFS) / STEM_RATE_HZ == pytest.approx(2.6, abs=0.03)


@pytest.mark.parametrize("room_dbfs", [-75, -60, -45])
def test_room_tone_and_clicks_after_a_word_are_no_whisper(room_dbfs: float) -> None:
    samples = take([0.5, tone(1.0), 1.0, tone(0.012, 0.02), 1.0], room_dbfs)
    after = spoken_part(samples, SILENCE_DBFS)[1]
    assert quiet_end(samples, after, SILENCE_DBFS) - after <= 3 * STEM_RATE_HZ // 100
