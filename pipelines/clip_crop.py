"""A training picture of a frame, and where the mouth lies in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.clip_face import ClipFace
from pipelines.face_box import squash, voxceleb2_box
from pipelines.face_crop import crop_frame
from pipelines.face_frame import INNER_LIP_BOTTOM, INNER_LIP_TOP, MOUTH_LEFT, MOUTH_RIGHT, apply
from pipelines.training_window import PUBLISHED_SIZE_PX, TRAINING_WINDOW, TrainingCrop

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]  # [H, W, 3] RGB

MOUTH_INDICES = (MOUTH_LEFT, MOUTH_RIGHT, INNER_LIP_TOP, INNER_LIP_BOTTOM)


class ClipCrop(Protocol):
    """How the pictures of one clip are cut."""

    def cut(self, frame_index: int, frame: Pixels) -> Pixels:
        """[S, S, 3] the picture of a frame of a stretch."""

    def mouth(self, frame_index: int, frame: Pixels) -> Floats:
        """[4, 2] left, right, inner top and inner bottom of the mouth in px of that picture."""


@dataclass(frozen=True, slots=True)
class TrackedCrop:
    """`TRAINING_WINDOW` of each frame."""

    face: ClipFace

    def cut(self, frame_index: int, frame: Pixels) -> Pixels:
        return tracked_window(self.face, frame_index, frame)

    def mouth(self, frame_index: int, frame: Pixels) -> Floats:
        return apply(self.face.track.affines[self.face.place(frame_index)], _lips(self.face, frame_index))


@dataclass(frozen=True, slots=True)
class PublishedCrop:
    """The one box that the published code takes for VoxCeleb2, squashed to 128 px, wherever the face is."""

    face: ClipFace

    def cut(self, frame_index: int, frame: Pixels) -> Pixels:
        return squash(frame, voxceleb2_box(frame.shape[1], frame.shape[0]), PUBLISHED_SIZE_PX)

    def mouth(self, frame_index: int, frame: Pixels) -> Floats:
        x0, y0, x1, y1 = voxceleb2_box(frame.shape[1], frame.shape[0])
        scale = PUBLISHED_SIZE_PX / np.array([x1 - x0, y1 - y0])
        return np.asarray((_lips(self.face, frame_index) - [x0, y0] + 0.5) * scale - 0.5)  # pixel centres: integers


CROPS: dict[TrainingCrop, type[TrackedCrop | PublishedCrop]] = {
    TrainingCrop.TRACKED: TrackedCrop,
    TrainingCrop.PUBLISHED: PublishedCrop,
}


def tracked_window(face: ClipFace, frame_index: int, frame: Pixels) -> Pixels:
    """[192, 192, 3] `TRAINING_WINDOW` of a frame."""
    return crop_frame(frame, face.track.affines[face.place(frame_index)], TRAINING_WINDOW.size_px)


def jpeg(picture: Pixels, quality: int) -> bytes:
    """A picture as JPEG."""
    done, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return bytes(data.tobytes())


def decode_pictures(pictures: Sequence[bytes]) -> NDArray[np.uint8]:
    """[F, S, S, 3] RGB of the JPEGs of a stretch."""
    decoded = [cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB) for data in pictures]
    return np.stack([np.asarray(picture, np.uint8) for picture in decoded])


def _lips(face: ClipFace, frame_index: int) -> Floats:
    return np.asarray(face.track.landmarks[face.place(frame_index)][list(MOUTH_INDICES)])
