"""A picture of where a training stands: source, reference, one-step estimates at falling noise, painted crops."""

from dataclasses import replace

import cv2
import numpy as np
import torch
from torch import Tensor

from diff2lip.config import SamplerConfig
from diff2lip.diffusion import add_noise, alpha_bars, clean_estimate
from diff2lip.mouth_weight import crop_mask
from diff2lip.sampler import paint
from diff2lip.unet import Condition, UNet
from diff2lip.windows import Noise, Windows

LEVELS = (900, 700, 400)
ROWS = 4
GAP_PX = 2


@torch.inference_mode()
def training_grid(network: UNet, windows: Windows, noise: Noise) -> bytes:
    """A PNG: a row for each of the first four windows; columns source, reference, estimates at 900, 700, 400, painted.

    Args:
        network: in eval mode.
        windows: held out.
        noise: of these windows.
    """
    chosen = slice(0, min(ROWS, len(windows)))
    source, reference, mel = windows.target[chosen, 2], windows.reference[chosen], windows.mel[chosen, 2]
    eps, fill = noise.eps[chosen, 2], noise.fill[chosen, 2]
    mask = crop_mask(network.config.crop).to(source.device)
    condition = Condition(source, mask, fill, reference, network.encode_sound(mel))
    estimates = [_estimate(network, condition, eps, level) for level in LEVELS]
    start = fill if network.config.shared_noise else eps
    painted = paint(network, condition, replace(SamplerConfig(), guidance=1.0), start)
    return _png(torch.stack([source, reference, *estimates, painted], dim=1))


def _estimate(network: UNet, condition: Condition, eps: Tensor, level: int) -> Tensor:
    share = alpha_bars().float()[level].to(eps.device)
    x_t = add_noise(condition.source, eps, share)
    t = torch.full((len(eps),), level, device=eps.device)
    predicted = network(x_t, t, condition)[:, :3].float()
    clean = clean_estimate(x_t, predicted, share, network.config.prediction).clamp(-1, 1)
    return torch.where(condition.mask > 0, clean, condition.source)


def _png(pictures: Tensor) -> bytes:
    """[R, C, 3, S, S] in [-1, 1] as one picture with thin gaps."""
    codes = ((pictures + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 1, 3, 4, 2).cpu().numpy()
    padded = np.pad(codes, ((0, 0), (0, 0), (0, GAP_PX), (0, GAP_PX), (0, 0)), constant_values=255)
    rows = [np.concatenate(list(row), axis=1) for row in padded]
    return bytes(cv2.imencode(".png", np.concatenate(rows)[..., ::-1])[1])
