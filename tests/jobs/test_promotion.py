"""A challenger wins only if it is surely better and nothing that guards is worse; the reason is always said."""

from typing import Any

import pytest

from jobs.promotion import ChallengeSettings, decide

PEOPLE = 12


def rows(psnr_db: float, **changes: Any) -> list[dict[str, Any]]:
    """HELD_FIGURES of twelve people, each a little different."""
    figures = {
        "leakage": 0.1,
        "flicker_ratio": 1.0,
        "opening_correlation": 0.8,
        "identity_distance": 0.2,
        **changes,
    }
    spread = [0.02 * (index % 5 - 2) for index in range(PEOPLE)]
    return [
        {"name": f"{index}", "identity": f"id{index}", "mouth_psnr_db": psnr_db + 3 * wide}
        | {name: None if value is None else value + wide for name, value in figures.items()}
        for index, wide in enumerate(spread)
    ]


def test_one_that_is_surely_better_is_promoted_with_its_gain() -> None:
    decision = decide(rows(20.0), rows(20.5), ChallengeSettings())

    assert decision.promoted
    assert decision.reason.startswith(
        "better: mouth_psnr_db 19.985 -> 20.485, gain +0.500 [+0.500, +0.500] over 12 people"
    )
    assert decision.comparisons[0].measure == "mouth_psnr_db"


def test_one_that_may_be_better_by_chance_is_not() -> None:
    before, after = rows(20.0), rows(20.0)
    for index, row in enumerate(after):
        row["mouth_psnr_db"] += 0.1 + (1 if index % 2 else -1)

    decision = decide(before, after, ChallengeSettings())

    assert not decision.promoted
    assert decision.reason.startswith("not surely better: mouth_psnr_db")


@pytest.mark.parametrize(
    ("measure", "value"),
    [("leakage", 0.2), ("flicker_ratio", 1.2), ("identity_distance", 0.3), ("opening_correlation", 0.7)],
)
def test_each_guard_objects_by_its_name(measure: str, value: float) -> None:
    decision = decide(rows(20.0), rows(21.0, **{measure: value}), ChallengeSettings())

    assert not decision.promoted
    assert decision.reason.startswith(f"worse: {measure}")


def test_a_guard_that_gets_better_is_no_objection_and_one_without_figures_is_named() -> None:
    decision = decide(
        rows(20.0, identity_distance=None), rows(21.0, leakage=0.0, identity_distance=None), ChallengeSettings()
    )

    assert decision.promoted
    assert decision.unmeasured == ["identity_distance"]


@pytest.mark.parametrize("measure", ["leakage", "flicker_ratio", "identity_distance", "opening_correlation"])
def test_what_can_be_measured_no_more_is_no_gain(measure: str) -> None:
    """A mouth so broken that no face is found has no leakage; the champion's had."""
    after = rows(21.0)
    after[3][measure] = None

    decision = decide(rows(20.0), after, ChallengeSettings())

    assert not decision.promoted
    assert decision.reason == f"worse: {measure} cannot be measured any more of 3"


def test_what_could_not_be_measured_of_the_champion_is_no_objection() -> None:
    before = rows(20.0)
    before[3]["leakage"] = None

    assert decide(before, rows(21.0), ChallengeSettings()).promoted


def test_too_few_people_decide_nothing() -> None:
    decision = decide(rows(20.0)[:5], rows(25.0)[:5], ChallengeSettings())

    assert not decision.promoted
    assert decision.reason.startswith("undecided: fewer than 6 held-out people")


def test_models_that_were_measured_on_different_lists_are_not_compared() -> None:
    with pytest.raises(ValueError, match="not measured on the same list"):
        decide(rows(20.0), rows(21.0)[:-1], ChallengeSettings())


def test_a_guard_that_was_measured_of_few_people_still_objects() -> None:
    """Mouths of five people moved; of the others nothing is said."""
    before, after = rows(20.0), rows(21.0, opening_correlation=0.1)
    for index in range(5, PEOPLE):
        before[index]["opening_correlation"] = after[index]["opening_correlation"] = None

    decision = decide(before, after, ChallengeSettings())

    assert not decision.promoted
    assert decision.reason.startswith("worse: opening_correlation 0.800 -> 0.100")
    assert decision.hardly_measured == ["opening_correlation"]
    assert decision.unmeasured == []
