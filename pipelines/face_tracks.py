"""Faces over frames to face tracks, and tracks to smooth affines: pure functions, no detector.

Times are pts of one film; smoothing counts in seconds, because frames need not be evenly spaced.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from diff2lip.config import CropConfig
from pipelines.detection import overlap
from pipelines.face_config import TrackConfig
from pipelines.face_frame import mouth_opening, rigid_crop_affine, rigid_points
from pipelines.face_sight import FaceSight, TrackSights

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Look = NDArray[np.float32]

LOOK_WEIGHT = 0.5  # of the likeness of looks beside an overlap of boxes
RECENT = 6  # frames by which it is told how a face moves
FITTED_AT_ONCE = 1024  # frames: a take of hours is fitted in little memory
NO_PAIR = -1e3  # worse than any pair that may be


@dataclass(frozen=True, slots=True)
class Face:
    """One face in one frame, in film pixels."""

    box: Floats  # [4] x0 y0 x1 y1
    score: float  # of the detector, 0..1
    landmarks: Floats  # [468, 2]
    look: Look | None = None  # [L] how it looks (`face_look`): tells people apart who pass each other
    sight: FaceSight | None = None  # of some frames


def enlarged(face: Face, by: Floats) -> Face:
    """A face in a picture that is larger by [2] factors across and down. Pixel centres lie at integers."""
    landmarks, box = (face.landmarks + 0.5) * by - 0.5, (face.box + 0.5) * np.tile(by, 2) - 0.5
    return replace(face, landmarks=landmarks, box=box)


@dataclass(slots=True)
class FaceTrack:
    """One person's face through a shot: where it was seen, in order of time."""

    pts: list[int] = field(default_factory=list)
    faces: list[Face] = field(default_factory=list)
    looks: Floats | None = None  # [L] the sum of its faces' looks
    sights: TrackSights = field(default_factory=TrackSights)

    def add(self, pts: int, face: Face) -> None:
        """The face was seen again; of its look only the sum is kept, of its sight what `TrackSights` keeps."""
        self.pts.append(pts)
        self.faces.append(replace(face, look=None, sight=None))
        if face.sight is not None:
            self.sights.add(face.sight)
        if face.look is not None:
            self.looks = np.asarray(face.look + (0.0 if self.looks is None else self.looks), np.float64)

    def likeness_of_look(self, face: Face) -> float:
        """How like the face is to those of the track, by their sum, -1..1; 0 where looks are unknown."""
        if face.look is None or self.looks is None:
            return 0.0
        return float(self.looks @ face.look / max(float(np.linalg.norm(self.looks)), 1e-9))

    def expected_box(self, pts: int) -> Floats:
        """[4] where the face should be at `pts`, had it moved on as over its last frames.

        Its middle goes on at the median pace, in the median size: the box of a face that is being hidden shrinks from
        one side, which is no motion.
        """
        boxes, times = np.stack([face.box for face in self.faces[-RECENT:]]), np.array(self.pts[-RECENT:], np.float64)
        if len(boxes) == 1:
            return self.faces[-1].box
        middles, sizes = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
        pace = np.median(np.diff(middles, axis=0) / np.diff(times)[:, None], axis=0)
        middle, half = middles[-1] + pace * (pts - self.pts[-1]), np.median(sizes, axis=0) / 2
        return np.concatenate([middle - half, middle + half])


@dataclass(frozen=True, kw_only=True, slots=True)
class SmoothTrack:
    """A track with something in each of its F frames, gaps bridged."""

    pts: list[int]
    detected: list[bool]  # False where a gap was bridged
    scores: Floats  # [F]
    boxes: Floats  # [F, 4], smoothed
    landmarks: Floats  # [F, 468, 2], smoothed
    openings: Floats  # [F], not smoothed
    affines: Floats  # [F, 2, 3], film pixels to crop pixels


def link_faces(frames: Iterable[tuple[int, Sequence[Face]]], max_gap_pts: int, min_overlap: float) -> list[FaceTrack]:
    """Tracks by first frame, then from left to right.

    Each frame's faces are given to the tracks so that the overlaps with the expected boxes and the likenesses of looks
    add up to the most: two who pass each other keep their tracks.

    Args:
        frames: pts and faces of each frame, in order of time.
        max_gap_pts: a track not seen for longer is over, but for one that the frame before shows.
        min_overlap: a face that overlaps less than this with all expected boxes begins a track.
    """
    tracks: list[FaceTrack] = []
    live: list[FaceTrack] = []
    before: int | None = None  # the frame before: however long it is shown, nothing is missing after it
    for pts, faces in frames:
        lasting: list[FaceTrack] = []
        for track in live:
            if before == track.pts[-1] or pts - track.pts[-1] <= max_gap_pts:
                lasting.append(track)
            else:
                track.sights.cut()
        live, before = lasting, pts
        taken = _assign(live, pts, faces, min_overlap)
        for face_index, face in sorted(enumerate(faces), key=lambda pair: float(pair[1].box[0])):
            if face_index in taken:
                taken[face_index].add(pts, face)
            else:
                tracks.append(FaceTrack())
                tracks[-1].add(pts, face)
                live.append(tracks[-1])
    return tracks


def _assign(live: list[FaceTrack], pts: int, faces: Sequence[Face], min_overlap: float) -> dict[int, FaceTrack]:
    """The track of each face that continues one, by face index."""
    if not live or not faces:
        return {}
    shares = np.array([[_likeness(track, pts, face) for face in faces] for track in live])
    fits = shares >= min_overlap
    contested = fits.sum(0).max() > 1 or fits.sum(1).max() > 1  # somewhere there is a choice
    looks = np.array([[track.likeness_of_look(face) if contested else 0.0 for face in faces] for track in live])
    gains = np.where(fits, shares + LOOK_WEIGHT * looks, NO_PAIR)
    pairs = zip(*linear_sum_assignment(-gains), strict=True)
    return {int(face): live[track] for track, face in pairs if shares[track, face] >= min_overlap}


def _likeness(track: FaceTrack, pts: int, face: Face) -> float:
    """Overlap with the expected box; half of that with the last one, for a face that stopped or turned back."""
    return max(overlap(track.expected_box(pts), face.box), overlap(track.faces[-1].box, face.box) / 2)


def smooth_track(
    track: FaceTrack, frame_pts: Sequence[int], time_base: Fraction, crop: CropConfig, config: TrackConfig
) -> SmoothTrack:
    """The track over all frames from its first to its last, calm, with the affine of each crop.

    Args:
        track: where the face was seen.
        frame_pts: pts of all frames of the shot, in order.
        time_base: seconds per pts tick.
        crop: the window to cut.
        config: how calm.
    """
    pts = list(frame_pts[bisect_left(frame_pts, track.pts[0]) : bisect_left(frame_pts, track.pts[-1]) + 1])
    seen = set(track.pts)
    times = np.array([float((at - pts[0]) * time_base) for at in pts])
    raw = _bridged(track, pts, np.stack([face.landmarks for face in track.faces]))
    boxes = _bridged(track, pts, np.stack([face.box for face in track.faces]))
    return SmoothTrack(
        pts=pts,
        detected=[at in seen for at in pts],
        scores=_bridged(track, pts, np.array([face.score for face in track.faces])),
        boxes=smooth(times, boxes, config.centre_sigma_s),
        landmarks=smooth(times, raw, config.landmarks_sigma_s),
        openings=np.array([mouth_opening(points) for points in raw]),
        affines=np.stack([rigid_crop_affine(points, crop) for points in _steady(times, rigid_points(raw), config)]),
    )


def _bridged(track: FaceTrack, pts: list[int], values: Floats) -> Floats:
    """Values at all of `pts`, straight lines over the gaps."""
    if len(pts) == len(track.pts):
        return values
    filled = np.empty((len(pts), *values.shape[1:]))
    for column, known in zip(filled.reshape(len(pts), -1).T, values.reshape(len(values), -1).T, strict=True):
        column[:] = np.interp(pts, track.pts, known)
    return filled


def _steady(times: Floats, points: Floats, config: TrackConfig) -> Floats:
    """[F, 10, 2] points for the crop's affine: scale and rotation calmed more than the place."""
    centres = points.mean(1, keepdims=True)
    shapes = smooth(times, points - centres, config.shape_sigma_s)
    return smooth(times, centres, config.centre_sigma_s) + shapes


def smooth(times: Floats, values: Floats, sigma_s: float) -> Floats:
    """Values [F, ...] without their tremor and without delay.

    Savitzky and Golay, "Smoothing and differentiation of data by simplified least squares procedures" (1964), for
    uneven times: at each frame the value of the parabola fitted to its surroundings, which weigh by a Gaussian of
    sigma_s (at least one frame). Motion of constant acceleration comes through unchanged, at the ends too.
    """
    if len(times) < 4:
        return values
    sigma = max(sigma_s, float(np.median(np.diff(times))))
    firsts = np.arange(len(times))
    low = np.minimum(np.searchsorted(times, times - 3 * sigma), np.maximum(0, firsts - 3))
    high = np.maximum(np.searchsorted(times, times + 3 * sigma), np.minimum(len(times), firsts + 4))
    flat = values.reshape(len(values), -1)
    smoothed = np.empty_like(flat)
    for first in range(0, len(times), FITTED_AT_ONCE):
        some = slice(first, first + FITTED_AT_ONCE)
        fits = _parabola_fits(times, times[some], low[some], high[some], sigma)
        for index, (begin, end, fit) in enumerate(zip(low[some], high[some], fits, strict=True), first):
            smoothed[index] = fit[: end - begin] @ flat[begin:end]
    return smoothed.reshape(values.shape)


def _parabola_fits(times: Floats, now: Floats, low: Places, high: Places, sigma: float) -> Floats:
    """[F, W] the weight of each value of F surroundings in the parabola's value at their middles; 0 past their ends.

    Args:
        times: of all values.
        now: [F] the middles.
        low: [F] first value of each surroundings.
        high: [F] first value after them.
        sigma: of the Gaussian.
    """
    places = low[:, None] + np.arange((high - low).max())
    apart = (times[np.minimum(places, len(times) - 1)] - now[:, None]) / sigma
    # The square root of the Gaussian: it multiplies both sides of the fit.
    weights = np.exp(-(apart**2) / 4) * (places < high[:, None])
    basis = np.stack([np.ones_like(apart), apart, apart**2], axis=2) * weights[:, :, None]
    return np.asarray(np.linalg.pinv(basis)[:, 0] * weights, np.float64)
