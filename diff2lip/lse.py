"""LSE-D and LSE-C: how far the judge finds lips from sound, and how sure it is.

Chung & Zisserman, "Out of Time: Automated Lip Sync in the Wild" (2016), section 4; Prajwal et al., "A Lip Sync Expert
Is All You Need for Speech to Lip Generation In the Wild" (2020), section 4, name the two figures.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from diff2lip.mel import SAMPLE_RATE_HZ
from diff2lip.mfcc import STEP_SAMPLES, mfcc
from diff2lip.syncnet import CEPSTRA_PER_WINDOW, JUDGE_SIZE_PX, WINDOW_FRAMES, Judge

FRAME_RATE = 25  # the judge knows no other
FRAME_MS = 1000 // FRAME_RATE
FRAME_SAMPLES = SAMPLE_RATE_HZ // FRAME_RATE
COLUMNS_PER_FRAME = FRAME_SAMPLES // STEP_SAMPLES  # 4 MFCC columns
MIN_FRAMES = WINDOW_FRAMES + 1  # the published protocol leaves the last whole window out
MAX_SHIFT = 15  # frames, both ways: 0.6 s
INT16_FULL_SCALE = 32768


class TooFewFramesError(ValueError):
    """A film too short for one window of frames."""


class SoundTooShortError(ValueError):
    """A sound too short for one window."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lse:
    """What the judge says of one face over one sound."""

    lse_d: float  # the smallest mean distance; lower is better
    lse_c: float  # the median of the mean distances minus the smallest; higher is better
    offset_frames: int  # at 25 fps; positive: the picture comes after the sound
    distances: tuple[float, ...]  # mean distance at each shift: sound 15 frames before the picture, ..., 15 after

    @property
    def av_offset_ms(self) -> int:
        """The offset with this project's sign: positive = sound after picture."""
        return -self.offset_frames * FRAME_MS


def measure_lse(judge: Judge, frames: Tensor, sound: Tensor, windows_per_batch: int = 16) -> Lse:
    """Score a face crop film against its sound, by the published protocol.

    Beside its arguments this holds one batch of windows at a time, and 8 KB of vectors a frame.

    Args:
        judge: in eval mode, on any device.
        frames: [F, 3, 224, 224] RGB in 0..255, uint8 or float, at 25 fps; frame 0 at time 0.
        sound: [N] mono at 16 kHz, int16 or float in [-1, 1]; sample 0 at time 0.
        windows_per_batch: memory only.

    Returns:
        The score over windows 0 up to min(F, N // 640) - 6.

    Raises:
        TooFewFramesError: fewer than 6 frames.
        SoundTooShortError: sound for fewer than 6 frames.
        ValueError: another shape, or a judge in training mode.
    """
    if judge.training:
        raise ValueError("the judge is in training mode: its batch norms would judge by the batch")
    num_windows = _num_windows(frames, sound)
    cepstra = mfcc(to_int16(sound))
    vectors = [
        _embed(judge, frames, cepstra, first, min(first + windows_per_batch, num_windows))
        for first in range(0, num_windows, windows_per_batch)
    ]
    sounds, lips = (torch.cat(parts) for parts in zip(*vectors, strict=True))
    return lse_of(sounds, lips)


def lse_of(sounds: Tensor, lips: Tensor, max_shift: int = MAX_SHIFT) -> Lse:
    """The score of the judge's vectors: for each shift s the mean over windows of |lips[v] - sounds[v + s]|.

    Where a shift leads beyond the sound, its vector is zeros, as published.

    Args:
        sounds: [V, C] vectors of the sound windows 0, 1, 2, ...
        lips: [V, C] vectors of the face windows.
        max_shift: frames tried, both ways.

    Raises:
        ValueError: the two differ in shape, or hold no window.
    """
    if sounds.shape != lips.shape or not len(lips):
        raise ValueError(f"sounds and lips must be [V, C] alike, got {list(sounds.shape)} and {list(lips.shape)}")
    padded = functional.pad(sounds, (0, 0, max_shift, max_shift))
    shifted = (padded[first : first + len(lips)] for first in range(2 * max_shift + 1))
    # pairwise_distance adds 1e-6 to each difference: too little to see, but published
    distances = torch.stack([functional.pairwise_distance(lips, window).mean() for window in shifted])
    nearest = int(distances.argmin())
    return Lse(
        lse_d=float(distances[nearest]),
        lse_c=float(distances.median() - distances[nearest]),
        offset_frames=max_shift - nearest,
        distances=tuple(distances.tolist()),
    )


def to_int16(sound: Tensor) -> Tensor:
    """A sound in [-1, 1] as int16, rounded and clipped; int16 as it is.

    Raises:
        ValueError: another type of integer.
    """
    if sound.dtype == torch.int16:
        return sound
    if not sound.is_floating_point():
        raise ValueError(f"a sound is int16 or float in [-1, 1], got {sound.dtype}")
    scaled = (sound * INT16_FULL_SCALE).round()
    return scaled.clamp(-INT16_FULL_SCALE, INT16_FULL_SCALE - 1).to(torch.int16)


def _num_windows(frames: Tensor, sound: Tensor) -> int:
    if sound.ndim != 1 or frames.ndim != 4 or frames.shape[1:] != (3, JUDGE_SIZE_PX, JUDGE_SIZE_PX):
        raise ValueError(f"need [F, 3, 224, 224] and [N], got {list(frames.shape)} and {list(sound.shape)}")
    if len(frames) < MIN_FRAMES:
        raise TooFewFramesError(f"{len(frames)} frames: lip sync is measured over at least {MIN_FRAMES} at 25 fps")
    if len(sound) < MIN_FRAMES * FRAME_SAMPLES:
        raise SoundTooShortError(
            f"{len(sound)} samples of sound: lip sync is measured over at least {MIN_FRAMES * FRAME_SAMPLES} at 16 kHz"
        )
    return min(len(frames), len(sound) // FRAME_SAMPLES) - WINDOW_FRAMES


@torch.inference_mode()
def _embed(judge: Judge, frames: Tensor, cepstra: Tensor, first: int, end: int) -> tuple[Tensor, Tensor]:
    """The vectors of the windows [first, end), on the CPU."""
    device = next(judge.parameters()).device
    faces = frames[first : end - 1 + WINDOW_FRAMES].to(device).float().flip(1)  # RGB -> BGR
    windows = faces.unfold(0, WINDOW_FRAMES, 1).permute(0, 1, 4, 2, 3)  # [F, 3, H, W] -> [B, 3, 5, H, W]
    columns = cepstra[:, first * COLUMNS_PER_FRAME : (end - 1) * COLUMNS_PER_FRAME + CEPSTRA_PER_WINDOW]
    heard = columns.unfold(1, CEPSTRA_PER_WINDOW, COLUMNS_PER_FRAME).permute(1, 0, 2)[:, None]  # -> [B, 1, 13, 20]
    sounds, lips = judge(heard.to(device), windows)
    return sounds.cpu(), lips.cpu()
