"""The faces of each frame, with the detector run only where it is needed.

The detector looks at every k-th frame. Where the same faces stand at both ends of such a stretch, they are expected
on the way between; where a face comes, goes or leaps, the stretch is halved until it stands at the ends of one or its
first and last frames are known. What happens and is undone between two looks is not noticed: a face that comes and
goes, or goes and comes back, within fewer than k frames.
The landmarks are found in every frame: in three passes of the face mesh where the detector looked, in one where a face
is met where it should be.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
from numpy.typing import NDArray

from diff2lip.config import CropConfig
from pipelines.detection import Detection, overlap
from pipelines.face_crop import crop_frame
from pipelines.face_detector import FaceDetector
from pipelines.face_frame import compose, crop_affine, invert, rigid_points
from pipelines.face_mesh import FaceMesh, MeshSight
from pipelines.face_tracks import Face, Look

Pixels = NDArray[np.uint8]  # [H, W, 3] RGB
Floats = NDArray[np.float64]
Faces = list[Face]
Pairs = list[tuple[Face, Face]]

STEADY_OVERLAP = 0.6
NEAR_OVERLAP = 0.1  # with another face: they touch
MIN_PRESENCE = 0.5  # what the mesh takes for no face is none: cartoons, patterns, heads from behind
LOOK = CropConfig(size_px=16, left=-0.85, top=-1.0, width=1.7)
HELD_FRAMES = 12  # in memory at once, but at least a stretch
SEEN_ASKEW = 0.03  # of its size: a face this far from where it was expected is looked at anew
LEAPT = 0.3  # this far: it may be another one
ALIKE = 0.7  # of looks some frames apart: less like, it may be another one


def scan_faces(
    frames: Iterable[tuple[int, Pixels]], detector: FaceDetector, mesh: FaceMesh, detect_every: int
) -> Iterator[tuple[int, list[Face]]]:
    """Pts and faces of each frame: `scan_pictures` without its pictures."""
    return ((pts, faces) for pts, _, faces in scan_pictures(frames, detector, mesh, detect_every))


def scan_pictures(
    frames: Iterable[tuple[int, Pixels]], detector: FaceDetector, mesh: FaceMesh, detect_every: int
) -> Iterator[tuple[int, Pixels, list[Face]]]:
    """Pts, picture and faces of each frame. A few frames are in memory at a time.

    Args:
        frames: pts and picture, in order of time.
        detector: finds the boxes.
        mesh: finds the landmarks.
        detect_every: length of a stretch in frames; 1 looks at every frame.
    """
    scan = FaceScan(detector, mesh, detect_every)
    source = iter(frames)
    last: tuple[Pixels, Faces] | None = None
    for pts, frame in islice(source, 1):
        last = frame, scan.look([frame])[0]
        yield pts, *last
    held = max(1, HELD_FRAMES // detect_every) * detect_every
    while last is not None and (chunk := list(islice(source, held))):
        pictures = [last[0], *(frame for _, frame in chunk)]
        found = scan.follow(pictures, last[1])
        for (pts, frame), faces in zip(chunk, found, strict=True):
            yield pts, frame, faces
        last = pictures[-1], found[-1]
        del chunk, pictures, frame  # before the next frames are read


@dataclass(frozen=True, slots=True)
class FaceScan:
    """Finds the faces of frames that follow one another."""

    detector: FaceDetector
    mesh: FaceMesh
    every: int  # how many frames the detector looks

    def look(self, frames: Sequence[Pixels]) -> list[Faces]:
        """The faces of each frame, whatever there was before."""
        detected = self.detector.detect(frames) if frames else []
        return [
            [face for detection in detections if (face := self._met(frame, detection))]
            for frame, detections in zip(frames, detected, strict=True)
        ]

    def follow(self, frames: Sequence[Pixels], first: Faces) -> list[Faces]:
        """The faces of each frame but the first.

        Args:
            frames: two or more consecutive ones.
            first: faces of the first frame.
        """
        keys = sorted({*range(self.every, len(frames), self.every), len(frames) - 1})
        found = {0: first} | dict(zip(keys, self.look([frames[key] for key in keys]), strict=True))
        for start, end in pairwise([0, *keys]):
            found |= self._filled(frames, start, end, found)
        return [found[index] for index in range(1, len(frames))]

    def _filled(self, frames: Sequence[Pixels], start: int, end: int, found: dict[int, Faces]) -> dict[int, Faces]:
        """The faces of the frames between two of which they are known.

        They are met where the same faces stand at both ends; else the detector looks at the middle one, and so on.
        """
        if end - start < 2:
            return {}
        pairs = same_faces(found[start], found[end])
        met = None if pairs is None else self._between(frames, start, end, pairs)
        if met is not None:
            return met
        middle = (start + end) // 2
        known = {start: found[start], middle: self.look([frames[middle]])[0], end: found[end]}
        before = self._filled(frames, start, middle, known)
        return {middle: known[middle]} | before | self._filled(frames, middle, end, known)

    def _between(self, frames: Sequence[Pixels], start: int, end: int, pairs: Pairs) -> dict[int, Faces] | None:
        """The faces of the frames between two, the middle one first, then those on either side of it.

        None where a face is not where it should be: who passes by in front, or leaps.
        """
        if end - start < 2:
            return {}
        middle = (start + end) // 2
        share = (middle - start) / (end - start)
        met = [self._followed(frames[middle], between(one, other, share)) for one, other in pairs]
        faces = [face for face in met if face is not None]
        if len(faces) < len(pairs):
            return None
        before = self._between(
            frames, start, middle, [(one, face) for (one, _), face in zip(pairs, faces, strict=True)]
        )
        after = self._between(
            frames, middle, end, [(face, other) for (_, other), face in zip(pairs, faces, strict=True)]
        )
        return None if before is None or after is None else {middle: faces} | before | after

    def _met(self, frame: Pixels, detection: Detection) -> Face | None:
        seen = self.mesh.found(frame, detection.box, detection.points[:2])
        return _face(detection.box, detection.score, seen) if seen.presence >= MIN_PRESENCE else None

    def _followed(self, frame: Pixels, expected: Face) -> Face | None:
        """The face where it is expected, or None where the detector has to look for it."""
        seen = self.mesh.refined(frame, expected.landmarks)
        size = max(1.0, float(np.ptp(expected.landmarks, axis=0).max()))
        shifts = rigid_points(seen.landmarks - expected.landmarks)
        away = float(np.linalg.norm(shifts, axis=1).max()) / size
        if seen.presence < MIN_PRESENCE or away > LEAPT:
            return None
        if away > SEEN_ASKEW:
            seen = self.mesh.refined(frame, seen.landmarks)
        shift = rigid_points(seen.landmarks - expected.landmarks).mean(0)
        face = _face(expected.box + np.tile(shift, 2), expected.score, seen)
        return face if seen.presence >= MIN_PRESENCE and likeness(face, expected) >= ALIKE else None


def _face(box: Floats, score: float, seen: MeshSight) -> Face:
    return Face(box, score, seen.landmarks, face_look(seen))


def face_look(seen: MeshSight) -> Look:
    """[768] how a face looks, from hair to upper lip: 16 px square, less their mean, of length 1."""
    affine = compose(crop_affine(seen.landmarks, LOOK), invert(seen.affine))
    small = crop_frame(seen.crop, affine, LOOK.size_px, finest=1).astype(np.float64).ravel()
    away = small - small.mean()
    return np.asarray(away / max(float(np.linalg.norm(away)), 1e-9), np.float32)


def same_faces(before: Faces, after: Faces) -> Pairs | None:
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


def between(one: Face, other: Face, share: float) -> Face:
    """Where a face should be at a share of the way from one to the other, looking as the first of them."""
    box, landmarks = (
        start + share * (end - start) for start, end in ((one.box, other.box), (one.landmarks, other.landmarks))
    )
    return Face(box, min(one.score, other.score), landmarks, one.look)


def likeness(one: Face, other: Face) -> float:
    """How like two faces look, -1..1; 1 where it is unknown of one of them."""
    return 1.0 if one.look is None or other.look is None else float(one.look @ other.look)
