"""From noise to painted crops of one batch of frames."""

import hashlib

import torch
from torch import Tensor

from diff2lip.config import SamplerConfig
from diff2lip.solver import SOLVERS
from diff2lip.unet import Condition, UNet


def paint(denoiser: UNet, condition: Condition, config: SamplerConfig, start: Tensor | None = None) -> Tensor:
    """Painted crops of one batch of frames; outside the mask the source crop, to the bit.

    Guidance follows Ho & Salimans,
    "Classifier-Free Diffusion Guidance" (2022), Eq. 6: none + w (sound - none).

    Args:
        denoiser: in eval mode.
        condition: [B, ...] as the class says.
        config: steps and guidance.
        start: [B or 1, 3, H, W] x_T; None takes the noise that fills the masked crop, as published.

    Returns:
        [B, 3, H, W] in [-1, 1].
    """
    silent = condition.without_sound()

    def predict(x_t: Tensor, t: Tensor) -> Tensor:
        heard: Tensor = denoiser(x_t, t, condition)[:, :3].float()
        if not config.is_guided(int(t[0])):
            return heard
        unheard: Tensor = denoiser(x_t, t, silent)[:, :3].float()
        return unheard + config.guidance * (heard - unheard)

    x_t = (condition.noise if start is None else start).expand_as(condition.source)
    with torch.inference_mode():
        painted = SOLVERS[config.solver](predict, x_t, config.levels, denoiser.config.prediction)
    return torch.where(condition.mask > 0, painted, condition.source)


def track_noise(film_id: str, shot_index: int, track_index: int, size_px: int, seed: int = 0) -> Tensor:
    """[1, 3, size, size] noise shared by all frames of a face track, so that skin does not boil.

    Drawn on the CPU from the ids alone: never from a worker, a clock or an order. Another `seed`, other noise.
    """
    text = f"{film_id}:{shot_index}:{track_index}:{seed}"
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
    generator = torch.Generator().manual_seed(number)
    return torch.randn(1, 3, size_px, size_px, generator=generator)
