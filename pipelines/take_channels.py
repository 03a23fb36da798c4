"""The two channels of a take as the one voice that they hold."""

import numpy as np
from numpy.typing import NDArray

from pipelines.media.channel_pair import ALONE, pair_choice
from schemas.mix import StemChannel

Floats = NDArray[np.float32]


def one_channel(pair: Floats) -> tuple[Floats, bool]:
    """The mean of two channels, as loud as each where they are the same; of two of which one is silent the other.

    Args:
        pair: [2, N], finite.

    Returns:
        [N] mono, and whether the channels are of opposite phase; then it is the louder alone.
    """
    centred = pair - pair.mean(1, keepdims=True, dtype=np.float64)
    found = pair_choice(np.mean(centred**2, axis=1), float(np.mean(centred[0] * centred[1])))
    heard = pair.mean(0) if found.channel is StemChannel.MEAN else pair[ALONE.index(found.channel)]
    return heard, found.opposed
