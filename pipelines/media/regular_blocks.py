"""Sound in blocks of one size, whatever sizes it comes in."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def regular_blocks(blocks: Iterable[Floats], size: int) -> Iterator[Floats]:
    """The same samples [C, n] in blocks of one size, only the last one shorter."""
    held: list[Floats] = []
    num_held = 0
    for block in blocks:
        held.append(block)
        num_held += block.shape[1]
        if num_held >= size:
            joined = np.concatenate(held, axis=1)
            for start in range(0, num_held - size + 1, size):
                yield joined[:, start : start + size]
            held = [joined[:, num_held // size * size :]]
            num_held = held[0].shape[1]
    if num_held:
        yield np.concatenate(held, axis=1)
