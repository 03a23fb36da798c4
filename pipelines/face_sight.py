"""What is kept of the pictures of a face that was found: to tell later who it is, and what hides its mouth.

So nobody has to decode a frame again for it. Of a long take it is a few pictures and two numbers a look.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # [H, W, 3] RGB
Floats = NDArray[np.float64]

LOOK_EVERY = 3  # frames: an eighth of a second
LOOKS_A_CHIP = 8  # about a second
NUM_CHIPS = 3  # to recognise a face by; one alone may have its eyes shut


@dataclass(slots=True)
class HiddenMouth:
    """How much of a mouth is hidden in one frame.

    Attributes:
        pts: the frame.
        shares: [2] by kind, 0..1; None until it is measured.
    """

    pts: int
    shares: Floats | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceSight:
    """Of one face in one frame.

    Attributes:
        turned_deg: how far the head looks away from the camera.
        chip: gives [150, 150, 3] to recognise it, while its frame is in memory; many are never asked for.
        mouth: what hides it.
    """

    turned_deg: float
    chip: Callable[[], Pixels]
    mouth: HiddenMouth


@dataclass(slots=True)
class TrackSights:
    """Of a face track: how its mouth was hidden at each look, and of each second the chip that looks ahead most."""

    mouths: list[HiddenMouth] = field(default_factory=list)
    _best: dict[int, tuple[float, Pixels]] = field(default_factory=dict)

    def add(self, sight: FaceSight) -> None:
        """The next look, in order of time."""
        second = len(self.mouths) // LOOKS_A_CHIP
        self.mouths.append(sight.mouth)
        if second not in self._best or sight.turned_deg < self._best[second][0]:
            self._best[second] = sight.turned_deg, sight.chip()

    def chips(self) -> list[Pixels]:
        """Those that show best who it is: of each third of the track the one that looks ahead most."""
        return [min(third, key=lambda one: one[0])[1] for third in _thirds(list(self._best.values()))]


def _thirds(chips: Sequence[tuple[float, Pixels]]) -> list[list[tuple[float, Pixels]]]:
    places = [part.tolist() for part in np.array_split(np.arange(len(chips)), NUM_CHIPS)]
    return [[chips[place] for place in part] for part in places if part]
