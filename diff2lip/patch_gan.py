"""The discriminator of sequences: looks at five frames at once, patch by patch.

Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks" (2017), section 3.2.2, "PatchGAN"; on
frames stacked on channels as in Mukhopadhyay et al., "Diff2Lip" (WACV 2024), section 3.2.3.
"""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from diff2lip.syncnet import WINDOW_FRAMES


@dataclass(frozen=True, kw_only=True, slots=True)
class PatchGanConfig:
    """Depth and width; the defaults are those of the 70 px PatchGAN."""

    channels: int = 64
    halvings: int = 3  # strided convolutions
    max_factor: int = 8  # widest layer over the first

    def __post_init__(self) -> None:
        if min(self.channels, self.halvings, self.max_factor) < 1:
            raise ValueError(f"channels, halvings and max_factor must be positive, got {asdict(self)}")


class PatchGan(nn.Module):
    """[B, 5, 3, S, S] sequences in [-1, 1] to logits [B, 1, h, w]: above 0 where a patch is taken for real.

    Norms are of each sample by itself: what a sequence is judged depends on no other in its batch.
    """

    def __init__(self, config: PatchGanConfig | None = None) -> None:
        super().__init__()
        self.config = config or PatchGanConfig()
        width = self.config.channels
        layers: list[nn.Module] = [nn.Conv2d(3 * WINDOW_FRAMES, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for number in range(1, self.config.halvings + 1):
            wider = self.config.channels * min(2**number, self.config.max_factor)
            stride = 2 if number < self.config.halvings else 1
            layers += [nn.Conv2d(width, wider, 4, stride, 1), nn.InstanceNorm2d(wider, affine=True), nn.LeakyReLU(0.2)]
            width = wider
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, 1, 4, 1, 1))

    def forward(self, frames: Tensor) -> Tensor:
        return torch.as_tensor(self.layers(frames.flatten(1, 2)))  # [B, 5, 3, S, S] -> [B, 15, S, S]
