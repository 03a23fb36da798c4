"""Where the face of a clip lies, frame by frame, in two ways: the published box, and this project's own crop.

Both say how a frame becomes the square that a model sees, and how the painted square goes back.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from diff2lip.config import CropConfig
from pipelines.blend import BlendConfig, replacement, to_film
from pipelines.face_box import (
    SMOOTHED_FRAMES,
    Boxes,
    BoxPadding,
    lay_back,
    painted_part,
    smooth_boxes,
    squash,
    voxceleb2_box,
    whole_box,
)
from pipelines.face_config import TrackConfig
from pipelines.face_crop import crop_frame
from pipelines.face_detector import FaceDetector
from pipelines.face_frame import apply
from pipelines.face_mesh import FaceMesh
from pipelines.face_scan import scan_faces
from pipelines.face_tracks import SmoothTrack, link_faces, smooth_track
from pipelines.mask import MaskConfig, mask_rect, mouth_mask
from pipelines.media.published_frames import FRAME_RATE

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]  # [H, W, 3] RGB

FRAMES_AT_ONCE = 16  # in memory while faces are looked for
DETECT_EVERY = 3


class NoFaceError(ValueError):
    """A frame without a face: the published path ends there, and so does ours."""


class Crops(Protocol):
    """The crops of a clip. Where one place is known it holds for all frames."""

    def crop(self, index: int, frame: Pixels) -> Pixels:
        """[S, S, 3] what the model sees of a frame."""

    def lay(self, index: int, frame: Pixels, source: Pixels, painted: Pixels) -> Pixels:
        """A copy of the frame with the painted crop in it; `source` is its own crop."""

    def part(self, index: int, frame: Pixels) -> Floats:
        """[H, W] which samples of the frame are painted anew: 1 within, fractions at the border."""


@dataclass(frozen=True, slots=True)
class BoxCrops:
    """Published: a box [F, 4] of each frame, or one [1, 4] of all."""

    boxes: Boxes
    size_px: int
    mask_share: float  # of the box above the painted part

    def crop(self, index: int, frame: Pixels) -> Pixels:
        return squash(frame, self._box(index), self.size_px)

    def lay(self, index: int, frame: Pixels, source: Pixels, painted: Pixels) -> Pixels:
        return lay_back(frame, painted, self._box(index))

    def part(self, index: int, frame: Pixels) -> Floats:
        return painted_part(self._box(index), self.mask_share, frame.shape[1], frame.shape[0])

    def _box(self, index: int) -> Boxes:
        return np.asarray(self.boxes[min(index, len(self.boxes) - 1)])


@dataclass(frozen=True, slots=True)
class OwnCrops:
    """This project's: an affine of each frame after the face mesh, blended back below a feathered mask."""

    landmarks: NDArray[np.float64]  # [F or 1, 468, 2]
    affines: NDArray[np.float64]  # [F or 1, 2, 3]
    config: CropConfig

    def crop(self, index: int, frame: Pixels) -> Pixels:
        return crop_frame(frame, self._place(index)[1], self.config.size_px)

    def lay(self, index: int, frame: Pixels, source: Pixels, painted: Pixels) -> Pixels:
        landmarks, affine = self._place(index)
        rect = mask_rect(affine, self.config, frame.shape[1], frame.shape[0])
        laid = frame.copy()
        if rect is not None:
            old, new = source.astype(np.float32), painted.astype(np.float32)
            replace = replacement(old, new, apply(affine, landmarks), self.config, BlendConfig())
            s, p, c = (to_film(image, affine, rect) for image in (old, new, replace))
            m = mouth_mask(landmarks, affine, rect, self.config, MaskConfig())[..., None]
            part = laid[rect.y : rect.y + rect.height, rect.x : rect.x + rect.width]
            changed = part + m * (p - s + c.clip(0, 1)[..., None] * (s - part))
            part[...] = np.rint(changed).clip(0, 255)
        return laid

    def part(self, index: int, frame: Pixels) -> Floats:
        landmarks, affine = self._place(index)
        rect = mask_rect(affine, self.config, frame.shape[1], frame.shape[0])
        part = np.zeros(frame.shape[:2], np.float32)
        if rect is not None:
            mask = mouth_mask(landmarks, affine, rect, self.config, MaskConfig())
            part[rect.y : rect.y + rect.height, rect.x : rect.x + rect.width] = mask
        return part

    def _place(self, index: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        known = min(index, len(self.affines) - 1)
        return self.landmarks[known], self.affines[known]


def detected_boxes(frames: Iterable[Pixels], num_frames: int, detector: FaceDetector, padding: BoxPadding) -> Boxes:
    """[num_frames, 4] the smoothed box of the top face of each frame.

    The published detector is S3FD; here it is this project's RetinaFace, whose boxes are not the same.

    Args:
        frames: of the clip; four more than asked for are looked at, where there are, since smoothing looks ahead.
        num_frames: how many boxes.
        detector: finds the faces.
        padding: of each box.

    Raises:
        NoFaceError: a frame has none.
    """
    wanted = islice(frames, num_frames + SMOOTHED_FRAMES - 1)
    boxes: list[Boxes] = []
    for chunk in _chunks(wanted):
        for frame, faces in zip(chunk, detector.detect(chunk), strict=True):
            height, width = frame.shape[:2]
            box = whole_box(faces[0].box, padding, width, height) if faces else None
            if box is None or box[2] <= box[0] or box[3] <= box[1]:
                raise NoFaceError(f"there is no face in frame {len(boxes)} at 25 fps")
            boxes.append(box)
    return smooth_boxes(np.stack(boxes))[:num_frames]


def fixed_boxes(frame: Pixels) -> Boxes:
    """[1, 4] the published box of VoxCeleb2, whatever is in the frame."""
    return voxceleb2_box(frame.shape[1], frame.shape[0])[None]


def own_crops(
    frames: Iterable[Pixels], num_frames: int, detector: FaceDetector, mesh: FaceMesh, crop: CropConfig
) -> OwnCrops:
    """The crops of the face that is seen longest, as in a film.

    Raises:
        NoFaceError: it is not seen in the first or the last frame; between, short gaps are bridged.
    """
    found = list(scan_faces(enumerate(islice(frames, num_frames)), detector, mesh, DETECT_EVERY))
    config = TrackConfig()
    tracks = link_faces(found, int(config.max_gap_s * FRAME_RATE), config.min_overlap)
    if not tracks:
        raise NoFaceError("there is no face in the clip")
    longest = max(tracks, key=lambda track: (len(track.pts), sum(face.score for face in track.faces)))
    places = [index for index, _ in found]
    track = smooth_track(longest, places, Fraction(1, FRAME_RATE), crop, config)
    _require_all(track, places)
    return OwnCrops(track.landmarks, track.affines, crop)


def _require_all(track: SmoothTrack, places: Sequence[int]) -> None:
    missing = sorted(set(places) - set(track.pts))
    if missing:
        raise NoFaceError(f"the face is not in frame {missing[0]} at 25 fps, nor in {len(missing) - 1} more")


def _chunks(frames: Iterator[Pixels]) -> Iterator[list[Pixels]]:
    while chunk := list(islice(frames, FRAMES_AT_ONCE)):
        yield chunk
