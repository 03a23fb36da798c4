"""How many dissolves between shots of real clips are found, by each detector, for each length.

    python -m benchmarks.dissolves [--detector content] [--every 1]

Clips are joined in pairs, of which every so many-th is looked at, by a dissolve of 8, 12 and 24 frames, and by a cut
(0), at 25 frames a second. A dissolve is found where one cut lies in it, or beside it by two frames, and split where
several do.
"""

import argparse
from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.assets import asset_path
from pipelines.cuts import DETECTORS
from pipelines.media.picture import rgb_frames
from pipelines.shots import ShotConfig, keep_apart

CLIPS = ("clip-obama-speech", "clip-jwp-intro", "clip-test-movie", "clip-wolfgang", "clip-single-face", "clip-no-face")
SIZE_PX = (256, 144)
LENGTHS = (0, 8, 12, 24)
SHOT_FRAMES = 45
BESIDE_FRAMES = 2

Bytes = NDArray[np.uint8]


def clip(name: str) -> list[Bytes]:
    """The first frames of a clip, back and forth where it is short."""
    frames: list[Bytes] = []
    for _, frame in rgb_frames(asset_path(name), 0, 1 << 40, SIZE_PX[0]):
        frames.append(np.asarray(cv2.resize(frame, SIZE_PX, interpolation=cv2.INTER_AREA), np.uint8))
        if len(frames) == SHOT_FRAMES:
            break
    while len(frames) < SHOT_FRAMES:
        frames += frames[::-1]
    return frames[:SHOT_FRAMES]


def joined(one: list[Bytes], other: list[Bytes], length: int) -> Iterator[Bytes]:
    """Two shots of which the last and the first frames lie over each other."""
    yield from one[: len(one) - length]
    for step in range(length):
        share = (step + 1) / (length + 1)
        yield cv2.addWeighted(one[len(one) - length + step], 1 - share, other[step], share, 0).astype(np.uint8)
    yield from other[length:]


def cuts_between(frames: list[Bytes], length: int, detector: str) -> tuple[int, int]:
    """How many cuts lie in the dissolve, and how many elsewhere."""
    found = DETECTORS[detector](enumerate(frames), None, Fraction(1, 25), 3)
    cuts = keep_apart(found, len(frames), ShotConfig().min_shot_frames)
    first, last = SHOT_FRAMES - length - BESIDE_FRAMES, SHOT_FRAMES + BESIDE_FRAMES
    inside = sum(first <= cut <= last for cut in cuts)
    return inside, len(cuts) - inside


def main() -> None:
    """Prints a table: of all pairs, found, split and missed, and cuts elsewhere."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detector", choices=sorted(DETECTORS), default="content")
    parser.add_argument("--every", type=int, default=1)
    chosen = parser.parse_args()
    pairs = list(permutations([clip(name) for name in CLIPS], 2))[:: chosen.every]
    print("| frames | pairs | found | split | missed | cuts elsewhere |\n|---|---|---|---|---|---|")
    for length in LENGTHS:
        told = [cuts_between([*joined(*pair, length)], length, chosen.detector) for pair in pairs]
        found, split = (sum(test(inside) for inside, _ in told) for test in ((1).__eq__, (1).__lt__))
        row = (length, len(told), found, split, len(told) - found - split, sum(more for _, more in told))
        print("|" + "|".join(f" {cell} " for cell in row) + "|", flush=True)


if __name__ == "__main__":
    main()
