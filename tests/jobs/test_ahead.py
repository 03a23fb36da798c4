"""Results come in order, one call ahead and no more, and an error comes where its result would have."""

from threading import Event

import pytest

from jobs.ahead import ahead


def test_the_next_call_runs_while_a_result_is_used_and_no_further_one() -> None:
    began = [Event() for _ in range(4)]

    def call(index: int) -> int:
        began[index].set()
        return index

    results = ahead([lambda index=index: call(index) for index in range(4)])  # type: ignore[misc]
    assert next(results) == 0
    assert began[1].wait(5)
    assert not began[2].is_set()
    assert list(results) == [1, 2, 3]


def test_an_error_comes_after_the_results_before_it() -> None:
    def broken() -> int:
        raise ValueError("second")

    results = ahead([lambda: 1, broken, lambda: 3])
    assert next(results) == 1
    with pytest.raises(ValueError, match="second"):
        next(results)


def test_nothing_to_call_is_nothing_to_get() -> None:
    assert list(ahead([])) == []
