"""Calls made one ahead: while the result of one is used, the next is worked out beside it."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


def ahead(calls: Sequence[Callable[[], Result]]) -> Iterator[Result]:
    """The results in order; each call but the first begins when the result before it is handed out.

    An error of a call is raised where its result would have come. Whoever stops asking, as on Ctrl-C, is not kept
    waiting for a call that goes on: it ends with the process.
    """
    waiting = [begun(call) for call in calls[:1]]
    for index in range(len(calls)):
        result = waiting.pop().result()
        waiting = [begun(call) for call in calls[index + 1 : index + 2]]
        yield result


def early(items: Iterator[Result]) -> Iterator[Result]:
    """The same items; the first is asked for at once, beside whatever is done until it is wanted."""
    first = begun(lambda: list(islice(items, 1)))

    def handed_out() -> Iterator[Result]:
        yield from first.result()
        yield from items

    return handed_out()


def begun(call: Callable[[], Result]) -> "Future[Result]":
    """Run a call in a thread of its own; an executor's threads would be waited for when the process ends.

    Its result, or its error, is had of the future.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=run, name="ahead", daemon=True).start()
    return future
