"""Results come in order, one call ahead and no more, and an error comes where its result would have."""

from collections.abc import Iterator
from threading import Event

import pytest

from jobs.ahead import ahead, early


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


def test_the_first_item_is_worked_out_before_it_is_asked_for() -> None:
    began = Event()

    def items() -> Iterator[int]:
        began.set()
        yield from range(3)

    found = early(items())
    assert began.wait(5)
    assert list(found) == [0, 1, 2]
    assert list(early(iter([]))) == []


def test_what_breaks_the_first_item_is_raised_where_it_is_asked_for() -> None:
    def items() -> Iterator[int]:
        raise ValueError("first")
        yield 1

    found = early(items())
    with pytest.raises(ValueError, match="first"):
        next(found)
