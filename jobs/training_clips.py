"""Real film of faces out of package archives: canonical windows, where the mouth lies, and the sound heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jobs.training_stills import WINDOW
from pipelines.detection import Detection
from pipelines.face_crop import crop_frame
from pipelines.face_detector import FaceDetector
from pipelines.face_frame import INNER_LIP_BOTTOM, INNER_LIP_TOP, MOUTH_LEFT, MOUTH_RIGHT, apply
from pipelines.face_mesh import FaceMesh
from pipelines.face_tracks import Face, FaceTrack, TrackConfig, link_faces, smooth_track
from pipelines.media.container import open_media, picture_stream
from pipelines.media.picture import rgb_frames
from pipelines.portrait import LOWER_DROP, UPPER_LIFT, WIDTH_GAIN

Pixels = NDArray[np.uint8]
MOUTH_INDICES = (MOUTH_LEFT, MOUTH_RIGHT, INNER_LIP_TOP, INNER_LIP_BOTTOM)
DETECT_EVERY = 4  # frames; between them the box moves with the track
MIN_PRESENCE, MIN_SCORE = 0.7, 0.8
MAX_NOSE_OFFSET = 0.16  # of the nose tip from the middle, in the face frame: a face turned further is left out
NOSE_TIP = 4
SHORTEST_FRAMES = 8
LONGEST_PTS = 1 << 40


@dataclass(frozen=True, slots=True)
class ClipFace:
    """One person of a clip.

    Attributes:
        pixels: [F, 192, 192, 3] RGB of `WINDOW`.
        mouths: [F, 4, 2] left, right, inner top, inner bottom in window px.
        shapes: [F, 2] opening and width as `warp_mouth` counts them, measured.
        times_s: [F] moment of each frame.
    """

    pixels: Pixels
    mouths: NDArray[np.float32]
    shapes: NDArray[np.float32]
    times_s: NDArray[np.float64]


def clip_faces(path: Path, every: int, min_face_px: float) -> list[ClipFace]:
    """The people of a clip, longest seen first.

    Args:
        path: the film.
        every: keep each n-th frame.
        min_face_px: height of the smallest face that counts.
    """
    with open_media(path) as container:
        time_base = Fraction(picture_stream(container).time_base or 1)
    frames = list(rgb_frames(path, -LONGEST_PTS, LONGEST_PTS))
    gap_pts = round(Fraction(1, 2) / time_base)
    tracks = sorted(link_faces(_faces_of(frames, min_face_px), gap_pts, 0.25), key=lambda track: -len(track.pts))
    faces = (_clip_face(frames, track, time_base, every) for track in tracks)
    return [face for face in faces if face is not None]


def _faces_of(frames: Sequence[tuple[int, Pixels]], min_face_px: float) -> list[tuple[int, list[Face]]]:
    """The faces of each frame; the detector only looks at some, the mesh at all."""
    detector, mesh = FaceDetector(), FaceMesh()
    seen: list[tuple[int, list[Face]]] = []
    for index, (pts, pixels) in enumerate(frames):
        boxes = [face.box for face in seen[-1][1]] if seen else []
        if index % DETECT_EVERY == 0 or not boxes:
            found = detector.detect(pixels[None])[0]
            boxes = [face.box for face in found if _usable(face, min_face_px)]
        seen.append((pts, [face for box in boxes if (face := _meshed(mesh, pixels, box)) is not None]))
    return seen


def _usable(face: Detection, min_face_px: float) -> bool:
    return face.score >= MIN_SCORE and face.height >= min_face_px


def _meshed(mesh: FaceMesh, pixels: Pixels, box: NDArray[np.float64]) -> Face | None:
    """The face in a box, its box drawn anew around the landmarks."""
    landmarks, presence = mesh.landmarks(pixels, box)
    if presence < MIN_PRESENCE:
        return None
    return Face(np.concatenate([landmarks.min(0), landmarks.max(0)]), presence, landmarks)


def _clip_face(
    frames: Sequence[tuple[int, Pixels]], track: FaceTrack, time_base: Fraction, every: int
) -> ClipFace | None:
    """The windows of a track, without the frames in which the face is turned away."""
    if len(track.pts) < SHORTEST_FRAMES:
        return None
    smooth = smooth_track(track, [pts for pts, _ in frames], time_base, WINDOW, TrackConfig())
    marks = np.stack([apply(affine, points) for affine, points in zip(smooth.affines, smooth.landmarks, strict=True)])
    middle = (0.0 - WINDOW.left) / WINDOW.width * WINDOW.size_px - 0.5
    turned = np.abs(marks[:, NOSE_TIP, 0] - middle) / WINDOW.size_px * WINDOW.width
    kept = [index for index in np.flatnonzero(turned < MAX_NOSE_OFFSET)[::every] if smooth.detected[index]]
    if len(kept) < SHORTEST_FRAMES:
        return None
    pictures = dict(frames)
    pixels = [crop_frame(pictures[smooth.pts[index]], smooth.affines[index], WINDOW.size_px) for index in kept]
    times_s = np.array([float(smooth.pts[index] * time_base) for index in kept])
    mouths = marks[:, MOUTH_INDICES]
    return ClipFace(np.stack(pixels), mouths[kept].astype(np.float32), measured_shapes(mouths)[kept], times_s)


def measured_shapes(mouths: NDArray[np.float64]) -> NDArray[np.float32]:
    """Opening and width in the units of `warp_mouth`: [F, 2].

    Args:
        mouths: [F, 4, 2] left, right, inner top, inner bottom over a clip; its median width counts as width 0.
    """
    widths = np.linalg.norm(mouths[:, 1] - mouths[:, 0], axis=1)
    gaps = np.linalg.norm(mouths[:, 3] - mouths[:, 2], axis=1)
    rest = float(np.median(widths))
    shapes = np.stack([gaps / rest / (LOWER_DROP + UPPER_LIFT), (widths / rest - 1) / WIDTH_GAIN], axis=1)
    return shapes.clip(-1.5, 1.5).astype(np.float32)
