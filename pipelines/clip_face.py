"""The face of a clip: the one seen longest, smooth, and the stretches in which it is seen in every frame."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise
from math import ceil

import numpy as np
from numpy.typing import NDArray

from diff2lip.config import CropConfig
from pipelines.face_config import TrackConfig
from pipelines.face_detector import FaceDetector
from pipelines.face_mesh import FaceMesh
from pipelines.face_scan import Pixels, scan_faces
from pipelines.face_tracks import SmoothTrack, link_faces, smooth_track
from pipelines.head_pose import yaw_deg
from pipelines.media.container import UndecodableError
from pipelines.unfit_clip import UnfitClipError
from schemas.training import GRID_RATE, MAX_STRETCH_FRAMES, ClipReason

MIN_FRAMES = 5  # a mel window of 200 ms
OPENING_QUANTILES = (0.05, 0.95)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClipFace:
    """The face of a clip over frames at 25 fps.

    Attributes:
        track: its `pts` are frame indices of the clip.
        stretches: half-open runs of frame indices with the face in each, 5 to 250 long, in order.
        num_frames: of the clip.
    """

    track: SmoothTrack
    stretches: tuple[range, ...]
    num_frames: int

    def place(self, frame_index: int) -> int:
        """Where a frame of a stretch lies in the track."""
        return frame_index - self.track.pts[0]

    @property
    def places(self) -> list[int]:
        """Of all frames of all stretches in the track."""
        return [self.place(index) for stretch in self.stretches for index in stretch]

    @property
    def face_height_px(self) -> float:
        """Median over the stretches."""
        boxes = self.track.boxes[self.places]
        return float(np.median(boxes[:, 3] - boxes[:, 1]))

    @property
    def yaw_deg(self) -> float:
        """Median over the stretches, without sign."""
        return float(np.median([abs(yaw_deg(self.track.landmarks[place])) for place in self.places]))

    @property
    def opening_range(self) -> float:
        """95 % minus 5 % quantile of the openings over the stretches."""
        low, high = np.quantile(self.track.openings[self.places], OPENING_QUANTILES)
        return float(high - low)


@dataclass(frozen=True, slots=True)
class FaceFinder:
    """Finds the face of a clip."""

    detector: FaceDetector
    mesh: FaceMesh
    detect_every: int
    tracks: TrackConfig
    window: CropConfig

    def find(self, frames: Iterable[Pixels], num_heard: int) -> ClipFace:
        """The face seen longest. A few frames are in memory at a time, and the landmarks of all.

        Args:
            frames: of the clip at 25 fps.
            num_heard: frames that have sound; later ones are in no stretch.

        Raises:
            UnfitClipError: too few frames, or no face in five after one another.
            UndecodableError: the frames change their size.
        """
        found = list(scan_faces(enumerate(of_one_size(frames)), self.detector, self.mesh, self.detect_every))
        num_frames = len(found)
        if num_frames < MIN_FRAMES:
            raise UnfitClipError(ClipReason.TOO_SHORT, f"{num_frames} frames, {MIN_FRAMES} are needed", num_frames)
        linked = link_faces(found, int(self.tracks.max_gap_s * GRID_RATE), self.tracks.min_overlap)
        if not linked:
            raise UnfitClipError(ClipReason.NO_FACE, f"no face in any of {num_frames} frames", num_frames)
        longest = max(linked, key=lambda track: (len(track.pts), sum(face.score for face in track.faces)))
        pts = [index for index, _ in found]
        track = smooth_track(longest, pts, Fraction(1, GRID_RATE), self.window, self.tracks)
        stretches = tuple(stretches_of(track.detected, track.pts[0], num_heard))
        if not stretches:
            detail = f"a face in {len(longest.pts)} of {num_frames} frames, but in no {MIN_FRAMES} after one another"
            raise UnfitClipError(ClipReason.NO_FACE, detail, num_frames)
        return ClipFace(track, stretches, num_frames)


def of_one_size(frames: Iterable[Pixels]) -> Iterator[Pixels]:
    """The same frames.

    Raises:
        UndecodableError: one is of another size than the first.
    """
    size: tuple[int, ...] = ()
    for index, frame in enumerate(frames):
        size = size or frame.shape
        if frame.shape != size:
            raise UndecodableError(f"frame {index} is {frame.shape[:2]}, the first was {size[:2]}")
        yield frame


def stretches_of(detected: Sequence[bool], first_frame: int, num_heard: int) -> Iterator[range]:
    """Runs of frames with the face in each, cut into equal parts of at most 250 frames; under five there is none.

    Args:
        detected: of consecutive frames.
        first_frame: index of the first of them in the clip.
        num_heard: frames of the clip that count.
    """
    indexed = enumerate(detected[: max(0, num_heard - first_frame)], start=first_frame)
    for seen, run in groupby(indexed, key=lambda pair: pair[1]):
        indices = [index for index, _ in run]
        if seen and len(indices) >= MIN_FRAMES:
            yield from _parts(range(indices[0], indices[-1] + 1))


def _parts(run: range) -> Iterator[range]:
    num_parts = ceil(len(run) / MAX_STRETCH_FRAMES)
    edges = [run.start + len(run) * part // num_parts for part in range(num_parts + 1)]
    yield from (range(start, end) for start, end in pairwise(edges))
