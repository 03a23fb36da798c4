"""What is claimed of lags that are found fails where a sure one is wrong, and where long dubs are slow or large."""

import pytest

from benchmarks.align import Found, claims_of_cases, claims_of_films, claims_of_processes

RIGHT: Found = {"is_sure": True, "lag_error_s": 1e-3, "rate_error": 20e-6}


@pytest.mark.parametrize(
    ("case", "holds"),
    [
        ({}, True),
        ({"lag_error_s": 1.1e-3}, False),
        ({"rate_error": 21e-6}, False),
        ({"is_sure": False, "lag_error_s": 1.0}, True),
    ],
)
def test_a_sure_case_that_is_wrong_is_one_too_many(case: Found, holds: bool) -> None:
    assert [claim.holds for claim in claims_of_cases([RIGHT, RIGHT | case])] == [holds]


def test_cases_of_which_none_is_sure_prove_nothing() -> None:
    assert [claim.holds for claim in claims_of_cases([RIGHT | {"is_sure": False}])] == [False]


@pytest.mark.parametrize("case", [{"is_sure": False}, {"lag_error_s": 1.0}])
def test_a_film_with_some_music_must_be_found_and_one_of_a_loop_must_not_be_sure(case: Found) -> None:
    unsure: Found = RIGHT | {"is_sure": False}

    assert [claim.holds for claim in claims_of_films([RIGHT], [unsure])] == [True, True]
    assert [claim.holds for claim in claims_of_films([RIGHT, RIGHT | case], [unsure, RIGHT])] == [False, False]


@pytest.mark.parametrize(
    ("seconds", "most_mib", "holds"),
    [(300.0, 115.0, [True, True]), (301.0, 115.0, [False, True]), (300.0, 116.0, [True, False])],
)
def test_long_dubs_are_made_ready_fast_and_in_constant_memory(
    seconds: float, most_mib: float, holds: list[bool]
) -> None:
    took = {("heard", 10): {"seconds": 90.0, "most_mib": 100.0}, ("heard", 100): {"seconds": seconds}}
    took["heard", 100]["most_mib"] = most_mib

    assert [claim.holds for claim in claims_of_processes(took)] == holds


def test_of_short_dubs_alone_nothing_is_claimed() -> None:
    assert claims_of_processes({("heard", 10): {"seconds": 900.0, "most_mib": 100.0}}) == []
