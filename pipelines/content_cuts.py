"""Hard cuts, flashes and fades by PySceneDetect's detector and what it lacks, as the frames come.

Flashes and fast pans are no cuts, a fade through black is one. How long a flash lasts is a time, whatever the rate.
"""

from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.camera_move import CameraMove, move_between
from pipelines.cutaway import SHORTEST_S, is_cutaway
from pipelines.flash_window import FlashWindow
from pipelines.picture_light import is_relit, is_white

CONTENT_SIDE_PX = 256  # PySceneDetect's own working width: grain averages out, a cut does not
RETURNED = 0.4  # of the jump: so near to the picture before it is again
BLACK = 20  # codes that a black frame's samples stay below
BLACK_REST = 0.01  # of them may be brighter; letters on black are no black
REPEATED = 0.15  # of the jump: a picture so near to the one before is the same once more
RECENT_FRAMES = 4  # in which a camera is seen to move, of a film that shows each picture two or three times
JUMP = 12.0  # mean difference in codes of a picture that goes black at once

Bytes = NDArray[np.uint8]


@dataclass(slots=True)
class Black:
    """Watches for stretches of black. Each has one cut, unless the picture before comes back after a short one.

    The cut lies where the picture jumps into the black or out of it, else in its middle. A film that begins black only
    fades in, one that ends so only fades out.
    """

    window: FlashWindow
    begins_at: int | None = None
    _ends_at: int = -1_000_000
    _jumped_in: bool = False
    _before: Bytes | None = None  # a picture of before the black, bright if it faded
    _cut: int | None = None  # waits until it is seen whether the picture comes back
    _recent: deque[tuple[int, Bytes]] = field(default_factory=deque)  # numbers and pictures: the last, all of a flash

    @property
    def is_near(self) -> bool:
        """Whether it is black or was shortly before: jumps there are none of their own."""
        return self.begins_at is not None or self._ends_at >= self.window.first

    def take(self, index: int, small: Bytes) -> int | None:
        """The next frame, which the window has; a cut that is certain now."""
        while len(self._recent) > 1 and self._recent[0][0] < self.window.first:
            self._recent.popleft()
        is_settled = self._cut is not None and self.window.is_last_but_one(self._ends_at)
        certain = self._decided(small) if is_settled else None
        black = is_black(small)
        jumped = bool(self._recent) and _difference(self._recent[-1][1], small) > JUMP
        if black and self.begins_at is None:
            certain = self._cut if self._cut is not None else certain
            self._cut, self.begins_at, self._jumped_in = None, index, jumped
            self._before = self._recent[0][1] if self._recent else None
        elif not black and self.begins_at is not None:
            self._leave(index, jumped=jumped)
        self._recent.append((index, small))
        return certain

    @property
    def undecided_from(self) -> int | None:
        """First frame that may yet become a cut of black; None: none may."""
        if self._cut is not None:
            return self._cut
        return self.begins_at or None  # a film that begins black is not cut for it

    def end(self) -> int | None:
        """A cut that nothing speaks against any more."""
        if self.begins_at and self._jumped_in:
            return self.begins_at
        return self._cut

    def _leave(self, index: int, *, jumped: bool) -> None:
        begin, self.begins_at, self._ends_at = self.begins_at or 0, None, index
        if begin == 0:
            return
        self._cut = begin if self._jumped_in else index if jumped else (begin + index) // 2
        if begin < self.window.first:
            self._before = None  # too long for a flash

    def _decided(self, small: Bytes) -> int | None:
        cut, before, self._cut = self._cut, self._before, None
        came_back = before is not None and _difference(before, small) < RETURNED * float(before.mean())
        return None if came_back else cut


@dataclass(frozen=True, slots=True)
class _Jump:
    """A cut that may be the begin of a flash."""

    cut: int
    before: Bytes  # the frame before it
    at: Bytes  # the frame at the cut
    size: float  # how far the frame at the cut is from that
    is_moved: bool  # that frame is the one before it moved

    def is_over(self, small: Bytes, *, jumps: bool) -> bool:
        """Whether the picture before is back, also if the camera went on moving and it comes back at a jump."""
        if _difference(self.before, small) < RETURNED * self.size:
            return True
        move = move_between(self.before, small) if jumps and not self.is_moved else None
        return move is not None and move.rest < RETURNED * self.size


@dataclass(frozen=True, slots=True)
class _Moved:
    """A cut that is none if the camera goes on moving."""

    cut: int
    at: Bytes  # the frame at the cut
    move: CameraMove  # by which the camera came there
    step_pts: int  # in so long
    least: float  # difference of a picture that is not the same once more


@dataclass(frozen=True, slots=True)
class _Seen:
    """One of the last frames."""

    small: Bytes
    step_pts: int  # since the frame before it


class ContentCuts:
    """The cuts of the frames taken so far, by jumps in hue, saturation and brightness.

    After a flash the picture comes back: no cut; with a flash at a cut there is one. Where all is black for a while
    there is one (`Black`). The same picture moved is no cut where the camera moves so before it or after it; where it
    moved once it is one, as when an actor is filmed twice. So what a frame is may be known only after later ones:
    `certain` says up to where it is.
    """

    def __init__(self, time_base: Fraction, threshold: float | None = None, shortest: int = 1) -> None:
        """Nothing taken yet.

        Args:
            time_base: seconds per pts tick.
            threshold: of the jump; None is PySceneDetect's own.
            shortest: frames of a shot: a picture that is held for fewer before the one before it returns is none.
        """
        from scenedetect import ContentDetector, FrameTimecode

        # Our own min_shot_frames rule comes later: PySceneDetect's would move a cut that it merges.
        self._detector: Any = ContentDetector(
            min_scene_len=0, **({} if threshold is None else {"threshold": threshold})
        )
        self._timecode = FrameTimecode
        self.cuts: list[int] = []
        self._window, self._shortest = FlashWindow(time_base), shortest
        self._jumps: list[_Jump] = []  # in the window: with the next frame a flash may end
        self._black = Black(self._window)
        self._moved: list[_Moved] = []  # in the window, too
        self._recent: deque[_Seen] = deque(maxlen=RECENT_FRAMES)

    @property
    def num_frames(self) -> int:
        """Taken so far."""
        return self._window.num_frames

    @property
    def certain(self) -> int:
        """All cuts before this frame are known, and none of them will go."""
        calm, undecided = self._window.num_calm, self._black.undecided_from
        return calm if undecided is None else min(calm, undecided)

    @property
    def num_young(self) -> int:
        """So many frames, the last ones, wait for the end of a flash."""
        return self.num_frames - self._window.num_calm

    def take(self, pts: int, frame: Bytes) -> None:
        """The next frame, [H, W, 3] RGB; its `pts` lies after that of the one before."""
        index, small = self.num_frames, small_bgr(frame)
        self._window.take(pts)
        # The rate is a label that the detector asks for: only frame indices go in and out.
        jumps = bool(self._detector.process_frame(self._timecode(index, 25.0), small))
        self._jumps = [jump for jump in self._jumps if jump.cut >= self._window.first]
        self._tell_pans(small)
        returned = [one for one in self._jumps if one.is_over(small, jumps=jumps)]
        black_cut = self._black.take(index, small)
        if returned:
            self._come_back(returned[0], small, jumps=jumps)
        elif jumps and self._recent and not self._black.is_near:
            self._jump(index, small)
        if self._black.begins_at == index:
            self._drop(self._window.first)  # jumps of hue in what is nearly black
        if black_cut is not None:
            self.cuts = sorted({*self.cuts, black_cut})
        self._recent.append(_Seen(small, self._window.step_pts))

    def end(self) -> list[int]:
        """All cuts, when there are no more frames."""
        last = self._black.end()
        return self.cuts if last is None else sorted({*self.cuts, last})

    def _jump(self, index: int, small: Bytes) -> None:
        """A cut, if the camera does not move on as it came."""
        last = self._recent[-1].small
        if self._jumps and is_relit(self._jumps[-1].before, last):
            self._drop(self._jumps[-1].cut)  # a flash before the cut
        elif self._jumps and (is_white(last) or is_relit(last, small)):
            return  # the flash that a shot began with is over
        size, move = _difference(last, small), move_between(last, small)
        is_moved = move is not None and move.explains
        if move is not None and is_moved:
            if self._came_by(move, REPEATED * size):
                return
            self._moved.append(_Moved(index, small, move, self._window.step_pts, REPEATED * size))
        self.cuts.append(index)
        self._jumps.append(_Jump(index, last, small, size, is_moved))

    def _come_back(self, jump: _Jump, small: Bytes, *, jumps: bool) -> None:
        """The picture before a jump is there again: what lay between was a flash, or a shot that has two cuts."""
        last = self._recent[-1].small
        self._drop(jump.cut)
        is_long = self._window.since_s(jump.cut) >= SHORTEST_S and self.num_frames - 1 - jump.cut >= self._shortest
        if jumps and is_long and is_cutaway(jump.before, jump.at, last):
            self.cuts += [jump.cut, self.num_frames - 1]
            self._jumps.append(_Jump(self.num_frames - 1, last, small, _difference(last, small), is_moved=False))

    def _came_by(self, move: CameraMove, least: float) -> bool:
        """Whether the camera moved as much before: between the last frame and the one before that differs from it."""
        last, step_pts = self._recent[-1].small, self._window.step_pts
        for changed, before in pairwise(reversed(self._recent)):
            if _difference(before.small, last) >= least:
                came = move_between(before.small, last)
                return came is not None and move.goes_on(came, changed.step_pts / max(1, step_pts))
        return False

    def _tell_pans(self, small: Bytes) -> None:
        """Forget the cuts after which the camera moves on."""
        open_yet = [one for one in self._moved if one.cut >= self._window.first]
        told = [one for one in open_yet if _difference(one.at, small) >= one.least]
        self._moved = [one for one in open_yet if _difference(one.at, small) < one.least]
        for one in told:
            went = move_between(one.at, small)
            if went is not None and one.move.goes_on(went, self._window.step_pts / max(1, one.step_pts)):
                self.cuts = [cut for cut in self.cuts if cut != one.cut]

    def _drop(self, first: int) -> None:
        """Forget the cuts from a frame on."""
        self.cuts = [cut for cut in self.cuts if cut < first]
        self._jumps = [jump for jump in self._jumps if jump.cut < first]
        self._moved = [moved for moved in self._moved if moved.cut < first]


def _difference(one: Bytes, other: Bytes) -> float:
    return float(cv2.absdiff(one, other).mean())


def is_black(small: Bytes) -> bool:
    """Whether nothing, or next to nothing, is seen in a small picture."""
    return bool(np.count_nonzero(small >= BLACK) < BLACK_REST * small.size)


def small_bgr(frame: Bytes) -> Bytes:
    """A frame in the size in which cuts are looked for."""
    height, width = frame.shape[:2]
    scale = min(1.0, CONTENT_SIDE_PX / width)
    size = (round(width * scale), max(1, round(height * scale)))
    small = frame if size == (width, height) else cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2BGR), np.uint8)
