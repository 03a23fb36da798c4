"""What the `small` painter is trained from, as tensors on one device."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.io import ImageReadMode, decode_jpeg

STEPS_BEFORE = 8  # of the mel window, before its moment


@dataclass(frozen=True, slots=True)
class Window:
    """The square of the face frame that stored pictures show (unit: distance of the outer eye corners)."""

    left: float
    top: float
    size: float


@dataclass(frozen=True, slots=True)
class Stills:
    """Faces with closed lips.

    Attributes:
        images: [N, 3, P, P] uint8.
        mouths: [N, 4, 2] left and right corner, inner top and bottom, in image px.
        window: what the images show.
    """

    images: Tensor
    mouths: Tensor
    window: Window


@dataclass(frozen=True, slots=True)
class Speech:
    """Sound with known visemes.

    Attributes:
        mel: [80, T] uint8 over [-4, 4].
        visemes: [T, 2] opening and width at each mel step.
        usable: [U] steps whose window lies within one utterance.
        openings: [T] all openings, ascending.
    """

    mel: Tensor
    visemes: Tensor
    usable: Tensor
    openings: Tensor


@dataclass(frozen=True, slots=True)
class Clips:
    """Real film.

    Attributes:
        frames: [M, 3, P, P] uint8.
        clip_first: [M] index of the first frame of each frame's clip.
        clip_last: [M] index of its last frame.
        steps: [M] mel step at the middle of the frame's window, in `mel`.
        heard: [M] 1 where the person seen speaks.
        rank: [M] place of the mouth's opening among those of its clip, 0 closed .. 1 widest.
        mel: [80, T] uint8 over [-4, 4].
        window: what the frames show.
    """

    frames: Tensor
    clip_first: Tensor
    clip_last: Tensor
    steps: Tensor
    heard: Tensor
    rank: Tensor
    mel: Tensor
    window: Window


@dataclass(frozen=True, slots=True)
class Pack:
    """Everything that is trained from and, under `held_`, what never is."""

    stills: Stills
    speech: Speech
    clips: Clips
    held_stills: Stills
    held_speech: Speech
    held_clips: dict[str, Clips]


Arrays = dict[str, NDArray[Any]]

HELD_CLIPS = {"held_seconds": "held_clips", "held_speaker": "held_obama", "held_english": "held_englishvideo"}


def load_pack(folder: Path, device: torch.device) -> Pack:
    """Read a training pack onto a device; its layout is told in `jobs/training_pack.py`.

    Raises:
        FileNotFoundError: the pack was not made.
    """
    parts = {path.stem: dict(np.load(path)) for path in folder.glob("*.npz")}
    if "stills" not in parts:
        raise FileNotFoundError(f"no training pack in {folder}: make it with `python -m jobs.training_pack`")
    held = {name: parts[part] for name, part in HELD_CLIPS.items() if part in parts}
    return Pack(
        stills=_stills(parts["stills"], device),
        speech=_speech(parts["speech"], device),
        clips=_clips(parts["clips"], device),
        held_stills=_stills(parts["held_stills"], device),
        held_speech=_speech(parts["held_speech"], device),
        held_clips={name: _clips(part, device, only_heard=True) for name, part in held.items()},
    )


def _pictures(part: Arrays, device: torch.device) -> Tensor:
    """[N, 3, P, P] uint8 of the JPEGs that lie end to end."""
    data, offsets = torch.from_numpy(part["jpeg"]), part["offsets"]
    pairs = pairwise(offsets.tolist())
    return torch.stack([decode_jpeg(data[low:high], mode=ImageReadMode.RGB) for low, high in pairs]).to(device)


def _window(part: Arrays) -> Window:
    return Window(*(float(value) for value in part["window"]))


def _stills(part: Arrays, device: torch.device) -> Stills:
    return Stills(_pictures(part, device), torch.from_numpy(part["mouth"]).float().to(device), _window(part))


def _speech(part: Arrays, device: torch.device) -> Speech:
    start = part["start"].tolist()
    inside = [torch.arange(low + STEPS_BEFORE, high - STEPS_BEFORE) for low, high in pairwise(start)]
    visemes = torch.from_numpy(part["shape"]).float()
    mel, usable = torch.from_numpy(part["mel"]).to(device), torch.cat(inside)
    return Speech(mel, visemes.to(device), usable.to(device), visemes[usable, 0].sort().values.to(device))


def _clips(part: Arrays, device: torch.device, *, only_heard: bool = False) -> Clips:
    kept = np.flatnonzero(part["heard"] > 0) if only_heard else np.arange(len(part["clip"]))
    clip, openings = torch.from_numpy(part["clip"][kept]).long(), torch.from_numpy(part["shape"][kept]).float()
    groups = [torch.nonzero(clip == index)[:, 0] for index in range(int(clip.max()) + 1)]
    first, last, rank = torch.zeros_like(clip), torch.zeros_like(clip), torch.zeros(len(clip))
    for group in groups:
        if len(group):
            first[group], last[group] = group[0], group[-1]
            rank[group] = openings[group, 0].argsort().argsort().float() / len(group)
    steps = torch.from_numpy(part["step"][kept]).long().clamp(STEPS_BEFORE, part["mel"].shape[1] - STEPS_BEFORE)
    return Clips(
        frames=_pictures(part, torch.device("cpu"))[torch.from_numpy(kept)].to(device),
        clip_first=first.to(device),
        clip_last=last.to(device),
        steps=steps.to(device),
        heard=torch.from_numpy(part["heard"][kept]).float().to(device),
        rank=rank.to(device),
        mel=torch.from_numpy(part["mel"]).to(device),
        window=_window(part),
    )
