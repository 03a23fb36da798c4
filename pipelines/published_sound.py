"""What the published data path hears at each frame: 16 steps of log-mel, counted in whole frames of 25 fps."""

import torch
from torch import Tensor

from diff2lip.mel import NUM_MELS, STEPS_PER_S, STEPS_PER_WINDOW
from pipelines.media.published_frames import FRAME_RATE


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
