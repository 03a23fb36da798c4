"""How many threads torch sums with."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager


def one_thread() -> AbstractContextManager[None]:
    """One torch thread: sums in one order, so every machine of a kind and every actor gets the same numbers."""
    return fixed_threads(1)


@contextmanager
def fixed_threads(number: int) -> Iterator[None]:
    """So many torch threads, however many cores there are: the same numbers everywhere, as from one thread."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
