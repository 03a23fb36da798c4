"""The parts that the denoiser and the audio encoder are built of, with the published state-dict names.

Dhariwal & Nichol, "Diffusion Models Beat GANs on Image Synthesis" (2021), sections 3 and A: residual blocks
that resample, and self-attention with fixed head width.
"""

import math
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from diff2lip.group_norm import HalfGroupNorm, trains_half_on_cpu

Layer = TypeVar("Layer", nn.Conv1d, nn.Conv2d)


class Conditioned(nn.Module):
    """A module that takes the embedding of noise level and sound beside its input."""


class Layers(nn.Sequential):
    """A sequence that hands the embedding to those of its members that take it."""

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:  # type: ignore[override]
        for layer in self:
            x = layer(x, embedding) if isinstance(layer, Conditioned) else layer(x)
        return x


class Norm(nn.GroupNorm):
    """GroupNorm on whatever precision flows in: sums are float32 within, weights are kept in float32."""

    def forward(self, x: Tensor) -> Tensor:
        assert self.weight is not None
        assert self.bias is not None
        if trains_half_on_cpu(x):
            half = HalfGroupNorm.apply(x, self.weight.to(x.dtype), self.bias.to(x.dtype), self.num_groups, self.eps)
            return torch.as_tensor(half)
        return functional.group_norm(x, self.num_groups, self.weight.to(x.dtype), self.bias.to(x.dtype), self.eps)


class Upsample(nn.Module):
    """Each pixel becomes 2 x 2."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.interpolate(x, scale_factor=2.0, mode="nearest")


class ResBlock(Conditioned):
    """GN, SiLU, conv, + embedding, GN, SiLU, conv, + skip; may halve or double its picture on the way.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        embedding_channels: width of the embedding, which is added between the two convolutions.
        groups: groups of both GroupNorms.
        resample: applied after norm and SiLU on the main path and directly on the skip path.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        embedding_channels: int,
        groups: int,
        resample: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.in_layers = nn.Sequential(
            Norm(groups, in_channels), nn.SiLU(), nn.Conv2d(in_channels, out_channels, 3, padding=1)
        )
        self.resample = resample if resample is not None else nn.Identity()
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(embedding_channels, out_channels))
        self.out_layers = nn.Sequential(
            Norm(groups, out_channels),
            nn.SiLU(),
            nn.Dropout(0.0),
            zeroed(nn.Conv2d(out_channels, out_channels, 3, padding=1)),
        )
        same = in_channels == out_channels
        self.skip_connection = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        norm, activation, conv = self.in_layers
        h = conv(self.resample(activation(norm(x))))
        h = h + self.emb_layers(embedding).to(h.dtype)[:, :, None, None]
        return torch.add(self.skip_connection(self.resample(x)), self.out_layers(h))


class AttentionBlock(nn.Module):
    """Self-attention over all pixels, added to its input; heads are laid out (q, k, v) head by head."""

    def __init__(self, channels: int, head_channels: int, groups: int) -> None:
        super().__init__()
        if channels % head_channels:
            raise ValueError(f"{channels} channels cannot be split into heads of {head_channels}")
        self.num_heads = channels // head_channels
        self.norm = Norm(groups, channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.proj_out = zeroed(nn.Conv1d(channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        pixels = self.norm(x).permute(0, 2, 3, 1).reshape(batch, height * width, channels)  # [B, C, H, W] -> [B, L, C]
        heads = _pointwise(self.qkv, pixels).reshape(batch, height * width, self.num_heads, 3, -1)
        q, k, v = heads.permute(3, 0, 2, 1, 4)  # [B, heads, L, C / heads] each, close together in memory
        attended = functional.scaled_dot_product_attention(q, k, v)
        joined = _pointwise(self.proj_out, attended.transpose(1, 2).reshape(batch, height * width, channels))
        return x + joined.reshape(batch, height, width, channels).permute(0, 3, 1, 2)


def _pointwise(conv: nn.Conv1d, pixels: Tensor) -> Tensor:
    """A convolution of kernel 1 over [B, L, C], channels last: a matrix product."""
    return functional.linear(pixels, conv.weight[:, :, 0], conv.bias)


def zeroed(layer: Layer) -> Layer:
    """The same layer with weights and bias 0: a residual branch that starts as nothing."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def embedding_mlp(in_channels: int, out_channels: int) -> nn.Sequential:
    """Linear, SiLU, Linear on a sinusoidal embedding."""
    return nn.Sequential(nn.Linear(in_channels, out_channels), nn.SiLU(), nn.Linear(out_channels, out_channels))


def sinusoidal_embedding(t: Tensor, channels: int, max_period: float = 10_000.0) -> Tensor:
    """Cosines, then sines, of noise levels at geometric frequencies.

    Vaswani et al., "Attention Is All You Need" (2017), section 3.5.

    Args:
        t: [B] noise levels.
        channels: width of the embedding, even.
        max_period: slowest period in levels.

    Returns:
        [B, channels] float32.
    """
    half = channels // 2
    exponent = torch.arange(half, dtype=torch.float32, device=t.device) / half
    angles = t.float()[:, None] * torch.exp(-math.log(max_period) * exponent)
    return torch.cat([angles.cos(), angles.sin()], dim=1)
