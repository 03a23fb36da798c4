"""Stage 5, PaintMouths: the mouths of every face track that the plan wants painted, said by the model.

Frames go through the network in batches of a fixed size, and every batch is committed under the digest of what it
was made of: the crops, the sound that is heard, the weights. So a worker that dies loses one batch, and a changed
line of dialogue repaints the frames in which it is heard. Only a batch is in memory, however long the shot.
"""

import hashlib
import time
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor

from diff2lip.checkpoint import Checkpoint, load_checkpoint, read_config
from diff2lip.config import SamplerConfig
from diff2lip.mel import SILENCE
from diff2lip.mouth_weight import crop_mask
from diff2lip.precision import set_precision
from diff2lip.sampler import paint, track_noise
from diff2lip.unet import Condition
from pipelines.dub_mel import DubMel
from pipelines.eligibility import Eligibility
from pipelines.progress import Tell, untold
from pipelines.reference import choose_references
from pipelines.row_table import draft_table
from pipelines.stage import Row, RowStage
from pipelines.storage import ObjectStore, content_key, file_digest
from pipelines.stored_sound import stored_dub
from pipelines.track_frames import TrackFrames, frames_to_paint
from schemas.frames import PAINTED_FRAME
from schemas.reason import Verdict
from schemas.shot import CROPPED_SHOT, PAINTED_SHOT
from schemas.timing import fraction

VERSION = 3  # raised when the same facts give other pixels
FADE_FRAMES = 3  # in and out of painting, where the track is seen before and after

Bytes = NDArray[np.uint8]
NoiseIds = tuple[str, int, int]  # film, shot, track


class PaintMouths(RowStage):
    """Adds the painted crops of each track with verdict dub or review."""

    consumes: ClassVar[pa.Schema] = CROPPED_SHOT
    produces: ClassVar[pa.Schema] = PAINTED_SHOT

    def __init__(
        self, store_uri: str, model_path: str, sampler: SamplerConfig, eligibility: Eligibility, threads: int = 2
    ) -> None:
        self._eligibility = eligibility
        self._store = ObjectStore(store_uri)
        self._painter = Painter(Path(model_path), sampler, self._store, threads)

    def facts(self, row: Row) -> Row:
        if row["crops_uri"] is None:
            return {"painted": []}
        wanted = [verdict["track_index"] for verdict in row["verdicts"] if verdict["verdict"] != Verdict.LEAVE]
        painted = [self._paint_track(row, index) for index in wanted]
        return {"painted": [track for track in painted if track["num_frames"]]}

    def _paint_track(self, row: Row, track_index: int) -> Row:
        begin = time.monotonic()
        track = TrackFrames(row["tracks_uri"], track_index)
        chosen = frames_to_paint(row, track, self._eligibility)
        if not chosen:
            return {"track_index": track_index, "painted_uri": "", "num_frames": 0, "seconds": 0.0}
        uri = self._commit(self._painted(row, track, chosen))
        seconds = time.monotonic() - begin
        return {"track_index": track_index, "painted_uri": uri, "num_frames": len(chosen), "seconds": seconds}

    def _painted(self, row: Row, track: TrackFrames, pts: list[int]) -> Iterator[Row]:
        """The rows of PAINTED_FRAME of these frames of a track, painted batch by batch as they are taken."""
        noise_ids = (row["film_id"], row["shot_index"], track.index)
        references = self._references(row["crops_uri"], track, pts)
        weights = fade_weights(track.pts, pts, *_unseen(row, track.index))
        mel = DubMel(stored_dub(self._store, row), self._painter.sound)
        frames = track.cropped(row["crops_uri"], pts, ["affine", "landmarks", "crop"])
        for part in self._painter.batches(len(pts)):
            batch = list(islice(frames, part.stop - part.start))
            windows = mel.windows(_dub_times_s(row, pts[part]))
            sources = [frame["crop"] for frame in batch]
            crops = self._painter.paint(sources, references[part], windows, noise_ids, self.tell)
            for frame, crop, weight in zip(batch, crops, weights[part], strict=True):
                geometry = {name: frame[name] for name in ("pts", "affine", "landmarks")}
                yield geometry | {"weight": weight, "source": frame["crop"], "crop": crop}

    def _references(self, crops_uri: str, track: TrackFrames, pts: list[int]) -> list[bytes]:
        """The reference crop of each frame to paint; at most a few different ones."""
        candidates = [frame["crop"] for frame in track.cropped(crops_uri, track.closed, ["crop"])]
        pictures = np.stack([self._painter.pixels(crop) for crop in candidates])
        painted = (self._painter.pixels(frame["crop"]) for frame in track.cropped(crops_uri, pts, ["crop"]))
        return [candidates[index] for index in choose_references(pictures, painted, self._painter.mask_row)]

    def _commit(self, frames: Iterator[Row]) -> str:
        """Store rows of PAINTED_FRAME, in order of time, under the digest of what they hold."""
        digest = hashlib.sha256()
        with draft_table(self._store, PAINTED_FRAME) as table:
            for frame in frames:
                facts = (frame["pts"], frame["affine"], frame["weight"], frame["landmarks"])
                digest.update(repr(facts).encode())
                digest.update(frame["source"] + frame["crop"])
                table.add(frame)
            return table.commit(content_key("painted", VERSION, {"frames": digest.hexdigest()}))


def _dub_times_s(row: Row, pts: list[int]) -> list[Fraction]:
    """When frames are shown by the dub's clock: its sample 0 lies at the film's first frame."""
    time_base = fraction(row["time_base"])
    return [(moment - row["start_pts"]) * time_base for moment in pts]


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch of painted crops is made of, beside the model."""

    crops: list[bytes]
    references: list[bytes]
    windows: Tensor  # [B, 80, 16]
    noise_ids: NoiseIds


class Painter:
    """The network and what it was loaded from; loaded when the first batch is not in storage."""

    def __init__(self, model_path: Path, sampler: SamplerConfig, store: ObjectStore, threads: int) -> None:
        self._path, self._sampler, self._store, self._threads = model_path, sampler, store, threads
        config = read_config(model_path)
        self._crop, self.sound = config.crop, config.sound
        self._digest = file_digest(model_path)
        self._checkpoint: Checkpoint | None = None
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    @property
    def _seeds(self) -> tuple[int, int]:
        """Of the noise in the mask, and of the other noise."""
        return 2 * self._sampler.seed, 2 * self._sampler.seed + 1

    @property
    def mask_row(self) -> int:
        """First crop row that is painted."""
        return self._crop.mask_row

    def paint(
        self,
        crops: list[bytes],
        references: list[bytes],
        windows: Tensor,
        noise_ids: NoiseIds,
        tell: Tell = untold,
    ) -> list[bytes]:
        """Painted crops of a track's frames, in order; batches are padded to a fixed size.

        Args:
            crops: source crops, size x size x 3 bytes each.
            references: as many crops of the same person, with the mouth closed.
            windows: [F, 80, 16] mel windows.
            noise_ids: film, shot and track: what the noise is drawn from.
            tell: told of the frames of each batch.

        Returns:
            As many crops of the same layout; rows above the mask are the source's, to the bit.
        """
        painted: list[bytes] = []
        for part in self.batches(len(crops)):
            batch = Batch(crops[part], references[part], windows[part], noise_ids)
            key = self._key(batch)
            if not self._store.has(key):
                self._store.put(key, b"".join(self._paint_batch(batch)))
            painted += self._split(self._store.get(key))
            tell(len(batch.crops))
        return painted

    def batches(self, count: int) -> Iterator[slice]:
        """How so many frames go through the network: in batches of a fixed size, the last one shorter."""
        size = self._sampler.frames_per_batch
        return (slice(first, min(first + size, count)) for first in range(0, count, size))

    def _key(self, batch: "Batch") -> str:
        facts: dict[str, Any] = {
            "model": self._digest,
            "sampler": asdict(self._sampler),
            "noise": list(batch.noise_ids),
            "crops": hashlib.sha256(b"".join(batch.crops)).hexdigest(),
            "references": hashlib.sha256(b"".join(batch.references)).hexdigest(),
            "sound": hashlib.sha256(batch.windows.numpy().tobytes()).hexdigest(),
            "device": self._device.type,
            "threads": self._threads,
        }
        return content_key("paint-batch", VERSION, facts)

    def _paint_batch(self, batch: "Batch") -> list[bytes]:
        denoiser = self._load().denoiser
        size, count = self._crop.size_px, self._sampler.frames_per_batch
        source, reference = self._padded(batch.crops), self._padded(batch.references)
        mel = torch.full((count, *batch.windows.shape[1:]), SILENCE)
        mel[: len(batch.crops)] = batch.windows
        mask = crop_mask(self._crop)
        fill, other = (track_noise(*batch.noise_ids, size_px=size, seed=seed) for seed in self._seeds)
        start = fill if denoiser.config.shared_noise else other
        tensors = (source, reference, mask, fill, start)
        source, reference, mask, fill, start = (tensor.to(self._device) for tensor in tensors)
        with torch.inference_mode():
            sound = denoiser.encode_sound(mel.to(self._device))
        condition = Condition(source, mask, fill.expand_as(source), reference, sound)
        result = ((paint(denoiser, condition, self._sampler, start) + 1) * 127.5).round().clamp(0, 255)
        pixels = result[: len(batch.crops)].to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        return [self._keep_known(crop, image) for crop, image in zip(batch.crops, pixels, strict=True)]

    def _keep_known(self, crop: bytes, painted: Bytes) -> bytes:
        known = self.pixels(crop)[: self._crop.mask_row]
        return np.concatenate([known, painted[self._crop.mask_row :]]).tobytes()

    def _padded(self, crops: list[bytes]) -> Tensor:
        """[B, 3, S, S] in [-1, 1]; what a short batch lacks is grey."""
        size = self._crop.size_px
        pixels = torch.full((self._sampler.frames_per_batch, 3, size, size), 127.5)
        pixels[: len(crops)] = torch.from_numpy(np.stack([self.pixels(crop) for crop in crops])).permute(0, 3, 1, 2)
        return (pixels / 127.5 - 1).contiguous(memory_format=torch.channels_last)

    def pixels(self, crop: bytes) -> Bytes:
        """[S, S, 3] of a crop's bytes."""
        return np.frombuffer(crop, np.uint8).reshape(self._crop.size_px, self._crop.size_px, 3)

    def _split(self, joined: bytes) -> list[bytes]:
        step = 3 * self._crop.size_px**2
        return [joined[first : first + step] for first in range(0, len(joined), step)]

    def _load(self) -> Checkpoint:
        if self._checkpoint is None:
            torch.set_num_threads(self._threads)
            self._checkpoint = load_checkpoint(self._path)
            network = self._checkpoint.denoiser.to(memory_format=torch.channels_last).to(self._device)
            set_precision(network, self._sampler.precision)
        return self._checkpoint


def _unseen(row: Row, track_index: int) -> tuple[bool, bool]:
    """Whether a track begins in mid-shot, and whether it ends there: its face is no less in the picture for it."""
    track = next(one for one in row["tracks"] if one["track_index"] == track_index)
    return track["start_pts"] > row["shot_start_pts"], track["end_pts"] < row["shot_end_pts"]


def fade_weights(
    track_pts: list[int], painted_pts: list[int], begins_late: bool = False, ends_early: bool = False
) -> list[float]:
    """Share of the painted mouth at each painted frame: ramps where an unpainted frame adjoins, but not at a cut.

    Args:
        track_pts: all frames of the track, ascending.
        painted_pts: those painted, a subset.
        begins_late: frames of the shot lie before the track.
        ends_early: frames of the shot lie after it.

    Returns:
        One weight in (0, 1] for each of `painted_pts`; 1 everywhere when a whole shot is painted.
    """
    painted = set(painted_pts)
    position = {pts: index for index, pts in enumerate(track_pts)}
    within = [index for index, pts in enumerate(track_pts) if pts not in painted]
    borders = [*([-1] if begins_late else []), *within, *([len(track_pts)] if ends_early else [])]  # ascending
    return [_fade(position[pts], borders) for pts in painted_pts]


def _fade(index: int, borders: list[int]) -> float:
    place = bisect_left(borders, index)
    nearest = borders[max(place - 1, 0) : place + 1]
    distance = min((abs(index - border) for border in nearest), default=FADE_FRAMES + 1)
    return min(1.0, distance / (FADE_FRAMES + 1))
