"""Training windows out of the stretches of a data set: sample n is always the same, whoever draws it and when.

The pictures are decoded and cropped here, on CPUs; networks and noise are the trainer's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from diff2lip.config import CropConfig, SoundWindow
from diff2lip.mel import HOP_SAMPLES, SAMPLE_RATE_HZ, STEPS_PER_S, STEPS_PER_WINDOW, log_mel, window_start
from diff2lip.syncnet import WINDOW_FRAMES
from diff2lip.windows import Windows
from pipelines.clip_sound import INT16_FULL_SCALE
from pipelines.stage import Row
from pipelines.storage import read_table
from pipelines.stretch_index import BrokenRowError, StretchReader, length_ends
from pipelines.training_set import sound_of
from pipelines.window_change import ChangeConfig, Rng, crop_grid, draw_looks, look, recolour, rehear
from schemas.training import GRID_RATE, MARGIN_SAMPLES

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Batch = dict[str, NDArray[Any]]

STEPS_PER_FRAME = STEPS_PER_S / GRID_RATE  # 3.2
MARGIN_STEPS = MARGIN_SAMPLES // HOP_SAMPLES
STRETCH_DRAW, SAMPLE_DRAW = 1, 2  # what a generator is for, beside seed and number


SAMPLES_PER_FRAME = SAMPLE_RATE_HZ // GRID_RATE
MAX_ATTEMPTS = 8  # of drawing a sample from rows that are whole


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowConfig:
    """How windows are drawn."""

    crop: CropConfig
    picture: CropConfig  # what the pictures of the data set show
    sound: SoundWindow = SoundWindow.CENTRED
    change: ChangeConfig = field(default_factory=ChangeConfig)
    windows_per_stretch: int = 4  # drawn from one stretch after another: reading one costs more than drawing one
    seed: int = 0

    def __post_init__(self) -> None:
        if self.windows_per_stretch < 1:
            raise ValueError(f"windows_per_stretch must be at least 1, got {self.windows_per_stretch}")


class WindowSource:
    """Samples by number, out of some stretches."""

    def __init__(self, stretches: pa.Table, config: WindowConfig) -> None:
        """`stretches`: STRETCH rows, at least one, each of 15 frames or more."""
        self._config, self._reader = config, StretchReader()
        self._uris = stretches.column("shard_uri").to_pylist()
        self._rows, self._leads = (stretches.column(name).to_numpy() for name in ("row_index", "lead_samples"))
        self._ends = length_ends(stretches)
        self._heard: tuple[int, Floats] = (-1, np.empty((0, 0), np.float32))

    def draw(self, numbers: Sequence[int]) -> Batch:
        """The samples of these numbers: arrays with as many rows, named as the fields of `Windows`."""
        samples = [self._whole_sample(int(number)) for number in numbers]
        return {name: np.stack([sample[name] for sample in samples]) for name in samples[0]}

    def whole(self, stretch: int) -> tuple[Pixels, Floats]:
        """All crops [F, S, S, 3] of a stretch, unchanged, and what five frames from each on hear: [F, 80, 16].

        Raises:
            BrokenRowError: its row does not hold what it says.
        """
        row = self._reader.read(self._uris[stretch], int(self._rows[stretch]))
        require_whole(row, self._uris[stretch])
        place = crop_grid(self._config.picture, self._config.crop)
        crops = np.stack([look(decoded(picture), place) for picture in row["pictures"]])
        mel = self._mel(stretch, row)
        starts = [sequence_start(first) for first in range(len(crops))]
        return crops, np.stack([mel[:, start : start + STEPS_PER_WINDOW] for start in starts])

    def _whole_sample(self, number: int) -> Batch:
        """The sample of a number; where its row is broken, one of the next stretch that is drawn instead."""
        broken = []
        for attempt in range(MAX_ATTEMPTS):
            try:
                return self._sample(number, attempt)
            except BrokenRowError as error:
                broken.append(str(error))
        raise BrokenRowError(f"sample {number}: {MAX_ATTEMPTS} stretches in turn are broken: {'; '.join(broken)}")

    def _sample(self, number: int, attempt: int) -> Batch:
        config = self._config
        stretch = self._stretch(number // config.windows_per_stretch, attempt)
        row = self._reader.read(self._uris[stretch], int(self._rows[stretch]))
        require_whole(row, self._uris[stretch])
        rng = np.random.default_rng([config.seed, SAMPLE_DRAW, number, attempt])
        first, other, elsewhere = draw_places(row["num_frames"], rng)
        frames, reference = self._pictures(row, first, elsewhere, rng)
        heard = rehear(self._hear(stretch, row, first, other), config.change, rng)
        sound = {"mel": heard[:WINDOW_FRAMES], "sync_mel": heard[-2:-1], "other_mel": heard[-1:]}
        return {"ids": np.asarray(number, np.int64), "target": frames, "reference": reference, **sound}

    def _stretch(self, number: int, attempt: int) -> int:
        rng = np.random.default_rng([self._config.seed, STRETCH_DRAW, number, attempt])
        return int(np.searchsorted(self._ends, rng.integers(self._ends[-1]), side="right"))

    def _pictures(self, row: Row, first: int, elsewhere: int, rng: Rng) -> tuple[Pixels, Pixels]:
        config = self._config
        looks = draw_looks(config.picture, config.crop, config.change, rng)
        frames = [look(decoded(row["pictures"][first + place]), looks.frames) for place in range(WINDOW_FRAMES)]
        reference = look(decoded(row["pictures"][elsewhere]), looks.reference)
        return recolour(np.stack(frames), reference, config.change, rng)

    def _hear(self, stretch: int, row: Row, first: int, other: int) -> Floats:
        """[7, 80, 16] of each frame, of the five together, and of five others."""
        mel = self._mel(stretch, row)
        starts = [frame_start(first + place, self._config.sound) for place in range(WINDOW_FRAMES)]
        starts += [sequence_start(first), sequence_start(other)]
        return np.stack([mel[:, start : start + STEPS_PER_WINDOW] for start in starts])

    def _mel(self, stretch: int, row: Row) -> Floats:
        """[80, S] of a stretch, its sound brought to its picture; the last one is kept."""
        if self._heard[0] != stretch:
            self._heard = stretch, stretch_mel(row, int(self._leads[stretch])).numpy()
        return self._heard[1]


class DrawWindows:
    """Rows of sample blocks for Ray Data: row k holds samples k * size up to (k + 1) * size - 1."""

    def __init__(self, stretches_uri: str, config: WindowConfig, block_size: int) -> None:
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        self._source = WindowSource(read_table(stretches_uri), config)
        self._size = block_size

    def __call__(self, batch: Batch) -> Batch:
        blocks = [
            self._source.draw(range(one * self._size, (one + 1) * self._size)) for one in batch["block"].tolist()
        ]
        return {name: np.stack([block[name] for block in blocks]) for name in blocks[0]}


def as_windows(batch: dict[str, torch.Tensor]) -> Windows:
    """A batch of sample blocks [K, size, ...], or of samples [B, ...], as `Windows`."""
    nested = batch["ids"].ndim == 2
    flat = {name: values.flatten(0, 1) if nested else values for name, values in batch.items()}
    return Windows(
        ids=flat["ids"],
        target=as_crops(flat["target"]),
        reference=as_crops(flat["reference"]),
        **{name: flat[name] for name in ("mel", "sync_mel", "other_mel")},
    )


def draw_places(num_frames: int, rng: Rng) -> tuple[int, int, int]:
    """First of five frames, first of five others that share none with them, and a frame outside the five.

    Args:
        num_frames: of the stretch, at least 15: then there is always another five.
        rng: of this sample.
    """
    first = int(rng.integers(num_frames - WINDOW_FRAMES + 1))
    others = [start for start in range(num_frames - WINDOW_FRAMES + 1) if abs(start - first) >= WINDOW_FRAMES]
    elsewhere = int(rng.integers(num_frames - WINDOW_FRAMES))
    return first, int(rng.choice(others)), elsewhere if elsewhere < first else elsewhere + WINDOW_FRAMES


def frame_start(frame_index: int, window: SoundWindow) -> int:
    """First mel step of a frame's window, in the mel of a stretch with its margin: as films are painted."""
    return MARGIN_STEPS + window_start(Fraction(frame_index, GRID_RATE), window)


def sequence_start(first_frame: int) -> int:
    """First mel step that goes with five frames: as Wav2Lip trains its expert."""
    return MARGIN_STEPS + floor(STEPS_PER_FRAME * first_frame)


def stretch_mel(row: Row, lead_samples: int) -> torch.Tensor:
    """[80, S] of a row of UTTERANCE with its margin, its sound brought to its picture."""
    sound = shifted(sound_of(row).astype(np.float32) / np.float32(INT16_FULL_SCALE), lead_samples)
    return log_mel(torch.from_numpy(sound))


def shifted(sound: Floats, lead_samples: int) -> Floats:
    """A sound that came so much too late, earlier; silence where it has nothing."""
    result = np.zeros_like(sound)
    if lead_samples >= 0:
        result[: len(sound) - lead_samples] = sound[lead_samples:]
    else:
        result[-lead_samples:] = sound[:lead_samples]
    return result


def decoded(jpeg: bytes) -> Pixels:
    """[P, P, 3] RGB of a picture of a stretch.

    Raises:
        BrokenRowError: it is none.
    """
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB) if jpeg else None
    if pixels is None:
        raise BrokenRowError(f"a picture of {len(jpeg)} bytes cannot be decoded")
    return np.asarray(pixels, np.uint8)


def require_whole(row: Row, uri: str) -> None:
    """Refuse a row of UTTERANCE that does not hold what it says.

    Raises:
        BrokenRowError: pictures or sound are fewer or more than its frames.
    """
    samples = row["num_frames"] * SAMPLES_PER_FRAME + 2 * MARGIN_SAMPLES
    if len(row["pictures"]) != row["num_frames"] or len(row["sound"]) != 2 * samples:
        raise BrokenRowError(
            f"{uri}, {row['identity']}/{row['video']}/{row['utterance']}: {row['num_frames']} frames, but "
            f"{len(row['pictures'])} pictures and {len(row['sound'])} bytes of sound"
        )


def as_crops(codes: torch.Tensor) -> torch.Tensor:
    """[..., S, S, 3] uint8 to [..., 3, S, S] in [-1, 1]."""
    return codes.movedim(-1, -3).float() / 127.5 - 1
