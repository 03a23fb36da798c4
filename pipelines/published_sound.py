"""What the published data path hears at each frame: 16 steps of log-mel, counted in whole frames of 25 fps."""

from enum import StrEnum

import torch
from torch import Tensor
from torch.nn import functional

from diff2lip.mel import (
    FFT_SAMPLES,
    HOP_SAMPLES,
    NUM_MELS,
    PRE_EMPHASIS,
    STEPS_PER_S,
    STEPS_PER_WINDOW,
    log_mel,
    mel_filters,
)
from pipelines.media.published_frames import FRAME_RATE


class Padding(StrEnum):
    """What lies beyond the ends of the sound: two versions of librosa differ, and both were used."""

    ZERO = "zero"  # librosa 0.9 and later: what Diff2Lip pins
    REFLECT = "reflect"  # librosa 0.8 and earlier: what Wav2Lip and its followers trained with


def published_mel(wave: Tensor, padding: Padding = Padding.ZERO) -> Tensor:
    """[80, 1 + N // 200] log-mel of [N] mono sound at 16 kHz, in [-4, 4]; only the first and last steps differ.

    Raises:
        ValueError: a sound of 400 samples or fewer cannot be reflected.
    """
    if padding is Padding.ZERO:
        return log_mel(wave)
    if len(wave) <= FFT_SAMPLES // 2:
        raise ValueError(f"a sound of {len(wave)} samples cannot be reflected over {FFT_SAMPLES // 2}")
    emphasised = torch.cat([wave[:1], wave[1:] - PRE_EMPHASIS * wave[:-1]])
    padded = functional.pad(emphasised[None], (FFT_SAMPLES // 2, FFT_SAMPLES // 2), mode="reflect")[0]
    window = torch.hann_window(FFT_SAMPLES, dtype=wave.dtype)
    spectrum = torch.stft(padded, FFT_SAMPLES, HOP_SAMPLES, window=window, center=False, return_complex=True).abs()
    level_db = 20 * torch.log10((mel_filters() @ spectrum).clamp(min=1e-5)) - 20
    return (8 * (level_db + 100) / 100 - 4).clamp(-4, 4)


def window_step(frame_index: int) -> int:
    """First mel step of a frame's window: floor(80 max(k - 1, 0) / 25), so it covers frames k - 1 up to k + 3."""
    return int(STEPS_PER_S * max(frame_index - 1, 0) / FRAME_RATE)


def num_windows(num_steps: int) -> int:
    """How many frames have their whole window in a mel of so many steps; at the end three frames have none."""
    count = 0
    while window_step(count) + STEPS_PER_WINDOW <= num_steps:
        count += 1
    return count


def published_windows(mel: Tensor) -> Tensor:
    """[F, 80, 16] mel windows of frames 0, 1, 2, ... of a log-mel [80, S], as many as fit."""
    starts = [window_step(index) for index in range(num_windows(mel.shape[1]))]
    windows = [mel[:, start : start + STEPS_PER_WINDOW] for start in starts]
    return torch.stack(windows) if windows else mel.new_empty(0, NUM_MELS, STEPS_PER_WINDOW)
