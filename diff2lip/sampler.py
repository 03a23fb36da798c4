"""From noise to a painted crop: DDIM, as published.

Song, Meng & Ermon, "Denoising Diffusion Implicit Models" (2021), Eq. 12 with sigma = 0.
"""

import hashlib
from collections.abc import Callable

import torch
from torch import Tensor

from diff2lip.config import Prediction, SamplerConfig
from diff2lip.diffusion import NUM_LEVELS, alpha_bars, clean_estimate, noise_estimate
from diff2lip.unet import Condition, Denoiser

Predict = Callable[[Tensor, Tensor], Tensor]
"""Noisy crops [B, 3, H, W] and levels [B] to eps or v [B, 3, H, W]."""


def ddim_levels(steps: int) -> list[int]:
    """The noise levels visited, lowest first: the smallest stride from 0 that gives exactly `steps` of 1000.

    Raises:
        ValueError: no whole stride gives that many.
    """
    for stride in range(1, NUM_LEVELS + 1):
        if len(range(0, NUM_LEVELS, stride)) == steps:
            return list(range(0, NUM_LEVELS, stride))
    raise ValueError(f"no whole stride visits exactly {steps} of {NUM_LEVELS} levels; try 5, 8, 10, 20, 25 or 50")


def ddim(predict: Predict, x_t: Tensor, steps: int, prediction: Prediction) -> Tensor:
    """Denoise from pure noise to clean crops, deterministically.

    At each level x_0 is estimated and clipped to [-1, 1], eps is recomputed from the clipped x_0, and

        x_s = sqrt(a_s) x_0 + sqrt(1 - a_s) eps

    Args:
        predict: the network.
        x_t: [B, 3, H, W] noise at the highest level.
        steps: levels to visit.
        prediction: what `predict` returns.

    Returns:
        [B, 3, H, W] in [-1, 1].
    """
    levels, shares = ddim_levels(steps), alpha_bars().to(torch.float32)
    x_0 = x_t
    for index in reversed(range(steps)):
        level = levels[index]
        share = shares[level].to(x_t.device)
        t = torch.full((len(x_t),), level, device=x_t.device)
        x_0 = clean_estimate(x_t, predict(x_t, t), share, prediction).clamp(-1, 1)
        if index:
            below = shares[levels[index - 1]].to(x_t.device)
            x_t = below.sqrt() * x_0 + (1 - below).sqrt() * noise_estimate(x_t, x_0, share)
    return x_0


def paint(denoiser: Denoiser, condition: Condition, config: SamplerConfig, start: Tensor | None = None) -> Tensor:
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
        if config.passes == 1:
            return heard
        unheard: Tensor = denoiser(x_t, t, silent)[:, :3].float()
        return unheard + config.guidance * (heard - unheard)

    x_t = (condition.noise if start is None else start).expand_as(condition.source)
    with torch.inference_mode():
        painted = ddim(predict, x_t, config.steps, denoiser.config.prediction)
    return torch.where(condition.mask > 0, painted, condition.source)


def track_noise(film_id: str, shot_index: int, track_index: int, size_px: int, seed: int = 0) -> Tensor:
    """[1, 3, size, size] noise shared by all frames of a face track, so that skin does not boil.

    Drawn on the CPU from the ids alone: never from a worker, a clock or an order. Another `seed`, other noise.
    """
    text = f"{film_id}:{shot_index}:{track_index}:{seed}"
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
    generator = torch.Generator().manual_seed(number)
    return torch.randn(1, 3, size_px, size_px, generator=generator)
