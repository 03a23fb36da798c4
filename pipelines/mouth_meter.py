"""What the lips of painted frames say: how far they lie from the true ones, and whether they close where they must."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import torch
from numpy.typing import NDArray

from diff2lip.landmark_distance import Alignment, lmd
from diff2lip.lse import FRAME_RATE
from diff2lip.mouth_motion import Phone, StillMouthError, bilabial_closure, leakage
from pipelines.face_detector import FaceDetector
from pipelines.face_frame import mouth_opening
from pipelines.face_mesh import FaceMesh
from pipelines.face_scan import scan_faces
from pipelines.mask import OUTER_LIPS
from pipelines.published_crops import DETECT_EVERY

Figures = dict[str, float | None]
Pixels = NDArray[np.uint8]  # [H, W, 3] RGB

INNER_LIPS = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
LIPS = (*OUTER_LIPS, *INNER_LIPS)  # of the face mesh: published figures use 20 points of another one


@dataclass(frozen=True, slots=True)
class Mouth:
    """The lips of one frame."""

    lips: NDArray[np.float64]  # [40, 2] in film px
    opening: float  # inner-lip gap over mouth width


Mouths = Sequence[Mouth | None]
"""Of consecutive frames at 25 fps; None where no face was found."""


def mouths_of(frames: Iterable[Pixels], detector: FaceDetector, mesh: FaceMesh) -> Iterator[Mouth | None]:
    """The mouth of the surest face of each frame; None where there is none."""
    for _, faces in scan_faces(enumerate(frames), detector, mesh, DETECT_EVERY):
        best = max(faces, key=lambda face: face.score, default=None)
        yield None if best is None else Mouth(best.landmarks[list(LIPS)], mouth_opening(best.landmarks))


def lips_apart(painted: Mouths, truth: Mouths, alignment: Alignment) -> Figures:
    """LMD over the frames in which both mouths were found, and their share of the painted ones."""
    both = list(zip_longest(painted, truth))
    found = [(ours.lips, theirs.lips) for ours, theirs in both if ours is not None and theirs is not None]
    if not found:
        return {"lmd_px": None, "lmd_share": 0.0}
    ours, theirs = (torch.from_numpy(np.stack(points)) for points in zip(*found, strict=True))
    return {"lmd_px": float(lmd(ours, theirs, alignment).mean()), "lmd_share": len(found) / len(both)}


def leakage_of(hushed: Mouths, source: Mouths) -> Figures:
    """Leakage of mouths painted to silence, against the range of the person's own; None where that hardly moves."""
    openings = [_openings(mouths) for mouths in (hushed, source)]
    if not all(len(values) for values in openings):
        return {"leakage": None}
    try:
        return {"leakage": leakage(*openings)}
    except StillMouthError:
        return {"leakage": None}


def closure_of(painted: Mouths, phones: Sequence[Phone]) -> Figures:
    """Share of p, b and m at which the painted lips close; None where none is heard, or the mouth hardly moves."""
    seen = [(index / FRAME_RATE, mouth.opening) for index, mouth in enumerate(painted) if mouth is not None]
    if len(seen) < 2 or not phones:
        return {"bilabial_closure": None}
    times_s, openings = torch.tensor(seen, dtype=torch.float64).unbind(1)
    try:
        return {"bilabial_closure": bilabial_closure(openings, times_s, phones)}
    except StillMouthError:
        return {"bilabial_closure": None}


def _openings(mouths: Mouths) -> torch.Tensor:
    return torch.tensor([mouth.opening for mouth in mouths if mouth is not None], dtype=torch.float64)
