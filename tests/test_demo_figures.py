"""What is claimed of the demo fails where a shot is held back, unjudged, or measures too much."""

from typing import Any

import pytest

from benchmarks.demo_figures import claims

FIGURES = {"seam_ratio": 1.15, "flicker_ratio": 1.25}


def shot(*failed: str, **figures: float | None) -> dict[str, Any]:
    return {"tries": [{**FIGURES, **figures, "failed": list(failed)}]}


def held(dubbed: list[dict[str, Any]], own: list[dict[str, Any]]) -> list[bool]:
    return [claim.holds for claim in claims(dubbed, own)]


def test_four_of_five_shots_that_pass_and_figures_at_their_bounds_are_enough() -> None:
    assert held([shot()] * 4 + [shot("seam_ratio")], [shot()] * 3) == [True, True, True]


@pytest.mark.parametrize("dubbed", [[], [shot()] * 3 + [shot("sync_loss")], [shot()] * 3 + [{"tries": []}]])
def test_fewer_shots_that_pass_are_not(dubbed: list[dict[str, Any]]) -> None:
    assert held(dubbed, [shot()])[0] is False


@pytest.mark.parametrize(
    ("worst", "expected"),
    [
        (shot(seam_ratio=1.16), [False, True]),
        (shot(flicker_ratio=1.26), [True, False]),
        (shot(flicker_ratio=None), [True, False]),
        ({"tries": []}, [False, False]),
    ],
)
def test_one_shot_of_its_own_words_with_an_edge_or_a_tremor_is_too_many(
    worst: dict[str, Any], expected: list[bool]
) -> None:
    assert held([shot()], [shot(), worst])[1:] == expected


def test_no_shot_at_all_proves_nothing() -> None:
    assert held([], []) == [False, False, False]
