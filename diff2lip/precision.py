"""Half precision as published: convolutions are halved, everything that adds up small things stays in float32."""

from typing import TypeVar

import torch
from torch import nn

from diff2lip.config import Precision

FULL_PARTS = ("time_embed", "out")  # of the denoiser: never halved, as published
DTYPES = {Precision.FP32: torch.float32, Precision.BF16: torch.bfloat16, Precision.FP16: torch.float16}
Network = TypeVar("Network", bound=nn.Module)


def convolution_tensors(network: nn.Module) -> set[str]:
    """Names of the weights that published half precision halves: convolutions, but for the denoiser's last one."""
    return {f"{name}.{leaf}" for name, module in _halved(network) for leaf, _ in module.named_parameters()}


def set_precision(network: Network, precision: Precision) -> Network:
    """Convert the convolutions of a UNet, an expert or a judge in place.

    The network then casts what flows through them, and gives float32.
    """
    for _, module in _halved(network):
        module.to(DTYPES[precision])
    return network


def _halved(network: nn.Module) -> list[tuple[str, nn.Module]]:
    return [
        (name, module)
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d) and name.split(".")[0] not in FULL_PARTS
    ]
