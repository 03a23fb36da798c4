"""Which of two channels hold one voice: both, or one alone where the other is dead or of opposite phase."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.mix import StemChannel

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

DEAD_DBFS, DEAD_BELOW = -60.0, 0.01  # a channel is silent below this, and 40 dB below the other
MAX_OPPOSED = -0.5  # a correlation below this: their mean would cancel the voice
STEPS_A_SECOND = 10
ALONE = (StemChannel.LEFT, StemChannel.RIGHT)


@dataclass(frozen=True, slots=True)
class PairChoice:
    """What of two channels is heard as one, and whether they are of opposite phase: the reason, beside a dead one."""

    channel: StemChannel
    opposed: bool = False


def pair_choice(powers: Doubles, product: float) -> PairChoice:
    """The mean of two channels; of two of which one is dead the other, and of opposed ones the louder.

    Args:
        powers: [2] mean squares without the channels' own means, full scale 1.
        product: the mean of the products of the same samples.
    """
    levels = np.sqrt(powers)
    strong = int(levels[1] > levels[0])
    least = least_live(float(levels[strong]))
    if levels[1 - strong] < least <= levels[strong]:
        return PairChoice(ALONE[strong])
    power = float(levels[0] * levels[1])
    opposed = power > 0 and product < MAX_OPPOSED * power
    return PairChoice(ALONE[strong] if opposed else StemChannel.MEAN, opposed)


def least_live(strongest: float) -> float:
    """The level (root mean square, full scale 1) below which a channel is dead beside one of that level."""
    return max(10 ** (DEAD_DBFS / 20), DEAD_BELOW * strongest)


class PairMeter:
    """Hears two channels block by block; what counts is where one of them is above -60 dBFS, in steps of 0.1 s.

    Args:
        sample_rate_hz: of the blocks.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self._step = max(1, sample_rate_hz // STEPS_A_SECOND)
        self._powers, self._product, self._num_steps = np.zeros(2), 0.0, 0

    def hear(self, block: Floats) -> None:
        """Take in [2, n] finite samples; what is left over of the last step counts as one."""
        size = block.shape[1] // self._step * self._step
        for part in (block[:, :size].reshape(2, -1, self._step), block[:, None, size:]):
            if part.size:
                self._hear_steps(part.astype(np.float64))

    def choice(self) -> PairChoice:
        """What is heard of what came; the mean of silence."""
        if not self._num_steps:
            return PairChoice(StemChannel.MEAN)
        return pair_choice(self._powers / self._num_steps, self._product / self._num_steps)

    def _hear_steps(self, steps: Doubles) -> None:
        """[2, K, n] of K steps."""
        centred = steps - steps.mean(2, keepdims=True)
        powers = np.square(centred).mean(2)
        heard = powers.max(0) >= 10 ** (DEAD_DBFS / 10)
        self._powers += powers[:, heard].sum(1)
        self._product += float((centred[0] * centred[1]).mean(1)[heard].sum())
        self._num_steps += int(heard.sum())
