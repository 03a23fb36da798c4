"""What lies before a mouth that is painted, pixel by pixel: a finger on the chin, the edge of a microphone.

Where much of a mouth is hidden nothing is painted (`pipelines.paint_spans`). What hides a part of it is taken out of
the mask, with a margin and a feather on the skin beside it, so that it stays as it was filmed.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from diff2lip.config import CropConfig
from pipelines.cover_network import COVER_CROP
from pipelines.face_crop import crop_frame
from pipelines.face_frame import apply, compose, face_to_crop, invert
from pipelines.mask import FACE_OVAL, OUTER_LIPS, Mask, MaskConfig, Rect
from pipelines.mouth_cover import BATCH, CoverMeter
from pipelines.painted_frame import PaintedFrame
from pipelines.torch_threads import one_thread

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
Matrix = NDArray[np.float64]

SIDE = COVER_CROP.size_px
PX_PER_UNIT = SIDE / COVER_CROP.width
LEAST = 0.15  # probability of the pixels of a thing that is sure elsewhere; on a free face hardly one has it
LEAST_ON_LIPS = 0.5  # the same where the mouth must change
SURE_PX = 8  # of a thing that is believed
REACH_PX = 3  # how far a thing is looked for beside the face
APART = 1.5  # times the usual step between frames: what lies further apart are two runs of painted frames
GAP_S, MOST_GAP_FRAMES = Fraction(1, 6), 20  # in which a thing that is there before and after is not missed
REACH_PX_S = 75  # how far a thing that is believed moves in a second
TOUCHING = np.ones((3, 3), bool)
NOTHING = bytes(SIDE * SIDE // 8)


class CoverMasks:
    """The frames of a track, seen once in their order, and then what of each is free."""

    def __init__(
        self, meter: CoverMeter, crop: CropConfig, config: MaskConfig, time_base: Fraction, size: tuple[int, int]
    ) -> None:
        """Nothing is seen yet.

        Args:
            meter: looks at them.
            crop: geometry of the crops.
            config: how surely a thing has to be there.
            time_base: seconds per pts tick.
            size: width and height of the film; beyond them and beyond a crop nothing is looked for.
        """
        self._meter, self._config, self._time_base, self._size_px = meter, config, time_base, crop.size_px
        self._to_cover = compose(face_to_crop(COVER_CROP), invert(face_to_crop(crop)))
        self._film, self._crop = _corners(*size), apply(self._to_cover, _corners(crop.size_px, crop.size_px))
        self._places: dict[int, int] = {}  # by pts, which rise
        self._hidden: dict[int, bytes] = {}  # by place: a bit a pixel, where there is any

    def see(self, frames: Iterable[tuple[int, PaintedFrame]]) -> None:
        """Look at the frames, each with its pts; with `least_cover` 1 none is asked for."""
        if self._config.least_cover == 1:
            return
        left = iter(frames)
        while some := list(islice(left, BATCH // 2)):
            self._see([pts for pts, _ in some], [frame for _, frame in some])

    @property
    def found(self) -> bool:
        """Whether anything was seen before the face, believed or not."""
        return bool(self._hidden)

    def free_crop(self, pts: int) -> Mask:
        """[S, S] the same as `free`, of the pixels of the crop."""
        return self.free(pts, np.eye(2, 3), Rect(0, 0, self._size_px, self._size_px))

    def free(self, pts: int, affine: Matrix, rect: Rect) -> Mask:
        """[height, width] of the rectangle: 1 where nothing lies before the face, 0 on what does.

        Args:
            pts: of a frame that was seen; of others everything is free.
            affine: [2, 3] film pixels to crop pixels.
            rect: which film pixels.
        """
        place = self._places.get(pts)
        softs = [] if place is None else [self._soft(self._within(at, place)) for at in (place - 1, place, place + 1)]
        if not any(soft.any() for soft in softs):
            return np.ones((rect.height, rect.width), np.float32)
        before, own, after = softs  # beside a run of frames that are painted, its end
        steady = np.maximum(own, (before + 2 * own + after) / 4)
        shift = compose(self._to_cover, affine)
        shift[:, 2] += shift[:, :2] @ (rect.x, rect.y)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        size = rect.width, rect.height
        warped = cv2.warpAffine(steady, shift, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(1 - warped.clip(0, 1), np.float32)

    def _see(self, pts: list[int], frames: list[PaintedFrame]) -> None:
        pictures = [crop_frame(frame.source, self._to_cover, SIDE) for frame in frames]
        mirrored = [np.ascontiguousarray(picture[:, ::-1]) for picture in pictures]
        with one_thread():
            told = self._meter.probabilities([*pictures, *mirrored]).max(1)
        for moment, frame, one, other in zip(pts, frames, told, told[len(frames) :], strict=False):
            place = self._places.setdefault(moment, len(self._places))
            outline = apply(compose(self._to_cover, frame.affine), frame.landmarks)
            seen = (one + other[:, ::-1]) / 2 * self._is_seen(frame.affine)
            hidden = hidden_pixels(seen, outline, self._config.least_cover)
            if hidden.any():
                self._hidden[place] = np.packbits(hidden).tobytes()

    def _is_seen(self, affine: Matrix) -> Bools:
        """[64, 64] where film is: beside it crops repeat its edge, in which the network sees things."""
        film = _filled(apply(compose(self._to_cover, affine), self._film))
        return np.asarray(film & _filled(self._crop))

    @cached_property
    def _runs(self) -> list[int]:
        """By place the number of its run; asked when all frames are seen."""
        far = np.diff(list(self._places)) > APART * self._step_pts
        return [0, *np.cumsum(far).tolist()]

    @cached_property
    def _step_pts(self) -> float:
        steps = np.diff(list(self._places))
        return float(np.median(steps)) if len(steps) else 0.0

    def _within(self, at: int, place: int) -> int:
        """The place `at` where it lies in the run of another place, else that one."""
        return at if self._run(at) == self._run(place) else place

    def _run(self, place: int) -> int:
        return self._runs[place] if 0 <= place < len(self._runs) else -1

    def _at(self, place: int, run: int) -> Bools:
        """What was seen in a frame; nothing in one that is not of the run."""
        bits = self._hidden.get(place) if self._run(place) == run else None
        return np.unpackbits(np.frombuffer(bits or NOTHING, np.uint8)).reshape(SIDE, SIDE).astype(bool)

    def _soft(self, place: int) -> Floats:
        step_s, run = float(self._step_pts * self._time_base), self._run(place)
        gap = min(MOST_GAP_FRAMES, max(1, round(float(GAP_S) / step_s))) if step_s else 1
        if not any(at in self._hidden for at in range(place - gap, place + gap + 1)):
            return np.zeros((SIDE, SIDE), np.float32)
        before = [self._at(place - step, run) for step in range(1, gap + 1)]
        after = [self._at(place + step, run) for step in range(1, gap + 1)]
        hidden = believed(before, self._at(place, run), after, max(1, round(REACH_PX_S * step_s)))
        if not hidden.any():
            return np.zeros((SIDE, SIDE), np.float32)
        away = cv2.distanceTransform((~hidden).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        margin, feather = self._config.cover_margin, max(self._config.cover_feather, 1e-3)
        t = np.clip((margin + feather - away / PX_PER_UNIT) / feather, 0, 1)
        return np.asarray(t * t * (3 - 2 * t), np.float32)


def hidden_pixels(probability: Floats, landmarks: Matrix, least_cover: float) -> Bools:
    """[64, 64] the things that surely lie before a face, each as far as it goes.

    Args:
        probability: [64, 64] that something hides a pixel.
        landmarks: [468, 2] in the same pixels.
        least_cover: from which probability on a pixel is surely hidden; a thing has `SURE_PX` of them.
    """
    face, lips = _filled(landmarks[list(FACE_OVAL)]), _filled(landmarks[list(OUTER_LIPS)])
    things, count = ndimage.label(probability > np.where(lips, LEAST_ON_LIPS, LEAST), TOUCHING)
    sure = (probability > least_cover) & ndimage.binary_dilation(face, iterations=REACH_PX)
    sizes = np.bincount(things[sure], minlength=count + 1)
    sizes[0] = 0
    return np.asarray((sizes >= SURE_PX)[things], np.bool_)


def believed(before: Sequence[Bools], own: Bools, after: Sequence[Bools], reach_px: int = REACH_PX) -> Bools:
    """[64, 64] the things of a frame that are near their place in the one before or after, without gaps in time.

    Args:
        before: [64, 64] of the frames before, the nearest first.
        own: of the frame.
        after: of the frames after, the nearest first; what some of them and some before it show is there between.
        reach_px: how far a thing may move from frame to frame.
    """
    things, count = ndimage.label(own, TOUCHING)
    near = ndimage.binary_dilation(before[0] | after[0], iterations=reach_px)
    known = np.bincount(things[near], minlength=count + 1) > 0
    known[0] = False
    missed = np.zeros_like(own)
    for away, one in enumerate(before):  # and together no more frames than these lie between both
        missed |= one & np.any(after[: len(before) - away], 0)
    return np.asarray(known[things] | missed, np.bool_)


def _corners(width_px: int, height_px: int) -> Matrix:
    """[4, 2] of a picture; pixel centres lie at integers."""
    right, low = width_px - 0.5, height_px - 0.5
    return np.array([(-0.5, -0.5), (right, -0.5), (right, low), (-0.5, low)])


def _filled(outline: Matrix) -> Bools:
    filled = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(filled, [outline.round().astype(np.int32)], 1)
    return filled > 0
