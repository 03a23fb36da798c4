"""How much two pictures are alike, sample by sample and structure by structure."""

import torch
from torch import Tensor
from torch.nn import functional

SSIM_WINDOW_PX, SSIM_SIGMA_PX = 11, 1.5
SSIM_K1, SSIM_K2 = 0.01, 0.03


def psnr(painted: Tensor, truth: Tensor, value_range: float) -> Tensor:
    """Peak signal-to-noise ratio of each picture in dB; infinite where two are equal.

        PSNR = 10 log10(L^2 / mean((x - y)^2)),   L = value_range

    Args:
        painted: [B, C, H, W], of any dtype.
        truth: [B, C, H, W] on the same scale.
        value_range: largest minus smallest possible value: 255 for 8-bit codes, 2 for crops in [-1, 1].

    Returns:
        [B] float64.

    Raises:
        ValueError: the shapes differ or are not [B, C, H, W].
    """
    _require_alike(painted, truth)
    error = (painted.double() - truth.double()).square().mean((1, 2, 3))
    return 10 * torch.log10(value_range**2 / error)


def ssim(painted: Tensor, truth: Tensor, value_range: float) -> Tensor:
    """Structural similarity of each picture, the mean over channels and over all whole windows.

    Wang, Bovik, Sheikh & Simoncelli, "Image Quality Assessment: From Error Visibility to Structural Similarity"
    (2004), Eq. 13 to 17, with the paper's Gaussian window of 11 x 11 px, sigma 1.5, K1 = 0.01 and K2 = 0.03:

        SSIM = (2 mu_x mu_y + C1) (2 sigma_xy + C2) / ((mu_x^2 + mu_y^2 + C1) (sigma_x^2 + sigma_y^2 + C2))
        C1 = (K1 L)^2,   C2 = (K2 L)^2,   L = value_range

    Args:
        painted: [B, C, H, W], of any dtype; H and W at least 11.
        truth: [B, C, H, W] on the same scale.
        value_range: largest minus smallest possible value.

    Returns:
        [B] float64, at most 1.

    Raises:
        ValueError: the shapes differ, are not [B, C, H, W], or hold no whole window.
    """
    _require_alike(painted, truth)
    if min(painted.shape[-2:]) < SSIM_WINDOW_PX:
        raise ValueError(f"SSIM looks through windows of {SSIM_WINDOW_PX} px, got {list(painted.shape)}")
    x, y = painted.double(), truth.double()
    mean_x, mean_y = _windowed(x), _windowed(y)
    variances = _windowed(x * x) - mean_x**2 + _windowed(y * y) - mean_y**2
    covariance = _windowed(x * y) - mean_x * mean_y
    c_1, c_2 = (SSIM_K1 * value_range) ** 2, (SSIM_K2 * value_range) ** 2
    likeness = (2 * mean_x * mean_y + c_1) * (2 * covariance + c_2)
    return (likeness / ((mean_x**2 + mean_y**2 + c_1) * (variances + c_2))).mean((1, 2, 3))


def _windowed(pictures: Tensor) -> Tensor:
    """[B, C, H - 10, W - 10] weighted means of all whole windows."""
    place = torch.arange(SSIM_WINDOW_PX, dtype=pictures.dtype, device=pictures.device) - SSIM_WINDOW_PX // 2
    weights = torch.exp(-(place**2) / (2 * SSIM_SIGMA_PX**2))
    weights = weights / weights.sum()
    flat = pictures.flatten(0, 1)[:, None]  # [B, C, H, W] -> [B*C, 1, H, W]
    means = functional.conv2d(functional.conv2d(flat, weights[None, None, :, None]), weights[None, None, None, :])
    return means.reshape(*pictures.shape[:2], *means.shape[-2:])


def _require_alike(painted: Tensor, truth: Tensor) -> None:
    if painted.shape != truth.shape or painted.ndim != 4:
        raise ValueError(f"pictures must be [B, C, H, W] alike, got {list(painted.shape)} and {list(truth.shape)}")
