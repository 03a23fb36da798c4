"""A benchmark fails where a face is wrong, a cut is off, too few are dubbed, or looking takes too long."""

from typing import Any

import pytest

from benchmarks.analysis_speed import claim
from benchmarks.claim import Claim, all_hold
from benchmarks.memory import claims as memory_claims
from benchmarks.who_speaks import Judged, Track, claims
from benchmarks.words import claims as word_claims
from schemas.reason import Verdict

CUTS = {("film", 0), ("film", 50)}


def track(person: int, verdict: Verdict = Verdict.DUB) -> Track:
    return Track(person, "member 0", None, False, verdict.value, None, 0.9, 50, 50, 0)


def shot(*dubbed: int, **changes: Any) -> Judged:
    """One in which the left person speaks."""
    facts = {"speakers": frozenset({0}), "ambiguous": False, "found": True, "tracks": [track(who) for who in dubbed]}
    return Judged(kind="left speaks", name="film/0", **(facts | changes))


def held(shots: list[Judged], found: set[tuple[str, int]] = CUTS) -> list[bool]:
    return [one.holds for one in claims(shots, found, CUTS, least=0.9)]


def test_nine_of_ten_dubbed_whole_are_enough_and_eight_are_not() -> None:
    waiting = shot(tracks=[track(0, Verdict.REVIEW)])
    assert held([shot(0)] * 9 + [waiting]) == [True, True, True]
    assert held([shot(0)] * 8 + [waiting] * 2) == [True, True, False]


@pytest.mark.parametrize("wrong", [shot(1), shot(0, 1), shot(0, ambiguous=True), shot(0, speakers=frozenset())])
def test_one_wrong_face_is_too_many(wrong: Judged) -> None:
    assert held([shot(0)] * 20 + [wrong])[0] is False


def test_who_is_left_where_nobody_can_be_sure_is_no_miss() -> None:
    assert held([shot(0), shot(ambiguous=True), shot(speakers=frozenset())]) == [True, True, True]


@pytest.mark.parametrize("found", [{("film", 0)}, CUTS | {("film", 70)}])
def test_a_cut_that_is_missed_or_added_fails(found: set[tuple[str, int]]) -> None:
    assert held([shot(0)], found) == [True, False, True]


def test_no_shot_at_all_proves_nothing() -> None:
    assert [one.holds for one in claims([], set(), set(), least=0.9)] == [False, False, False]


@pytest.mark.parametrize(("watched_s", "holds"), [(2.9, True), (3.1, False)])
def test_the_median_of_rounds_is_held_to_the_bound(watched_s: float, holds: bool) -> None:
    taken = [(1.0, 0.5, 9.0), (1.0, 0.5, watched_s), (1.0, 0.5, 1.0)]
    found = claim(taken, most=3.0, grain=1.5, mbit_s=11.0)
    assert found.holds is holds
    assert "11.0 Mbit/s (grain 1.5)" in found.told


def test_what_fails_is_said_and_fails_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert not all_hold([Claim("a", "1", True), Claim("b", "2", False)])
    assert capsys.readouterr().out.splitlines() == ["holds: a: 1", "FAILS: b: 2"]


def test_more_memory_for_longer_work_fails_and_a_single_length_says_nothing() -> None:
    peaks = {"sound": {10: 1000.0, 120: 1199.0}, "watch": {1: 1000.0, 6: 1201.0}, "paint": {32: 500.0}}
    assert [(one.about, one.holds) for one in memory_claims(peaks)] == [("sound, 120", True), ("watch, 6", False)]


def test_words_that_are_late_or_in_which_aligners_disagree_fail() -> None:
    assert [one.holds for one in word_claims(0.9, 0.84)] == [True, False]
    assert [one.holds for one in word_claims(0.89, None)] == [False]
