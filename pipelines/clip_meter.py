"""What is measured of a clip's frames as they pass: the sharpness of the face, and what the judge says of its lips."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from diff2lip.config import CropConfig
from diff2lip.lse import MIN_FRAMES, Lse, measure_lse
from diff2lip.syncnet import JUDGE_SIZE_PX, Judge
from pipelines.clip_face import ClipFace
from pipelines.clip_sound import FRAME_SAMPLES, Codes
from pipelines.face_crop import crop_frame
from pipelines.training_window import TRAINING_WINDOW

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]  # [H, W, 3] RGB

JUDGE_MARGIN = 0.4  # of half a face's longer side, as SyncNet's own pipeline cuts: more below than above


class ClipMeter:
    """Looks at the frames of a clip's stretches. Beside its numbers it holds the frames for the judge."""

    def __init__(self, face: ClipFace, judge: Judge | None, max_judged_frames: int) -> None:
        self._face, self._judge = face, judge
        longest = max(face.stretches, key=len)
        self._judged = longest[:max_judged_frames] if judge is not None else range(0)
        self._faces: list[Pixels] = []
        self._sharpness: list[float] = []

    def see(self, frame_index: int, frame: Pixels, window: Pixels) -> None:
        """Look at a frame of a stretch and its `TRAINING_WINDOW`."""
        self._sharpness.append(sharpness(window))
        if frame_index in self._judged:
            box = self._face.track.boxes[self._face.place(frame_index)]
            self._faces.append(crop_frame(frame, judge_affine(box), JUDGE_SIZE_PX))

    @property
    def sharpness(self) -> float:
        """Median over the frames."""
        return float(np.median(self._sharpness))

    def lse(self, sound: Codes) -> Lse | None:
        """What the judge says of the longest stretch; None without a judge, or when it is too short for one.

        Args:
            sound: of the whole clip, sample 0 at frame 0.
        """
        if self._judge is None or len(self._judged) < MIN_FRAMES:
            return None
        start, end = self._judged.start * FRAME_SAMPLES, self._judged.stop * FRAME_SAMPLES
        faces = torch.from_numpy(np.stack(self._faces)).permute(0, 3, 1, 2)
        return measure_lse(self._judge, faces, torch.from_numpy(sound[start:end].copy()))


def sharpness(window: Pixels) -> float:
    """Variance of the Laplacian of the luma of the lower face, in squared 8-bit codes.

    Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy: a comparative study" (2000). The window has
    one size whatever that of the face was, so a small face that was enlarged is as blurred here as it is to a model.

    Args:
        window: [192, 192, 3] `TRAINING_WINDOW`.
    """
    luma = cv2.cvtColor(window[_part(TRAINING_WINDOW, CropConfig())], cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(luma, cv2.CV_64F).var())


def judge_affine(box: Floats) -> Floats:
    """[2, 3] from film pixels to the judge's square: the face with 0.4 of half its longer side around it."""
    half = max(box[2] - box[0], box[3] - box[1]) / 2
    scale = JUDGE_SIZE_PX / (2 * half * (1 + JUDGE_MARGIN))
    centre = (box[:2] + box[2:]) / 2 + [0.0, JUDGE_MARGIN * half]
    return np.hstack([scale * np.eye(2), ((JUDGE_SIZE_PX - 1) / 2 - scale * centre)[:, None]])


def _part(window: CropConfig, part: CropConfig) -> tuple[slice, slice]:
    """Rows and columns of a window that another one covers."""
    scale = window.size_px / window.width
    top, left = (round((low - edge) * scale) for low, edge in ((part.top, window.top), (part.left, window.left)))
    side = round(part.width * scale)
    return slice(top, top + side), slice(left, left + side)
