"""What is kept of the pictures of a face that was found: to tell later who it is, and what hides its mouth.

So nobody has to decode a frame again for it. Of a long take it is a small picture a second and two numbers a look, and
of each face that is still followed one whole frame.
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
        chip: gives [150, 150, 3] to recognise it, and keeps its frame in memory; most are never asked for.
        mouth: what hides it.
    """

    turned_deg: float
    chip: Callable[[], Pixels]
    mouth: HiddenMouth


@dataclass(slots=True)
class TrackSights:
    """Of a face track: how its mouth was hidden at each look, and of each second the chip that looks ahead most."""

    mouths: list[HiddenMouth] = field(default_factory=list)
    _best: FaceSight | None = None  # of this second; its frame is in memory
    _chips: list[tuple[float, Pixels]] = field(default_factory=list)  # of the seconds before

    def add(self, sight: FaceSight) -> None:
        """The next look, in order of time."""
        if len(self.mouths) % LOOKS_A_CHIP == 0:
            self.cut()
        self.mouths.append(sight.mouth)
        if self._best is None or sight.turned_deg < self._best.turned_deg:
            self._best = sight

    def chips(self) -> list[Pixels]:
        """Those that show best who it is: of each third of the track the one that looks ahead most."""
        self.cut()
        return [min(third, key=lambda one: one[0])[1] for third in _thirds(self._chips)]

    def cut(self) -> None:
        """Cut out the chip of the second that is over, or of a track that is: its frame is let go."""
        if self._best is not None:
            self._chips.append((self._best.turned_deg, self._best.chip()))
        self._best = None


def _thirds(chips: Sequence[tuple[float, Pixels]]) -> list[list[tuple[float, Pixels]]]:
    places = [part.tolist() for part in np.array_split(np.arange(len(chips)), NUM_CHIPS)]
    return [[chips[place] for place in part] for part in places if part]
