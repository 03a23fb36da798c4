"""A mel window to a feature map: what the painter hears."""

import torch
from torch import Tensor, nn

from diff2lip.blocks import Layers, Norm, ResBlock, embedding_mlp, sinusoidal_embedding
from diff2lip.config import AudioEncoderConfig
from diff2lip.mel import NUM_MELS

WIDE_ABOVE = 16  # rows; taller maps are halved in height only, lower ones in both axes


class AudioEncoder(nn.Module):
    """[B, 80, 16] log-mel to [B, C, 8, 8]; residual blocks of the denoiser, its noise level fixed at 0."""

    def __init__(self, config: AudioEncoderConfig) -> None:
        super().__init__()
        width = config.channels
        self._channels = width
        self.time_embed = embedding_mlp(width, width)
        self.input_block = nn.Sequential(
            nn.Conv1d(NUM_MELS, config.height, 3, padding=1), Norm(config.groups, config.height), nn.SiLU()
        )
        blocks: list[nn.Module] = [Layers(nn.Conv2d(1, width, 3, padding=1))]
        channels, height = width, config.height
        for level, factor in enumerate(config.channel_mult):
            for _ in range(config.num_res_blocks):
                blocks.append(Layers(ResBlock(channels, factor * width, width, config.groups)))
                channels = factor * width
            if level + 1 < len(config.channel_mult):
                stride = (2, 1) if height > WIDE_ABOVE else (2, 2)
                pool = nn.AvgPool2d(stride, stride)
                blocks.append(Layers(ResBlock(channels, channels, width, config.groups, pool)))
                height //= 2
        self.encoder_blocks = nn.ModuleList(blocks)
        self.middle_block = Layers(ResBlock(channels, channels, width, config.groups))
        self.out_channels = channels

    def forward(self, mel: Tensor) -> Tensor:
        level = torch.zeros(1, device=mel.device)  # one for all frames: it never changes
        embedding = self.time_embed(sinusoidal_embedding(level, self._channels))
        h = self.input_block(mel)[:, None]  # [B, 80, 16] -> [B, 1, 64, 16]
        for block in self.encoder_blocks:
            h = block(h, embedding)
        return torch.as_tensor(self.middle_block(h, embedding))
