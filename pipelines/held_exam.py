"""A painter's exam: held-out stretches painted as a film is, laid back into their pictures, and measured.

The crops go through the `Painter` of stage 5 with references chosen as there, but never from the frames that are
painted: a reference that is the frame itself would give the answer away.
"""

from dataclasses import dataclass
from math import floor
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diff2lip.checkpoint import read_config
from diff2lip.config import CropConfig, SamplerConfig
from diff2lip.mel import SILENCE, STEPS_PER_WINDOW
from diff2lip.mouth_motion import STILL_RANGE
from diff2lip.patch_quality import luma
from diff2lip.picture_likeness import psnr
from diff2lip.shift_test import FEWEST_PAIRS, correlation_of, shift_p
from pipelines.face_detector import FaceDetector
from pipelines.face_frame import compose, face_to_crop, invert
from pipelines.face_identity import FaceIdentity
from pipelines.face_mesh import FaceMesh
from pipelines.held_list import HeldStretch
from pipelines.mouth_meter import Mouth, leakage_of, mouths_of
from pipelines.paint import Painter
from pipelines.patch_meter import PatchMeter
from pipelines.picture_difference import EQUAL_DB
from pipelines.reference import choose_references, closed_frames
from pipelines.stage import Row
from pipelines.storage import ObjectStore
from pipelines.stretch_index import StretchReader
from pipelines.training_windows import (
    MARGIN_STEPS,
    STEPS_PER_FRAME,
    decoded,
    frame_start,
    require_whole,
    stretch_mel,
)
from pipelines.window_change import crop_grid, look

Pixels = NDArray[np.uint8]
MOUTH = (-0.42, 0.62, 0.42, 1.12)  # face frame: the lips and what they uncover, from under the nose to above the chin
CODES = 255.0
HUSHED_EVERY = 5
STEPS_OF_FRAME = 3  # mel steps in 40 ms
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Material:
    """One stretch, ready to be painted.

    Attributes:
        pictures: [F, P, P, 3] the frames that are painted.
        crops: F crops of them, and the reference of each.
        windows: [F, 80, 16] what is heard.
        loudness: [F] of each frame's own sound, mean of its log-mel.
        openings: of the whole stretch.
    """

    pictures: Pixels
    crops: list[bytes]
    references: list[bytes]
    windows: Tensor
    loudness: Floats
    openings: NDArray[np.float32]


class HeldExam:
    """Measures one painter, stretch after stretch. What it painted before is found."""

    def __init__(
        self, model: Path, sampler: SamplerConfig, picture: CropConfig, store: ObjectStore, threads: int
    ) -> None:
        """`picture`: what the pictures of the data set show."""
        self._painter = Painter(model, sampler, store, threads)
        self._crop, self._picture = read_config(model).crop, picture
        self._to_picture = compose(face_to_crop(picture), invert(face_to_crop(self._crop)))
        self._reader = StretchReader()
        self._detector, self._mesh, self._identity = FaceDetector(), FaceMesh(), FaceIdentity.known()

    @property
    def instruments(self) -> list[str]:
        """What figures depend on beside model and frames: measures that could not be taken elsewhere."""
        return ["identity_distance"] if self._identity is not None else []

    def examine(self, held: HeldStretch, row: Row) -> Row:
        """HELD_FIGURES of an entry of the list.

        Args:
            held: which frames.
            row: STRETCH: where they lie.

        Raises:
            BrokenRowError: the row does not hold what it says, or its shard is gone.
        """
        material = self._material(held, row)
        true = material.pictures
        right = self._painted(held, material, material.windows)
        shuffled = self._painted(held, material, material.windows.roll(len(true) // 2, 0))
        copied = [self.laid(*pair) for pair in zip(true, map(self._pixels, material.references), strict=True)]
        mouths, seen = (openings_of(self._mouths(pictures)) for pictures in (right, list(true)))
        return {
            "name": held.name,
            "identity": held.identity,
            "num_frames": len(true),
            "mouth_psnr_db": self._mouth_psnr(right, true),
            "shuffled_psnr_db": self._mouth_psnr(shuffled, true),
            "copied_psnr_db": self._mouth_psnr(copied, true),
            "opening_correlation": correlation(mouths, seen),
            "loudness_correlation": correlation(material.loudness, seen),
            "shift_p": shift_p(mouths, seen),
            "leakage": self._leakage(held, material),
            "flicker_ratio": self._flicker(right, true),
            "identity_distance": self._identity_distance(right, true),
        }

    def laid(self, picture: Pixels, crop: Pixels) -> Pixels:
        """The picture with a crop's painted rows laid over it."""
        side = (picture.shape[1], picture.shape[0])
        laid = cv2.warpAffine(crop, self._to_picture, side, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        mask = self._mask(side)[..., None] > 0
        return np.where(mask, laid, picture).astype(np.uint8)

    def _material(self, held: HeldStretch, row: Row) -> _Material:
        stretch = self._stretch(row)
        mel = stretch_mel(stretch, row["lead_samples"])
        pictures = np.stack([decoded(picture) for picture in stretch["pictures"]])
        place = crop_grid(self._picture, self._crop)
        crops = np.stack([look(picture, place) for picture in pictures])
        chosen = range(held.first, held.first + held.num_frames)
        outside = np.array([index for index in range(len(crops)) if index not in chosen])
        openings = np.array(stretch["openings"], np.float32)
        candidates = crops[outside[closed_frames(openings[outside])]]
        picked = choose_references(candidates, (crops[index] for index in chosen), self._crop.mask_row)
        return _Material(
            pictures=pictures[chosen.start : chosen.stop],
            crops=[crops[index].tobytes() for index in chosen],
            references=[candidates[index].tobytes() for index in picked],
            windows=self._windows(mel, chosen),
            loudness=loudness_of(mel, chosen),
            openings=openings,
        )

    def _stretch(self, row: Row) -> Row:
        stretch = self._reader.read(row["shard_uri"], row["row_index"])
        require_whole(stretch, row["shard_uri"])
        return stretch

    def _windows(self, mel: Tensor, chosen: range) -> Tensor:
        starts = [frame_start(index, self._painter.sound) for index in chosen]
        return torch.stack([mel[:, start : start + STEPS_PER_WINDOW] for start in starts])

    def _painted(self, held: HeldStretch, material: _Material, windows: Tensor, every: int = 1) -> list[Pixels]:
        """Every n-th picture with the painted mouth in it."""
        crops, references = material.crops[::every], material.references[::every]
        painted = self._painter.paint(crops, references, windows[::every].contiguous(), (held.name, 0, 0))
        return [self.laid(*pair) for pair in zip(material.pictures[::every], map(self._pixels, painted), strict=True)]

    def _pixels(self, crop: bytes) -> Pixels:
        return self._painter.pixels(crop)

    def _mask(self, side: tuple[int, int]) -> NDArray[np.float32]:
        """[P, P] 1 where painted rows lie whole."""
        painted = np.zeros((self._crop.size_px, self._crop.size_px), np.float32)
        painted[self._crop.mask_row :] = 1
        mask = cv2.warpAffine(painted, self._to_picture, side, flags=cv2.INTER_LINEAR)
        return np.asarray(mask > 0.999, np.float32)

    def _mouth_psnr(self, painted: list[Pixels], true: Pixels) -> float:
        rows, columns = self._mouth_at()
        ours, theirs = (torch.from_numpy(np.stack(list(part))[:, rows, columns]) for part in (painted, true))
        values = psnr(ours.permute(0, 3, 1, 2), theirs.permute(0, 3, 1, 2), CODES)
        return float(values.clamp(max=EQUAL_DB).mean())

    def _mouth_at(self) -> tuple[slice, slice]:
        left, top, right, bottom = MOUTH
        scale, window = self._picture.size_px / self._picture.width, self._picture
        x0, x1 = (round((edge - window.left) * scale) for edge in (left, right))
        y0, y1 = (round((edge - window.top) * scale) for edge in (top, bottom))
        return slice(y0, y1), slice(x0, x1)

    def _mouths(self, pictures: list[Pixels]) -> list[Mouth | None]:
        return list(mouths_of(pictures, self._detector, self._mesh))

    def _leakage(self, held: HeldStretch, material: _Material) -> float | None:
        hushed = self._painted(held, material, torch.full_like(material.windows, SILENCE), HUSHED_EVERY)
        return leakage_of(self._mouths(hushed), [Mouth(np.empty((0, 2)), float(one)) for one in material.openings])[
            "leakage"
        ]

    def _flicker(self, painted: list[Pixels], true: Pixels) -> float | None:
        meter, mask = PatchMeter(), self._mask((true.shape[2], true.shape[1]))
        before, after = (
            luma(torch.from_numpy(np.stack(list(part))).permute(0, 3, 1, 2)).numpy() for part in (true, painted)
        )
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            meter.see(index, old, new, mask, scale=1)
        return meter.flicker_ratio

    def _identity_distance(self, painted: list[Pixels], true: Pixels) -> float | None:
        if self._identity is None:
            return None
        return self._identity.distance(painted[::HUSHED_EVERY], list(true[::HUSHED_EVERY]))


def loudness_of(mel: Tensor, frames: range) -> Floats:
    """[F] of the sound of frames of a stretch, whatever a model hears beside it; mel [80, S] with its margin."""
    starts = [MARGIN_STEPS + floor(STEPS_PER_FRAME * index) for index in frames]
    return np.array([float(mel[:, start : start + STEPS_OF_FRAME].mean()) for start in starts])


def openings_of(mouths: list[Mouth | None]) -> Floats:
    """[F] openings, NaN where no mouth was found."""
    return np.array([np.nan if mouth is None else mouth.opening for mouth in mouths])


def correlation(painted: Floats, true: Floats) -> float | None:
    """Of openings [F], or of what should follow them; None where the true ones hardly change.

    What does not move at all follows nothing: 0.
    """
    both = np.isfinite(painted) & np.isfinite(true)
    if both.sum() < FEWEST_PAIRS or np.ptp(true[both]) < STILL_RANGE:
        return None
    return correlation_of(painted, true) or 0.0
