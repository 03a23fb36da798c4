"""The equations between noisy crop, clean crop, noise and v.

Ho, Jain & Abbeel, "Denoising Diffusion Probabilistic Models" (2020), Eq. 4, writing a for alpha_bar:

    x_t = sqrt(a_t) * x_0 + sqrt(1 - a_t) * eps
"""

import torch
from torch import Tensor

from diff2lip.config import Prediction
from diff2lip.noise_levels import signal_shares


def alpha_bars() -> Tensor:
    """[1000] float64 share of signal power at each noise level."""
    return torch.from_numpy(signal_shares())


def add_noise(x_0: Tensor, eps: Tensor, alpha_bar: Tensor) -> Tensor:
    """x_t of clean crops [B, 3, H, W], noise of the same shape and alpha_bar [B, 1, 1, 1]."""
    return alpha_bar.sqrt() * x_0 + (1 - alpha_bar).sqrt() * eps


def velocity(x_0: Tensor, eps: Tensor, alpha_bar: Tensor) -> Tensor:
    """The v of clean crops and noise, sqrt(a) eps - sqrt(1 - a) x_0.

    Salimans & Ho, "Progressive Distillation for Fast Sampling of Diffusion Models" (2022), section 4.
    """
    return alpha_bar.sqrt() * eps - (1 - alpha_bar).sqrt() * x_0


def clean_estimate(x_t: Tensor, predicted: Tensor, alpha_bar: Tensor, prediction: Prediction) -> Tensor:
    """The one-step estimate of x_0.

    From eps: x_0 = (x_t - sqrt(1 - a) eps) / sqrt(a); from v: x_0 = sqrt(a) x_t - sqrt(1 - a) v.

    Args:
        x_t: [B, 3, H, W] noisy crops.
        predicted: [B, 3, H, W] eps or v.
        alpha_bar: broadcastable to x_t, in (0, 1].
        prediction: which of the two.

    Returns:
        [B, 3, H, W], not clipped.
    """
    if prediction is Prediction.V:
        return alpha_bar.sqrt() * x_t - (1 - alpha_bar).sqrt() * predicted
    return (x_t - (1 - alpha_bar).sqrt() * predicted) / alpha_bar.sqrt()


def noise_estimate(x_t: Tensor, x_0: Tensor, alpha_bar: Tensor) -> Tensor:
    """The eps that takes x_0 to x_t: (x_t - sqrt(a) x_0) / sqrt(1 - a)."""
    return (x_t - alpha_bar.sqrt() * x_0) / (1 - alpha_bar).sqrt()
