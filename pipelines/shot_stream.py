"""The frames of a film sorted into its shots as they come: each as soon as it is certain in which one it lies."""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Generic, TypeVar

from pipelines.content_cuts import Bytes, ContentCuts

HELD_FRAMES = 24  # with their pictures, and a shortest shot more: so many wait in a long black alone

Held = TypeVar("Held")
Again = Callable[[int, int], Iterable[Held]]  # the pictures of a span of frames, read once more
Taken = tuple[int, Bytes, Held]  # pts, the picture to look for cuts in [h, w, 3] RGB, and what is wanted of the frame


@dataclass(frozen=True, slots=True)
class ShotFrame(Generic[Held]):
    """A frame that is certain to lie in a shot.

    Attributes:
        shot: number of the shot, from 0.
        pts: of the frame.
        picture: what came with it.
    """

    shot: int
    pts: int
    picture: Held


@dataclass(slots=True)
class _Waiting(Generic[Held]):
    """A frame of which it is not certain yet in which shot it lies."""

    pts: int
    pictures: list[Held]  # its own, or none where it has to be read again


class ShotStream(Generic[Held]):
    """Sorts frames into shots: into those that `detect_shots` finds in all frames at once.

    A frame waits for those of the next third of a second, for a flash is told by what comes after it. Where it is
    black for long, the pictures of most that wait are let go, and read again when they are certain.
    """

    def __init__(
        self, min_shot_frames: int, time_base: Fraction, again: Again[Held], threshold: float | None = None
    ) -> None:
        """Nothing taken yet.

        Args:
            min_shot_frames: of cuts that are nearer the earlier one counts.
            time_base: seconds per pts tick.
            again: reads the pictures of the frames in [start, end) pts once more.
            threshold: of a jump; None is the detector's own.
        """
        self._min_shot_frames, self._again = min_shot_frames, again
        self._cuts = ContentCuts(time_base, threshold, min_shot_frames)
        self._waiting: deque[_Waiting[Held]] = deque()
        self._next = 0  # number of the first frame that waits
        self._shot = self._shot_begin = 0

    def frames(self, taken: Iterable[Taken[Held]]) -> Iterator[ShotFrame[Held]]:
        """All frames in order, each with its shot.

        Args:
            taken: all frames, in display order.
        """
        for pts, small, picture in taken:
            self._cuts.take(pts, small)
            # At a high rate more wait for the end of a flash: each of these would be read again by itself.
            is_held = len(self._waiting) < max(HELD_FRAMES, self._cuts.num_young) + self._min_shot_frames
            self._waiting.append(_Waiting(pts, [picture] if is_held else []))
            # A cut needs so many frames behind it, too.
            yield from self._certain(
                self._cuts.cuts, min(self._cuts.certain, self._cuts.num_frames - self._min_shot_frames + 1)
            )
        yield from self._certain(self._cuts.end(), self._cuts.num_frames)

    def _certain(self, cuts: list[int], until: int) -> Iterator[ShotFrame[Held]]:
        """The frames that wait before frame `until`."""
        ready = [self._waiting.popleft() for _ in range(self._next, until)]
        for waited, picture in self._with_pictures(ready):
            if self._is_cut(cuts):
                self._shot, self._shot_begin = self._shot + 1, self._next
            self._next += 1
            yield ShotFrame(self._shot, waited.pts, picture)

    def _is_cut(self, cuts: list[int]) -> bool:
        """Whether a shot begins at the next frame: the rule of `keep_apart`."""
        place, shortest = bisect_left(cuts, self._next), self._min_shot_frames
        is_near = min(self._next - self._shot_begin, self._cuts.num_frames - self._next) < shortest
        return place < len(cuts) and cuts[place] == self._next and not is_near

    def _with_pictures(self, ready: list[_Waiting[Held]]) -> Iterator[tuple[_Waiting[Held], Held]]:
        for is_held, run in groupby(ready, key=lambda waited: bool(waited.pictures)):
            waited = list(run)
            again = [] if is_held else self._again(waited[0].pts, waited[-1].pts + 1)
            yield from zip(waited, (one.pictures[0] for one in waited) if is_held else again, strict=True)
