"""Which of the last frames lie so near to the newest that what began at them may be a flash that ends with it."""

from collections import deque
from fractions import Fraction
from itertools import takewhile

FLASH_S = Fraction(8, 25)  # a picture that comes back within so long was gone for a flash


class FlashWindow:
    """Measures flashes by the moments of frames, for a film may show them at any rate, and change it.

    A flash that began at a frame may end with the newest one where the middle between that and the frame before it
    lies within FLASH_S: at a constant rate that is FLASH_S rounded to frames. It may always end with the next frame.

    Attributes:
        num_frames: taken so far.
        first: number of the first frame at which a flash may have begun that ends with the newest.
        step_pts: from the frame before the newest to the newest; 0 of the first frame of all.
    """

    def __init__(self, time_base: Fraction) -> None:
        """Nothing taken yet; `time_base` is seconds per pts tick."""
        self._time_base, self._longest_halves = time_base, int(2 * FLASH_S / time_base)  # ticks halved
        self.num_frames = self.first = self.step_pts = 0
        self._pts: deque[int] = deque()  # of the frames from `first` on

    def take(self, pts: int) -> None:
        """The next frame; its `pts` lies after that of the one before."""
        self.step_pts = pts - self._pts[-1] if self._pts else 0
        self._pts.append(pts)
        self.num_frames += 1
        while len(self._pts) > 2 and 2 * (pts - self._pts[0]) - self.step_pts > self._longest_halves:
            self._pts.popleft()
            self.first += 1

    @property
    def num_calm(self) -> int:
        """So many frames lie so far back that no flash that began there is over only with a later frame."""
        return self.first + sum(1 for _ in takewhile(self._is_calm, self._pts))

    def since_s(self, number: int) -> Fraction:
        """From a frame, which is not before `first`, to the newest."""
        return (self._pts[-1] - self._pts[number - self.first]) * self._time_base

    def is_last_but_one(self, number: int) -> bool:
        """Whether, if frames go on as they came, one more at most lies within a flash that began at this frame."""
        if number < self.first:
            return True
        return 2 * (self._pts[-1] - self._pts[number - self.first]) + 3 * self.step_pts > self._longest_halves

    def _is_calm(self, pts: int) -> bool:
        return 2 * (self._pts[-1] - pts) >= self._longest_halves
