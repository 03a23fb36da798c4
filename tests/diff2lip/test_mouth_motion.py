"""Leakage and closure say what was put into the openings."""

import pytest
import torch

from diff2lip.metrics import Phone, StillMouthError, bilabial_closure, leakage, opening_range

TALKING = torch.linspace(0.0, 1.0, 101)  # every opening from closed to wide, once: quantiles are the values


def test_the_range_of_a_mouth_leaves_its_extremes_out() -> None:
    assert opening_range(TALKING) == pytest.approx((0.05, 0.95))


@pytest.mark.parametrize(("opening", "share"), [(0.0, 0.0), (0.05, 0.0), (0.5, 0.5), (0.95, 1.0)])
def test_a_mouth_that_stays_at_an_opening_leaks_that_share(opening: float, share: float) -> None:
    assert leakage(torch.full((10,), opening), TALKING) == pytest.approx(share, abs=1e-6)


def test_the_sources_own_lips_leak_about_half() -> None:
    assert leakage(TALKING, TALKING) == pytest.approx(0.5, abs=0.01)


def test_a_source_that_does_not_speak_says_nothing_of_leakage() -> None:
    with pytest.raises(StillMouthError, match=r"opens from 0\.200 to 0\.200"):
        leakage(torch.zeros(5), torch.full((50,), 0.2))


def openings_closed_at(*closed: int) -> torch.Tensor:
    openings = torch.full((50,), 0.5)
    openings[20:24] = 0.0  # somewhere without a phone, so that there is a range
    openings[list(closed)] = 0.0
    return openings


TIMES_S = torch.arange(50) / 25
PHONES = [Phone("P", 0.40, 0.44), Phone("AA1", 0.44, 0.6), Phone("m", 1.20, 1.24), Phone("B", 9.0, 9.1)]


@pytest.mark.parametrize(
    ("closed", "share"),
    [
        ((10, 30), 1.0),
        ((9, 31), 1.0),  # one frame early, one frame late
        ((10,), 0.5),
        ((8, 32), 0.0),  # two frames off
        ((12, 13), 0.0),  # closed for a vowel
    ],
)
def test_lips_must_close_for_p_b_m_within_one_frame(closed: tuple[int, ...], share: float) -> None:
    assert bilabial_closure(openings_closed_at(*closed), TIMES_S, PHONES) == share


def test_speech_without_bilabials_has_no_share() -> None:
    assert bilabial_closure(openings_closed_at(), TIMES_S, [Phone("AA1", 0.4, 0.6), Phone("B", 9.0, 9.1)]) is None


def test_frames_without_moments_are_refused() -> None:
    with pytest.raises(ValueError, match=r"got \[50\] and \[49\]"):
        bilabial_closure(openings_closed_at(), TIMES_S[:49], PHONES)
