"""The channels of a take as the one voice that they hold."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.media.channel_pair import ALONE, least_live, pair_choice
from schemas.mix import StemChannel

Floats = NDArray[np.float32]

CENTRE = "FC"


def main_channel(channels: Floats, names: Sequence[str]) -> Floats:
    """[N] the voice of a take of more than two channels: its centre, else the first channel that is not silent.

    Args:
        channels: [C, N], finite.
        names: of each, as FFmpeg calls them.
    """
    levels = (channels - channels.mean(1, keepdims=True, dtype=np.float64)).std(1)
    live = [int(place) for place in np.flatnonzero(levels >= least_live(float(levels.max())))]
    centre = [place for place in live if names[place] == CENTRE]
    main: Floats = channels[[*centre, *live, 0][0]]
    return main


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
