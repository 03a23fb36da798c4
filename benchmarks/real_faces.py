"""Real crops of a real face with a real voice beside them, for benchmarks of what is painted."""

import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor

from diff2lip.config import CropConfig
from diff2lip.mel import log_mel, mel_window
from jobs.demo_lines import LINES
from pipelines.assets import asset_path
from pipelines.crops import cropped_frames
from pipelines.faces import TrackFaces
from pipelines.media.probe import probe_film
from pipelines.media.sound import read_mono
from pipelines.reference import choose_references, closed_frames
from pipelines.track_frames import TrackFrames
from schemas.shot import ALIGNED_SHOT
from schemas.timing import rational


@dataclass(frozen=True, slots=True)
class RealFaces:
    """Frames of one face track, evenly spaced, and the sound that is to be said."""

    crops: Tensor  # [F, 3, S, S] in [-1, 1]
    references: Tensor  # [F, 3, S, S] in [-1, 1], of the same person with the mouth closed
    windows: Tensor  # [F, 80, 16]


def real_faces(clip: str, crop: CropConfig, num_frames: int, max_s: float = 4.0) -> RealFaces:
    """Faces of a clip with the first take of the demo's dub, which is another voice in another language.

    Args:
        clip: name of an asset.
        crop: what the model sees.
        num_frames: wanted.
        max_s: of the clip that is looked at.
    """
    face = real_face(clip, crop, max_s)
    chosen = np.linspace(0, len(face.crops) - 1, num_frames).round().astype(int)
    candidates = closed_frames(face.openings)
    closed = candidates[choose_references(face.crops[candidates], face.crops[chosen], crop.mask_row)]
    mel = log_mel(torch.from_numpy(read_mono(LINES[0].take)))
    windows = [mel_window(mel, face.times_s[index]) for index in chosen]
    return RealFaces(_tensor(face.crops[chosen]), _tensor(face.crops[closed]), torch.stack(windows))


@dataclass(frozen=True, slots=True)
class RealFace:
    """Every frame of a face track in which the face is seen.

    Attributes:
        crops: [F, S, S, 3].
        openings: [F] of the mouth.
        times_s: F moments, from the clip's beginning.
    """

    crops: NDArray[np.uint8]
    openings: NDArray[np.float32]
    times_s: list[Fraction]


def real_face(clip: str, crop: CropConfig, max_s: float, track: int = 0) -> RealFace:
    """One face of a clip, as the dub would see it.

    Args:
        clip: name of an asset.
        crop: what the model sees.
        max_s: of the clip that is looked at.
        track: which of its face tracks.
    """
    path = asset_path(clip)
    with tempfile.TemporaryDirectory() as folder:
        row = _row(path, max_s)
        tracked = TrackFaces(store_uri=folder, crop=crop)(pa.Table.from_pylist([row], schema=ALIGNED_SHOT)).to_pylist()
        seen = TrackFrames(tracked[0]["tracks_uri"], track).seen
        frames = list(cropped_frames(tracked[0], {track: seen}, crop.size_px))
    time_base = Fraction(row["time_base"]["num"], row["time_base"]["den"])
    return RealFace(
        crops=np.stack([_pixels(frame["crop"], crop.size_px) for frame in frames]),
        openings=np.array([frame["opening"] for frame in frames], np.float32),
        times_s=[(frame["pts"] - row["start_pts"]) * time_base for frame in frames],
    )


def _row(path: Path, max_s: float) -> dict[str, Any]:
    probe = probe_film(path)
    end = min(probe.end_pts, probe.start_pts + round(Fraction(max_s) / probe.time_base))
    row: dict[str, Any] = {field.name: _empty(field) for field in ALIGNED_SHOT}
    return row | {
        "film_uri": str(path),
        "time_base": rational(probe.time_base),
        "frame_rate": rational(probe.frame_rate),
        "start_pts": probe.start_pts,
        "end_pts": probe.end_pts,
        "shot_start_pts": probe.start_pts,
        "shot_end_pts": end,
    }


def _empty(field: pa.Field) -> object:
    if pa.types.is_list(field.type):
        return []
    return "" if pa.types.is_string(field.type) else 0 if pa.types.is_integer(field.type) else None


def _pixels(crop: bytes, size_px: int) -> np.ndarray:
    return np.frombuffer(crop, np.uint8).reshape(size_px, size_px, 3)


def _tensor(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
