"""The denoiser: a noisy crop, what is known of it, a reference crop and the sound, to a prediction.

Mukhopadhyay et al., "Diff2Lip: Audio Conditioned Diffusion Models for Lip-Synchronization" (WACV 2024), section 3.
State-dict names and shapes are those of the published checkpoint.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from diff2lip.audio_encoder import AudioEncoder
from diff2lip.blocks import (
    AttentionBlock,
    Layers,
    Norm,
    ResBlock,
    Upsample,
    embedding_mlp,
    sinusoidal_embedding,
    zeroed,
)
from diff2lip.config import ModelConfig
from diff2lip.mel import require_windows

IN_CHANNELS = 9  # noisy crop, masked crop, reference crop


@dataclass(frozen=True, slots=True)
class Condition:
    """What the painter is given for a batch of frames.

    Attributes:
        source: [B, 3, H, W] source crops in [-1, 1]; only what lies outside the mask is looked at.
        mask: [B or 1, 1, H, W] 1 = repaint.
        noise: [B or 1, 3, H, W] fills the masked part of the masked crop.
        reference: [B, 3, H, W] crops of the same person, in [-1, 1].
        sound: [B, E] from `UNet.encode_sound`: once a frame, not once a step.
    """

    source: Tensor
    mask: Tensor
    noise: Tensor
    reference: Tensor
    sound: Tensor

    def without_sound(self) -> "Condition":
        """The same with the sound left out, as in training with dropped sound."""
        return Condition(self.source, self.mask, self.noise, self.reference, torch.zeros_like(self.sound))


class UNet(nn.Module):
    """The UNet. `forward` returns [B, 3 or 6, H, W]: what `config.prediction` says, then the variance if learned."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        width, embedding = config.channels, 4 * config.channels
        self.time_embed = embedding_mlp(width, embedding)
        self.input_blocks, skips = _encoder(config, embedding)
        self.middle_block = _middle(config, skips[-1], embedding)
        self.output_blocks = _decoder(config, skips, embedding)
        out = zeroed(nn.Conv2d(width, config.out_channels, 3, padding=1))
        self.out = nn.Sequential(Norm(config.groups, width), nn.SiLU(), out)
        self.audio_encoder = AudioEncoder(config.audio)
        heard = self.audio_encoder.out_channels
        self.audio_encoder_to_style = nn.Sequential(
            Norm(config.audio.groups, heard),
            nn.SiLU(),
            nn.AdaptiveAvgPool2d(1),
            zeroed(nn.Conv2d(heard, embedding, 1)),
            nn.Flatten(),
        )

    @property
    def dtype(self) -> torch.dtype:
        """Of the convolutions: see `diff2lip/precision.py`."""
        return next(self.input_blocks.parameters()).dtype

    def encode_sound(self, mel: Tensor) -> Tensor:
        """[B, 80, 16] mel windows in [-4, 4] to the [B, E] float32 vectors that are added to the noise level's.

        Raises:
            MelRateError: another shape, as of a mel of another rate.
        """
        require_windows(mel)
        return torch.as_tensor(self.audio_encoder_to_style(self.audio_encoder(mel.to(self.dtype)))).float()

    def forward(self, x_t: Tensor, t: Tensor, condition: Condition) -> Tensor:
        """Predict from noisy crops.

        Args:
            x_t: [B, 3, H, W] noisy crops; what lies outside the mask is replaced by the source.
            t: [B] noise levels in [0, 1000).
            condition: what else is known.

        Returns:
            [B, 3 or 6, H, W].
        """
        with torch.autocast(x_t.device.type, enabled=False):  # as published, the first and last parts are never halved
            level = self.time_embed(sinusoidal_embedding(t, self.config.channels))
        embedding = level + condition.sound
        h, skips = self._input(x_t, condition).to(self.dtype), []
        for block in self.input_blocks:
            h = block(h, embedding)
            skips.append(h)
        h = self.middle_block(h, embedding)
        for block in self.output_blocks:
            h = block(torch.cat([h, skips.pop()], dim=1), embedding)
        with torch.autocast(x_t.device.type, enabled=False):
            return torch.as_tensor(self.out(h.float()))

    @staticmethod
    def _input(x_t: Tensor, condition: Condition) -> Tensor:
        known = condition.source * (1 - condition.mask)
        masked = known + condition.noise * condition.mask
        return torch.cat([known + x_t * condition.mask, masked, condition.reference], dim=1)


def _block(config: ModelConfig, channels: tuple[int, int], embedding: int, factor: int) -> list[nn.Module]:
    layers: list[nn.Module] = [ResBlock(*channels, embedding, config.groups)]
    if factor in config.attention_factors:
        layers.append(AttentionBlock(channels[1], config.head_channels, config.groups))
    return layers


def _encoder(config: ModelConfig, embedding: int) -> tuple[nn.ModuleList, list[int]]:
    channels = config.channels
    blocks: list[nn.Module] = [Layers(nn.Conv2d(IN_CHANNELS, channels, 3, padding=1))]
    skips = [channels]
    for level, multiple in enumerate(config.channel_mult):
        for _ in range(config.num_res_blocks):
            blocks.append(Layers(*_block(config, (channels, multiple * config.channels), embedding, 2**level)))
            channels = multiple * config.channels
            skips.append(channels)
        if level + 1 < len(config.channel_mult):
            blocks.append(Layers(ResBlock(channels, channels, embedding, config.groups, nn.AvgPool2d(2, 2))))
            skips.append(channels)
    return nn.ModuleList(blocks), skips


def _middle(config: ModelConfig, channels: int, embedding: int) -> Layers:
    return Layers(
        ResBlock(channels, channels, embedding, config.groups),
        AttentionBlock(channels, config.head_channels, config.groups),
        ResBlock(channels, channels, embedding, config.groups),
    )


def _decoder(config: ModelConfig, skips: list[int], embedding: int) -> nn.ModuleList:
    blocks: list[nn.Module] = []
    channels, waiting = skips[-1], list(skips)
    for level, multiple in reversed(list(enumerate(config.channel_mult))):
        out = multiple * config.channels
        for index in range(config.num_res_blocks + 1):
            layers = _block(config, (channels + waiting.pop(), out), embedding, 2**level)
            channels = out
            if level and index == config.num_res_blocks:
                layers.append(ResBlock(out, out, embedding, config.groups, Upsample()))
            blocks.append(Layers(*layers))
    return nn.ModuleList(blocks)
