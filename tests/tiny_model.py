"""A checkpoint of a network that paints in milliseconds: of the right shape, trained on nothing."""

from pathlib import Path

import torch

from diff2lip.checkpoint import save_checkpoint
from diff2lip.config import AudioEncoderConfig, CropConfig, ModelConfig, Prediction
from diff2lip.unet import UNet

TINY = ModelConfig(
    name="tiny",
    channels=8,
    channel_mult=(1, 2),
    num_res_blocks=1,
    attention_factors=(),
    head_channels=8,
    groups=4,
    learned_variance=False,
    prediction=Prediction.V,
    shared_noise=False,
    audio=AudioEncoderConfig(channels=8, num_res_blocks=1, groups=4),
    crop=CropConfig(size_px=32),
)


def save_tiny_model(path: Path, weight_std: float = 0.4) -> Path:
    """Write the same arbitrary weights each time; the larger, the wilder what it paints."""
    torch.manual_seed(0)
    denoiser = UNet(TINY)
    for parameter in denoiser.parameters():
        torch.nn.init.normal_(parameter, std=weight_std)
    save_checkpoint(path, denoiser, {"trained": "no"}, torch.float32)
    return path
