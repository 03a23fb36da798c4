"""The network that says which pixels of a mouth's surroundings something hides: a small U-Net.

Ronneberger, Fischer and Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation" (2015), with a quarter
of its width and less. It is fitted by `jobs.fit_mouth_cover` to faces before which hands, microphones and other things
are drawn, so that what is hidden is known to the pixel.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from diff2lip.config import CropConfig
from pipelines.face_config import COVER_WEIGHTS
from schemas.reason import Cover

COVER_CROP = CropConfig(size_px=64, left=-0.75, top=0.2, width=1.5)  # from the nose to below an open jaw
CHANNELS = (16, 32, 48, 64)  # at 64, 32, 16 and 8 px
GROUPS = 8
KINDS = (Cover.THING, Cover.TEXT)  # the network's outputs in turn


class CoverNetwork(nn.Module):
    """Logits of what hides each pixel."""

    def __init__(self) -> None:
        super().__init__()
        before = (3, *CHANNELS[:-1])
        self.down = nn.ModuleList([_block(first, after) for first, after in zip(before, CHANNELS, strict=True)])
        up = list(zip(CHANNELS[:0:-1], CHANNELS[-2::-1], strict=True))
        self.up = nn.ModuleList([_block(deep + shallow, shallow) for deep, shallow in up])
        self.head = nn.Conv2d(CHANNELS[0], len(KINDS), 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """[B, 2, 64, 64] logits, one plane for each of `KINDS`.

        Args:
            pictures: [B, 3, 64, 64] RGB in -1..1, cut by `COVER_CROP`.
        """
        levels = [self.down[0](pictures)]
        for block in self.down[1:]:
            levels.append(block(nn.functional.avg_pool2d(levels[-1], 2)))
        deep = levels.pop()
        for block in self.up:
            larger = nn.functional.interpolate(deep, scale_factor=2.0, mode="nearest")
            deep = block(torch.cat([larger, levels.pop()], 1))
        out: Tensor = self.head(deep)
        return out


def _block(before: int, after: int) -> nn.Sequential:
    first = nn.Conv2d(before, after, 3, padding=1, bias=False)
    second = nn.Conv2d(after, after, 3, padding=1, bias=False)
    norms = nn.GroupNorm(GROUPS, after), nn.GroupNorm(GROUPS, after)
    return nn.Sequential(first, norms[0], nn.SiLU(), second, norms[1], nn.SiLU())


def load_cover_network(path: Path = COVER_WEIGHTS) -> CoverNetwork:
    """The fitted network, ready to judge."""
    network = CoverNetwork()
    network.load_state_dict(load_file(str(path)))
    return network.eval()
