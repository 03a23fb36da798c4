"""What a lip-sync expert makes of a mouth and of a sound over time, and how well the two fit in their place.

Prajwal et al., "A Lip Sync Expert Is All You Need for Speech to Lip Generation In the Wild" (2020), section 3: vectors
of five frames and of their sound, whose cosine says whether they belong together. Over a piece of speech that is asked
for the sound in its place and up to a third of a second away, as Chung and Zisserman find who speaks ("Out of Time:
Automated Lip Sync in the Wild", 2016, section 4). What counts is by how many standard deviations over all places it is
higher in its own, so experts of any scale can be asked.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from diff2lip.checkpoint import CROP_KEY, read_lineage
from diff2lip.config import CropConfig, whole_face
from diff2lip.losses import expert_faces
from diff2lip.mel import STEPS_PER_S
from diff2lip.syncnet import WINDOW_FRAMES, Expert
from diff2lip.weights_file import Kind
from pipelines.dub_mel import DubMel
from pipelines.expected_opening import GRID_HZ
from pipelines.speaking import LATE_STEPS, LEAD_STEPS
from pipelines.speech import SampleSpan
from pipelines.stored_sound import Sound
from pipelines.training_windows import as_crops
from schemas.timing import ANALYSIS_RATE_HZ
from schemas.training import GRID_RATE

Pixels = NDArray[np.uint8]  # [S, S, 3] RGB
Vectors = dict[int, NDArray[np.float32]]  # [C] of length 1, by the first of five steps of the grid of 25 fps

REACH = 8  # steps, both ways, by which the sound is shifted
IN_PLACE = range(-LEAD_STEPS * GRID_RATE // GRID_HZ, LATE_STEPS * GRID_RATE // GRID_HZ + 1)
MIN_WINDOWS = 8  # of a piece; of less nothing can be said
BATCH = 16  # windows at once


class MouthVectors:
    """Makes vectors of the crops of one face as they come; some twenty crops are in memory."""

    def __init__(self, expert: Expert) -> None:
        """`expert`: in eval mode."""
        self._expert = expert
        self._crops: list[Pixels] = []
        self._next: int | None = None
        self._vectors: Vectors = {}

    def add(self, step: int, crop: Pixels) -> None:
        """The face at a step of the grid, in order; where steps are left out no window reaches across."""
        if step != self._next:
            self._embed()
            self._crops = []
        self._crops.append(crop)
        self._next = step + 1
        if len(self._crops) == BATCH + WINDOW_FRAMES - 1:
            self._embed()
            self._crops = self._crops[BATCH:]

    def done(self) -> Vectors:
        """All vectors, after the last crop."""
        self._embed()
        self._crops = []
        return self._vectors

    @torch.inference_mode()
    def _embed(self) -> None:
        """Of all windows that lie in the crops at hand."""
        count = len(self._crops) - WINDOW_FRAMES + 1
        if self._next is None or count < 1:
            return
        crops = as_crops(torch.from_numpy(np.stack(self._crops)))
        windows = torch.stack([crops[first : first + WINDOW_FRAMES] for first in range(count)])
        vectors = self._expert.embed_faces(expert_faces(self._expert, windows)).numpy()
        first = self._next - len(self._crops)
        self._vectors |= {first + place: vector for place, vector in enumerate(vectors)}


@torch.inference_mode()
def sound_vectors(expert: Expert, sound: Sound, steps: Iterable[int]) -> Vectors:
    """The vectors of a sound at steps of the grid, and everywhere that they are compared with.

    Args:
        expert: in eval mode.
        sound: [N] mono at 16 kHz, sample 0 at film time 0.
        steps: of mouths.
    """
    wanted = sorted({step + shift for step in steps for shift in range(-REACH, REACH + 1)})
    mel, found = DubMel(sound), Vectors()
    for begin in range(0, len(wanted), BATCH):
        part = wanted[begin : begin + BATCH]
        windows = mel.windows_from([step * STEPS_PER_S // GRID_RATE for step in part])
        found |= dict(zip(part, expert.embed_sound(windows[:, None]).numpy(), strict=True))
    return found


def fit_of(mouth: Vectors, sound: Vectors, piece: SampleSpan) -> float:
    """How much better a piece of sound fits a mouth in its place than elsewhere, in standard deviations.

    NaN where the mouth is seen in fewer than eight windows of it.

    Args:
        mouth: vectors of it.
        sound: vectors at the same steps and around them.
        piece: in samples.
    """
    middles = {step: (step + WINDOW_FRAMES / 2) * ANALYSIS_RATE_HZ / GRID_RATE for step in mouth}
    steps = [step for step, middle in middles.items() if piece[0] <= middle < piece[1]]
    if len(steps) < MIN_WINDOWS:
        return float("nan")
    shifts = range(-REACH, REACH + 1)
    likeness = np.array([np.mean([mouth[step] @ sound[step + shift] for step in steps]) for shift in shifts])
    in_place = likeness[IN_PLACE.start + REACH : IN_PLACE.stop + REACH].max()
    return float((in_place - likeness.mean()) / max(float(likeness.std()), 1e-9))


def expert_crop(path: Path, side_px: int) -> CropConfig:
    """The window that an expert was trained on; of a published one, which does not say, nearly its window.

    Args:
        path: its checkpoint.
        side_px: of the crops that a published one sees.
    """
    trained = read_lineage(path, Kind.EXPERT).get(CROP_KEY)
    return CropConfig(**json.loads(trained)) if trained else whole_face(side_px)
