"""GroupNorm of half-precision pictures that lie channels last, trained on CPUs.

PyTorch's own backward pass takes there two fifths of a training step. The sums over pixels, which are all that it
needs beside products of whole tensors, are matrix products here: those are quick in half precision.
"""

from typing import Any

import torch
from torch import Tensor

PARTS = 16  # over which a sum is shared: each part is rounded to half precision, the sum of them is not


def trains_half_on_cpu(x: Tensor) -> bool:
    """Whether `HalfGroupNorm` is the quicker way."""
    return (
        x.device.type == "cpu"
        and x.dtype is torch.bfloat16
        and x.ndim == 4
        and torch.is_grad_enabled()
        and x.is_contiguous(memory_format=torch.channels_last)
    )


class HalfGroupNorm(torch.autograd.Function):
    """As `torch.nn.functional.group_norm` of [B, C, H, W] bfloat16; Wu & He (2018), equations 1, 2, 6 and 7.

    With y = w (x - m) r + b, where m and r = 1 / s are those of the group, and sums over the group's K values:

        dx = r w dy + ((m sum(w dy) - sum(w dy x)) r^3 / K) (x - m) - r sum(w dy) / K
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, groups: int, eps: float) -> Tensor:
        batch, channels, height, width = x.shape
        y, mean, inverse = torch.native_group_norm(x, weight, bias, batch, channels, height * width, groups, eps)
        ctx.save_for_backward(x, weight, mean, inverse)
        return torch.as_tensor(y)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, inverse = ctx.saved_tensors
        batch, channels, height, width = x.shape
        pixels, given = _pixels(x), _pixels(grads[0])
        given_x, given_1 = _sums(given * pixels), _sums(given)  # [B, C]
        m, r, w = (value.float().unsqueeze(-1) for value in (mean, inverse, weight.reshape(mean.shape[1], -1)))
        w = w.squeeze(-1)
        by_group = (batch, mean.shape[1], -1)
        sum_x, sum_1 = ((part.reshape(by_group) * w).sum(-1, keepdim=True) for part in (given_x, given_1))
        slope = (m * sum_1 - sum_x) * r**3 / (height * width * w.shape[-1])
        level = -slope * m - r * sum_1 / (height * width * w.shape[-1])
        scales = ((w * r).expand(by_group[0], -1, w.shape[-1]), slope.expand(-1, -1, w.shape[-1]))
        dy_scale, x_scale = (scale.reshape(batch, 1, channels).to(x.dtype) for scale in scales)
        constant = level.expand(-1, -1, w.shape[-1]).reshape(batch, 1, channels).to(x.dtype)
        dx = torch.addcmul(constant, given, dy_scale).addcmul_(pixels, x_scale)
        dweight = ((given_x.reshape(by_group) - given_1.reshape(by_group) * m) * r).reshape(batch, channels).sum(0)
        dbias = given_1.sum(0)
        back = dx.reshape(batch, height, width, channels).permute(0, 3, 1, 2)
        return back, dweight.to(weight.dtype), dbias.to(weight.dtype), None, None


def _pixels(x: Tensor) -> Tensor:
    """[B, H*W, C] of [B, C, H, W]: the same memory where that lies channels last."""
    return x.permute(0, 2, 3, 1).reshape(x.shape[0], -1, x.shape[1])


def _sums(pixels: Tensor) -> Tensor:
    """[B, C] float32 sums over the pixels of [B, L, C]."""
    batch, length, _ = pixels.shape
    part = torch.arange(length, device=pixels.device) * PARTS // length
    member = (part == torch.arange(PARTS, device=pixels.device)[:, None]).to(pixels.dtype)  # [PARTS, L]
    return torch.bmm(member.expand(batch, -1, -1), pixels).float().sum(1)
