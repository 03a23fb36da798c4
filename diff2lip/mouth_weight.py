"""Which pixels of a crop are painted, and how much each counts while training."""

import torch
from torch import Tensor

from diff2lip.config import CropConfig

MOUTH_AT, MOUTH_SPREAD = (0.0, 0.85), (0.38, 0.28)  # in face frame units: where mouths are, and how far they reach


def crop_mask(crop: CropConfig) -> Tensor:
    """[1, 1, S, S] 1 in the rows that are painted."""
    mask = torch.zeros(1, 1, crop.size_px, crop.size_px)
    mask[:, :, crop.mask_row :] = 1
    return mask


def mouth_weight(crop: CropConfig, strength: float) -> Tensor:
    """[1, 1, S, S] the mask, with mouths counting up to `strength` times as much as cheeks and chin.

    Args:
        crop: where in the face frame the crop lies.
        strength: 1 leaves the mask as it is.
    """
    along = (torch.arange(crop.size_px) + 0.5) / crop.size_px * crop.width
    y, x = torch.meshgrid(along + crop.top, along + crop.left, indexing="ij")
    near = torch.exp(-(((x - MOUTH_AT[0]) / MOUTH_SPREAD[0]) ** 2) - ((y - MOUTH_AT[1]) / MOUTH_SPREAD[1]) ** 2)
    return crop_mask(crop) * (1 + (strength - 1) * near)


def masked_mean(values: Tensor, weight: Tensor) -> Tensor:
    """The weighted mean of [B, C, H, W] over samples, channels and pixels, with weights [1, 1, H, W]: []."""
    return (values * weight).sum() / (weight.sum() * values.shape[0] * values.shape[1])
