"""Which crop of a face track tells the model who speaks: a closed mouth, seen as the painted frame is seen.

A reference with the mouth of the frame itself would bring the old lips back, for the model keeps what it is
shown; one from another pose would smear. So the references are the frames whose mouth is closed most, and each
painted frame takes the one that looks most like it above the mask, without going back and forth between two.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

NUM_CANDIDATES = 8
CLOSED_SHARE = 0.15  # of a track's frames: those that are closed most
SWITCH_COST = 30.0  # mean square difference, in codes, that a change of the reference must win back

Crop = NDArray[np.uint8]  # [S, S, 3]
Crops = NDArray[np.uint8]  # [K, S, S, 3]


def choose_references(candidates: Crops, painted: Iterable[Crop], mask_row: int) -> list[int]:
    """The reference of each painted frame, as an index into the candidates.

    Minimises the sum of the differences above the mask plus `SWITCH_COST` for every change of the reference
    (Viterbi, "Error bounds for convolutional codes" (1967): the best path through frames x candidates).

    Args:
        candidates: [K, S, S, 3] source crops of the track's `closed_frames`.
        painted: source crops of the P frames to paint, in order of time; one is in memory at a time.
        mask_row: first row that is painted.

    Returns:
        P indices.
    """
    known = candidates[:, :mask_row].astype(np.float32)
    cost = [((known - crop[:mask_row].astype(np.float32)) ** 2).mean((1, 2, 3)) for crop in painted]
    return _cheapest_path(np.stack(cost))


def closed_frames(openings: NDArray[np.float32]) -> NDArray[np.int64]:
    """Frames among those closed most, spread over the track: at most `NUM_CANDIDATES`, ascending."""
    count = max(1, round(len(openings) * CLOSED_SHARE))
    closed = np.sort(np.argsort(openings, kind="stable")[:count])
    spread = np.linspace(0, len(closed) - 1, min(NUM_CANDIDATES, len(closed))).round().astype(np.int64)
    return closed[spread]


def _cheapest_path(cost: NDArray[np.float32]) -> list[int]:
    """The column of each row, [P, K] costs, with `SWITCH_COST` between rows of different columns."""
    total, came_from = cost[0].copy(), np.zeros(cost.shape, np.int64)
    for row in range(1, len(cost)):
        best = int(total.argmin())
        stays = total <= total[best] + SWITCH_COST
        came_from[row] = np.where(stays, np.arange(cost.shape[1]), best)
        total = np.where(stays, total, total[best] + SWITCH_COST) + cost[row]
    path = [int(total.argmin())]
    for row in range(len(cost) - 1, 0, -1):
        path.append(int(came_from[row, path[-1]]))
    return path[::-1]
