"""What hides a mouth, frame by frame: a hand, a microphone, a title. What is hidden must not be painted over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.cover_network import COVER_CROP, KINDS, CoverNetwork, load_cover_network
from pipelines.face_crop import crop_frame
from pipelines.face_frame import apply, crop_affine
from pipelines.face_sight import HiddenMouth
from pipelines.mask import FACE_OVAL

Pixels = NDArray[np.uint8]  # [H, W, 3] RGB
Floats = NDArray[np.float64]

BATCH = 8  # always padded to it: a result does not depend on what else is looked at
MOUTH_TOP = 0.6  # of the face frame: a mouth is painted from between nose and upper lip down
HIDDEN = 0.5  # from this probability on a pixel is hidden


@dataclass(frozen=True, slots=True)
class CoverView:
    """A mouth as the network looks at it.

    Attributes:
        pts: the frame.
        picture: [64, 64, 3] RGB.
        painted: [64, 64] where the face's lower part is, which would be painted.
    """

    pts: int
    picture: Pixels
    painted: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CoverSpan:
    """Frames in which something hides a mouth."""

    start_pts: int
    end_pts: int
    kind: str  # a `Cover`


class CoverMeter:
    """Measures how much of a mouth is hidden. The network is loaded with the first mouth."""

    def shares(self, views: Sequence[CoverView]) -> Floats:
        """[N, 2] how much of what would be painted each of `KINDS` hides, 0..1."""
        batches = [views[first : first + BATCH] for first in range(0, len(views), BATCH)]
        return np.array([share for batch in batches for share in self._shares(batch)]).reshape(-1, len(KINDS))

    def _shares(self, views: Sequence[CoverView]) -> Iterator[Floats]:
        hidden = self.probabilities([view.picture for view in views]) > HIDDEN
        for view, planes in zip(views, hidden, strict=True):
            yield (planes & view.painted).sum((1, 2)) / max(1, view.painted.sum())

    @torch.inference_mode()
    def probabilities(self, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
        """[N, 2, 64, 64] how likely each of `KINDS` hides a pixel.

        Args:
            pictures: N of [64, 64, 3] RGB, `BATCH` at most, cut by `COVER_CROP`.
        """
        pixels = np.zeros((BATCH, COVER_CROP.size_px, COVER_CROP.size_px, 3), np.uint8)
        pixels[: len(pictures)] = pictures
        inputs = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
        return np.asarray(self._network(inputs).sigmoid().numpy()[: len(pictures)], np.float32)

    @cached_property
    def _network(self) -> CoverNetwork:
        return load_cover_network()


class CoverQueue:
    """Measures mouths in batches as they come; a batch of their pictures is held at most."""

    def __init__(self, meter: CoverMeter) -> None:
        self._meter = meter
        self._waiting: list[tuple[CoverView, HiddenMouth]] = []

    def add(self, view: CoverView) -> HiddenMouth:
        """The next mouth; what comes back is filled in once its batch is full."""
        mouth = HiddenMouth(view.pts)
        self._waiting.append((view, mouth))
        if len(self._waiting) == BATCH:
            self.measure()
        return mouth

    def measure(self) -> None:
        """Measure those that wait: after the last one."""
        for shares, (_, mouth) in zip(
            self._meter.shares([view for view, _ in self._waiting]), self._waiting, strict=True
        ):
            mouth.shares = shares
        self._waiting = []


def cover_view(pts: int, frame: Pixels, landmarks: Floats) -> CoverView:
    """The mouth of one frame.

    Args:
        pts: of the frame.
        frame: [H, W, 3] RGB.
        landmarks: [468, 2] face mesh in pixels of it.
    """
    affine, side = crop_affine(landmarks, COVER_CROP), COVER_CROP.size_px
    oval = np.zeros((side, side), np.uint8)
    cv2.fillPoly(oval, [apply(affine, landmarks[list(FACE_OVAL)]).round().astype(np.int32)], 1)
    oval[: round((MOUTH_TOP - COVER_CROP.top) / COVER_CROP.width * side)] = 0
    return CoverView(pts, crop_frame(frame, affine, side), oval.astype(bool))


def cover_spans(
    pts: Sequence[int],
    shares: Floats,
    least: float,
    track_pts: tuple[int, int],
    kinds: Sequence[str] = KINDS,
) -> list[CoverSpan]:
    """Where something hides a mouth: from after the last view that was free to the next one.

    Args:
        pts: when it was viewed, ascending.
        shares: [N, K] of K kinds, 0..1; a view that differs from both beside it is not believed.
        least: the share from which on a mouth is hidden.
        track_pts: begin and end of the track.
        kinds: K names.
    """
    if not len(pts):
        return []
    calm = np.sort(np.stack([_shifted(shares, -1), shares, _shifted(shares, 1)]), 0)[1]
    spans = []
    for kind, name in enumerate(kinds):
        hidden = np.concatenate([[False], calm[:, kind] >= least, [False]])
        edges = np.flatnonzero(np.diff(hidden.astype(int)))
        for first, after in zip(edges[::2], edges[1::2], strict=True):
            start = track_pts[0] if first == 0 else pts[first - 1] + 1
            spans.append(CoverSpan(start, pts[after] if after < len(pts) else track_pts[1], name))
    return sorted(spans, key=lambda span: (span.start_pts, span.kind))


def _shifted(shares: Floats, by: int) -> Floats:
    """The shares of the views before or after; at an end its own."""
    places = np.clip(np.arange(len(shares)) + by, 0, len(shares) - 1)
    return shares[places]
