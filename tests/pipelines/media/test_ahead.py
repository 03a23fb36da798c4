"""Items come in their order whoever makes them, errors with them, and nothing is made after the end."""

from collections.abc import Iterator
from threading import Event

import pytest

from pipelines.media.ahead import Ahead


def test_items_come_in_their_order_and_then_none() -> None:
    ahead = Ahead(range(50), 3, "test")

    assert [ahead.take() for _ in range(52)] == [*range(50), None, None]
    ahead.close()


def test_only_so_many_are_made_before_they_are_asked_for() -> None:
    made: list[int] = []
    is_full = Event()

    def items() -> Iterator[int]:
        for number in range(50):
            made.append(number)
            if number == 3:
                is_full.set()
            yield number

    ahead = Ahead(items(), 3, "test")

    assert is_full.wait(10)
    assert made == [0, 1, 2, 3]  # three wait, the fourth has no room
    ahead.close()
    assert len(made) <= 5


def test_an_error_comes_where_the_item_would() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no more sound")

    ahead = Ahead(items(), 3, "test")

    assert ahead.take() == 1
    with pytest.raises(ValueError, match="no more sound"):
        ahead.take()
    ahead.close()
