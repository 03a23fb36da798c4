"""Calls made one ahead: while the result of one is used, the next is worked out beside it."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def ahead(calls: Sequence[Callable[[], Result]]) -> Iterator[Result]:
    """The results in order; each call but the first begins when the result before it is handed out.

    An error of a call is raised where its result would have come.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="ahead")
    try:
        waiting = pool.submit(calls[0]) if calls else None
        for call in [*calls[1:], None]:
            if waiting is None:
                return
            result = waiting.result()
            waiting = pool.submit(call) if call else None
            yield result
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
