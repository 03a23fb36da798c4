"""Visemes: closed where lips meet, smooth, on time."""

import numpy as np
import pytest

from pipelines.viseme import VISEMES, phone_of_espeak, shape_of, viseme_track


def test_lips_meet_for_b_p_and_m() -> None:
    assert [shape_of(phone)[0] for phone in ("b", "p", "m", "pau")] == [0, 0, 0, 0]


def test_stress_and_case_do_not_matter() -> None:
    assert shape_of("AA1") == shape_of("aa")


def test_every_shape_lies_in_its_range() -> None:
    assert all(0 <= opening <= 1 and -1 <= width <= 1 for opening, width in VISEMES.values())


@pytest.mark.parametrize(("symbol", "phone"), [("'a", "ae"), ("eI", "ey"), ("tS", "ch"), ("B", "b"), ("_:", "pau")])
def test_espeak_phonemes_become_the_nearest_phone(symbol: str, phone: str) -> None:
    assert phone_of_espeak(symbol) == phone


def test_a_track_samples_from_zero_to_the_end_of_the_last_phone() -> None:
    assert viseme_track([("pau", 0.5), ("aa", 1.0)], rate_hz=80).shape == (81, 2)


def test_a_long_vowel_reaches_its_opening_and_begins_and_ends_halfway() -> None:
    track = viseme_track([("pau", 0.5), ("aa", 1.0), ("pau", 1.5)], rate_hz=100)
    assert track[75, 0] == pytest.approx(1.0, abs=1e-3)
    assert track[[50, 100], 0] == pytest.approx([0.5, 0.5], abs=1e-3)


def test_cutting_a_phone_in_two_changes_nothing() -> None:
    whole = viseme_track([("pau", 0.2), ("ow", 0.6), ("m", 0.8)])
    halved = viseme_track([("pau", 0.2), ("ow", 0.4), ("ow", 0.6), ("m", 0.8)])
    assert np.allclose(whole, halved, atol=1e-6)
