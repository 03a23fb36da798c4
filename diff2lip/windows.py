"""A batch of training windows: five frames after one another, somebody's reference, and what is heard."""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from diff2lip.noise_levels import NUM_LEVELS
from diff2lip.training_config import NoiseConfig

SEED_STRIDE = 1 << 20  # seeds of trainings lie so far apart; a prime step would do as well


@dataclass(frozen=True, slots=True)
class Windows:
    """A batch.

    Attributes:
        ids: [B] int64 numbers of the samples: all that is random about one follows from its own.
        target: [B, 5, 3, S, S] crops in [-1, 1], 40 ms apart.
        reference: [B, 3, S, S] the same person elsewhere in the video, never one of the five.
        mel: [B, 5, 80, 16] what each frame hears.
        sync_mel: [B, 1, 80, 16] what the five hear together.
        other_mel: [B, 1, 80, 16] the same length of the same video at another time.
    """

    ids: Tensor
    target: Tensor
    reference: Tensor
    mel: Tensor
    sync_mel: Tensor
    other_mel: Tensor

    def to(self, device: torch.device) -> "Windows":
        """The same on a device."""
        return Windows(*(getattr(self, one.name).to(device) for one in fields(self)))

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Noise:
    """What is random about a batch of windows; each window's share follows from its id alone.

    Attributes:
        t: [B] int64 level, the same for the five frames.
        eps: [B, 5, 3, S, S] the noise of x_t.
        fill: [B, 5, 3, S, S] the noise in the masked crop, independent of eps.
        keep: [B] 1 where the sound is heard, 0 where it is left out.
    """

    t: Tensor
    eps: Tensor
    fill: Tensor
    keep: Tensor


def draw_noise(windows: Windows, config: NoiseConfig, seed: int) -> Noise:
    """The noise of a batch, the same whichever worker draws it and whatever lies beside it in the batch.

    Levels and heard sounds are the same on all devices; the noise is drawn where the windows are, and a GPU draws
    other numbers than a CPU.
    """
    drawn = [_draw(int(number), windows.target, config, seed) for number in windows.ids.tolist()]
    t, eps, fill, keep = (torch.stack(parts) for parts in zip(*drawn, strict=True))
    device = windows.target.device
    return Noise(t.to(device), eps, fill, keep.to(device))


def _draw(number: int, target: Tensor, config: NoiseConfig, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Level and `keep` on the CPU, eps and fill beside `target`."""
    device, first = target.device, seed * SEED_STRIDE + number
    generator = torch.Generator().manual_seed(first)
    chance, level, heard = torch.rand(3, generator=generator)
    if chance < config.high_share:
        level = config.high_from + (1 - config.high_from) * level
    t = (level * NUM_LEVELS).long().clamp(max=NUM_LEVELS - 1)
    if device.type != "cpu":
        generator = torch.Generator(device).manual_seed(first)
    eps, fill = (torch.randn(target.shape[1:], generator=generator, device=device) for _ in range(2))
    return t, eps, fill, (heard >= config.drop_sound).float()
