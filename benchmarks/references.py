"""What a reference is worth: the film's own words painted anew with references of several kinds, beside the film.

    python -m benchmarks.references [--frames 32] [--max-s 4]

Two clips show one man on two days, in other light and other clothes; a third one shows somebody else. Of each of the
first two, frames are painted with their own sound and a reference that is never the frame itself nor one near it: a
closed mouth of the shot, an open one, a closed one of the other clip, one of the other person. PSNR is that of lips
and what they uncover; `sharpness` is the mean absolute Laplacian there, over the film's.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.real_faces import RealFace, real_face
from diff2lip.bundled import bundled_path
from diff2lip.checkpoint import read_config
from diff2lip.config import CropConfig, SamplerConfig
from pipelines.assets import asset_path
from pipelines.dub_mel import DubMel
from pipelines.held_exam import MOUTH
from pipelines.media.sound import read_mono
from pipelines.paint import Painter
from pipelines.reference import closed_frames
from pipelines.storage import ObjectStore

ONE_MAN, SOMEBODY_ELSE = ("clip-jwp-intro", "clip-test-movie"), "clip-face-noface"
NEAR_FRAMES = 8  # a reference lies further from its frame than this
OPEN_SHARES = (0.5, 0.8)  # of the frames that are closed more
CANDIDATES = 8

Crops = NDArray[np.uint8]  # [F, S, S, 3]


@dataclass(frozen=True, slots=True)
class Exam:
    """Some frames of a face and what is heard with them."""

    face: RealFace
    chosen: NDArray[np.int64]
    windows: torch.Tensor

    @property
    def film(self) -> Crops:
        """The crops of the frames."""
        return self.face.crops[self.chosen]


def apart(face: RealFace, chosen: Sequence[int], candidates: Sequence[int], mask_row: int) -> list[int]:
    """Of each chosen frame the candidate that looks most like it above the mask, and is not near it in time."""
    picked = []
    for frame in chosen:
        far = [one for one in candidates if abs(one - frame) > NEAR_FRAMES] or list(candidates)
        above = face.crops[frame, :mask_row].astype(np.float32)
        picked.append(min(far, key=lambda one: float(((face.crops[one, :mask_row] - above) ** 2).mean())))
    return picked


def mouths(crops: Crops, crop: CropConfig) -> NDArray[np.float32]:
    """[F, h, w, 3] the lips and what they uncover."""
    scale = crop.size_px / crop.width
    left, top, right, bottom = (
        round((edge - origin) * scale) for edge, origin in zip(MOUTH, (crop.left, crop.top) * 2, strict=True)
    )
    return crops[:, top:bottom, left:right].astype(np.float32)


def measured(painted: Crops, film: Crops, crop: CropConfig) -> tuple[float, float]:
    """PSNR in dB and sharpness ratio of mouths."""
    ours, theirs = mouths(painted, crop), mouths(film, crop)
    errors = ((ours - theirs) ** 2).mean((1, 2, 3))
    detail = [np.mean([np.abs(cv2.Laplacian(one.mean(-1), cv2.CV_32F)).mean() for one in of]) for of in (ours, theirs)]
    return float((20 * np.log10(255 / np.sqrt(errors.clip(1e-3)))).mean()), float(detail[0] / detail[1])


def exam_of(face: RealFace, clip: str, painter: Painter, num_frames: int) -> Exam:
    """Frames evenly spaced, with the clip's own sound."""
    chosen = np.linspace(0, len(face.crops) - 1, num_frames).round().astype(np.int64)
    mel = DubMel(read_mono(asset_path(clip)), painter.sound)
    return Exam(face, chosen, mel.windows([face.times_s[index] for index in chosen]))


def kinds_of(exam: Exam, others: dict[str, RealFace], crop: CropConfig) -> dict[str, Crops]:
    """The reference of each frame, by kind."""
    face, chosen = exam.face, exam.chosen.tolist()
    ranked = np.argsort(face.openings, kind="stable")
    own = {"closed, of the shot": closed_frames(face.openings).tolist()}
    for share in OPEN_SHARES:
        first = int(share * len(ranked))
        opening = face.openings[ranked[first]]
        own[f"open by {opening:.2f}, of the shot"] = ranked[first : first + CANDIDATES].tolist()
    kinds = {name: face.crops[apart(face, chosen, candidates, crop.mask_row)] for name, candidates in own.items()}
    for name, other in others.items():
        closed = other.crops[closed_frames(other.openings)]
        above = exam.film[:, None, : crop.mask_row].astype(np.float32) - closed[None, :, : crop.mask_row]
        kinds[name] = closed[(above**2).mean((2, 3, 4)).argmin(1)]
    return kinds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=32)
    parser.add_argument("--max-s", type=float, default=4.0)
    wanted = parser.parse_args()
    model = bundled_path("small")
    crop = read_config(model).crop
    faces = {clip: real_face(clip, crop, wanted.max_s) for clip in (*ONE_MAN, SOMEBODY_ELSE)}
    print(f"{'clip':<18}{'reference':<34}{'mouth PSNR dB':>14}{'sharpness':>11}")
    with tempfile.TemporaryDirectory() as folder:
        painter = Painter(Path(model), SamplerConfig(), ObjectStore(folder), torch.get_num_threads())
        for clip, other in (ONE_MAN, ONE_MAN[::-1]):
            exam = exam_of(faces[clip], clip, painter, wanted.frames)
            others = {"closed, of another day": faces[other], "closed, of somebody else": faces[SOMEBODY_ELSE]}
            for name, references in kinds_of(exam, others, crop).items():
                crops, given = ([one.tobytes() for one in of] for of in (exam.film, references))
                painted = painter.paint(crops, given, exam.windows, (clip, 0, 0))
                figures = measured(np.stack([painter.pixels(one) for one in painted]), exam.film, crop)
                print(f"{clip:<18}{name:<34}{figures[0]:>14.2f}{figures[1]:>11.2f}")


if __name__ == "__main__":
    main()
