"""The two channels of a take as the one voice that they hold."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

DEAD_DBFS, DEAD_BELOW = -60.0, 0.01  # a channel is silent below this, and 40 dB below the other
MAX_OPPOSED = -0.5  # a correlation below this: their mean would cancel the voice


def one_channel(pair: Floats) -> tuple[Floats, bool]:
    """The mean of two channels, as loud as each where they are the same; of two of which one is silent the other.

    Args:
        pair: [2, N], finite.

    Returns:
        [N] mono, and whether the channels are of opposite phase; then it is the louder alone.
    """
    centred = pair - pair.mean(1, keepdims=True, dtype=np.float64)
    levels = np.sqrt(np.mean(centred**2, axis=1))
    strong = int(levels[1] > levels[0])
    weak = 1 - strong
    least = max(10 ** (DEAD_DBFS / 20), DEAD_BELOW * levels[strong])
    if levels[weak] < least <= levels[strong]:
        return pair[strong], False
    power = float(levels[0] * levels[1])
    opposed = power > 0 and float(np.mean(centred[0] * centred[1])) < MAX_OPPOSED * power
    return (pair[strong] if opposed else pair.mean(0)), opposed
