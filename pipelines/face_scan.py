"""The faces of each frame, with the detector run only where it is needed.

The detector looks at every k-th frame. Where the same faces stand at both ends of such a stretch, they are
interpolated between; where a face comes, goes or leaps, each frame is looked at, so that births and deaths are exact.
The landmarks are found in every frame.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise

import numpy as np
from numpy.typing import NDArray

from diff2lip.config import CropConfig
from pipelines.detection import Detection, overlap
from pipelines.face_crop import crop_frame
from pipelines.face_detector import FaceDetector
from pipelines.face_frame import crop_affine
from pipelines.face_mesh import FaceMesh
from pipelines.face_tracks import Face, Look

Pixels = NDArray[np.uint8]  # [H, W, 3] RGB
Floats = NDArray[np.float64]
Faces = list[Detection]

STEADY_OVERLAP = 0.6
NEAR_OVERLAP = 0.1  # with another face: they touch
MIN_PRESENCE = 0.5  # what the mesh takes for no face is none: cartoons, patterns, heads from behind
LOOK = CropConfig(size_px=16, left=-0.85, top=-1.0, width=1.7)
STRETCHES = 4  # in memory at once


def scan_faces(
    frames: Iterable[tuple[int, Pixels]], detector: FaceDetector, mesh: FaceMesh, detect_every: int
) -> Iterator[tuple[int, list[Face]]]:
    """Pts and faces of each frame. A few frames are in memory at a time.

    Args:
        frames: pts and picture, in order of time.
        detector: finds the boxes.
        mesh: finds the landmarks.
        detect_every: length of a stretch in frames; 1 looks at every frame.
    """
    source = iter(frames)
    while chunk := list(islice(source, STRETCHES * detect_every + 1)):
        found = _detect([frame for _, frame in chunk], detector, detect_every)
        for (pts, frame), detections in zip(chunk, found, strict=True):
            yield pts, [face for detection in detections if (face := _with_mesh(frame, detection, mesh))]


def _with_mesh(frame: Pixels, detection: Detection, mesh: FaceMesh) -> Face | None:
    landmarks, presence = mesh.landmarks(frame, detection.box, detection.points[:2])
    if presence < MIN_PRESENCE:
        return None
    return Face(detection.box, detection.score, landmarks, face_look(frame, landmarks))


def face_look(frame: Pixels, landmarks: Floats) -> Look:
    """[768] how a face looks, from hair to upper lip: 16 px square, less their mean, of length 1."""
    small = crop_frame(frame, crop_affine(landmarks, LOOK), LOOK.size_px).astype(np.float64).ravel()
    away = small - small.mean()
    return np.asarray(away / max(float(np.linalg.norm(away)), 1e-9), np.float32)


def _detect(frames: Sequence[Pixels], detector: FaceDetector, every: int) -> list[Faces]:
    """The faces of consecutive frames; the first and the last are looked at always."""
    keys = sorted({*range(0, len(frames), every), len(frames) - 1})
    found = dict(zip(keys, detector.detect([frames[key] for key in keys]), strict=True))
    for first, last in pairwise(keys):
        partners = same_faces(found[first], found[last])
        if partners is not None:
            for index in range(first + 1, last):
                share = (index - first) / (last - first)
                found[index] = [between(one, other, share) for one, other in partners]
    missing = [index for index in range(len(frames)) if index not in found]
    found |= zip(missing, detector.detect([frames[index] for index in missing]), strict=True)
    return [found[index] for index in range(len(frames))]


def same_faces(before: Faces, after: Faces) -> list[tuple[Detection, Detection]] | None:
    """Each face with itself a few frames later.

    None where a face came, went, or moved too far to be sure, and where two are so near that they may have passed
    each other meanwhile.
    """
    if len(before) != len(after) or not before:
        return None if len(before) != len(after) else []
    shares = np.array([[overlap(one.box, other.box) for other in after] for one in before])
    likely = shares >= STEADY_OVERLAP
    one_to_one = (likely.sum(0) == 1).all() and (likely.sum(1) == 1).all()
    if not one_to_one or ((shares >= NEAR_OVERLAP) != likely).any():
        return None
    return [(one, after[int(place)]) for one, place in zip(before, likely.argmax(1), strict=True)]


def between(one: Detection, other: Detection, share: float) -> Detection:
    """The detection at a share of the way from one to the other."""
    box = one.box + share * (other.box - one.box)
    return Detection(box, min(one.score, other.score), one.points + share * (other.points - one.points))
