"""The terms of the training objective, one function each.

Mukhopadhyay et al., "Diff2Lip" (WACV 2024), section 3.2, Eq. 9:

    L = L_simple + l2 L2 + sync L_sync + lpips L_lpips + gan L_GAN

All but L_simple and the variational term look at the one-step estimate of x_0. Every term is a mean over samples, so
that two workers with half a batch each have the loss of one with the whole. Masks are 1 where a mouth is painted.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from diff2lip.mouth_weight import masked_mean
from diff2lip.noise_levels import BETA_FIRST, BETA_LAST, NUM_LEVELS
from diff2lip.syncnet import Expert, lower_halves

HALF_STEP = 1 / 255  # half the distance of two 8-bit codes in [-1, 1]
SURE = 1e-6  # probabilities are kept so far from 0 and 1


def simple_loss(predicted: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    """Mean squared error of what the network predicts, over the masked region.

    Ho, Jain & Abbeel, "Denoising Diffusion Probabilistic Models" (2020), Eq. 14; Diff2Lip, section 3.2.1:

        L_simple = E || eps - eps_theta(x_t, t, ...) ||^2

    Args:
        predicted: [B, 3, H, W] eps or v.
        wanted: the true one.
        weight: [1, 1, H, W] the mask, or a weight that is 0 outside it.

    Returns:
        [].
    """
    return masked_mean((predicted - wanted).square(), weight)


def variational_loss(x_0: Tensor, x_t: Tensor, clean: Tensor, variance: Tensor, t: Tensor, mask: Tensor) -> Tensor:
    """The bound on the likelihood that teaches the learned variance; no gradient reaches the mean.

    Nichol & Dhariwal, "Improved Denoising Diffusion Probabilistic Models" (2021), Eq. 4-7 and 15. With v in [-1, 1]
    mapped to f in [0, 1],

        log sigma^2 = f log beta_t + (1 - f) log beta~_t
        L_t = KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t)) for t > 0,   L_0 = -log p(x_0 | x_1)

    in bits; as published, masked first and then averaged over all pixels, not over the masked ones alone.

    Args:
        x_0: [B, 3, H, W] in [-1, 1].
        x_t: [B, 3, H, W] noisy crops.
        clean: [B, 3, H, W] one-step estimate of x_0.
        variance: [B, 3, H, W] the last three channels of the network.
        t: [B] int64 levels.
        mask: [1, 1, H, W].

    Returns:
        [].
    """
    posterior = _posterior(t, x_t.device)
    fraction = (variance + 1) / 2
    log_variance = fraction * posterior.log_beta + (1 - fraction) * posterior.log_variance
    true_mean = posterior.of_clean * x_0 + posterior.of_noisy * x_t
    mean = (posterior.of_clean * clean + posterior.of_noisy * x_t).detach()
    divergence = _gaussian_kl(true_mean, posterior.log_variance, mean, log_variance)
    surprise = -_code_log_likelihood(x_0, mean, 0.5 * log_variance)
    first = (t == 0)[:, None, None, None]
    return (torch.where(first, surprise, divergence) * mask).mean() / math.log(2)


def l2_loss(clean: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean squared error of the one-step estimate of x_0 over the masked region: Diff2Lip, section 3.2.2.

    L2 = E || x_0 - x^_0 ||^2, x^_0 = (x_t - sqrt(1 - alpha_bar) eps_theta) / sqrt(alpha_bar)
    """
    return masked_mean((clean - target).square(), weight)


def l1_loss(clean: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """E | x_0 - x^_0 | over the masked region: ours, sharper at high noise."""
    return masked_mean((clean - target).abs(), weight)


def gradient_loss(clean: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean absolute error of the differences between neighbouring pixels: ours, for edges of lips and teeth.

    Mathieu, Couprie & LeCun, "Deep multi-scale video prediction beyond mean square error" (2016), Eq. 6, alpha = 1.
    """
    error = clean - target
    across = functional.pad(error[..., 1:] - error[..., :-1], (0, 1))
    down = functional.pad(error[..., 1:, :] - error[..., :-1, :], (0, 0, 0, 1))
    return masked_mean(across.abs(), weight) + masked_mean(down.abs(), weight)


def sync_loss(expert: Expert, crops: Tensor, mel: Tensor) -> Tensor:
    """How little the frozen expert believes that painted mouths say what is heard.

    Prajwal et al., "A Lip Sync Expert Is All You Need" (2020), Eq. 1 and 3, of a sound's and five mouths' vectors:

        P = s . v / max(|s| |v|, eps),    L_sync = E[-log P]

    Args:
        expert: in eval mode, its weights frozen; its face size decides to what crops are resized.
        crops: [B, 5, 3, S, S] RGB in [-1, 1], five frames after one another.
        mel: [B, 1, 80, 16] the window that the five are heard with.

    Returns:
        [].
    """
    sounds, faces = expert(mel, expert_faces(expert, crops))
    return match_loss(sounds, faces, torch.ones(len(sounds), device=sounds.device))


def match_loss(sounds: Tensor, faces: Tensor, in_sync: Tensor) -> Tensor:
    """Binary cross entropy of the cosine of vectors as the probability of sync.

    Prajwal et al. (2020), Eq. 1 and 2: -y log P - (1 - y) log(1 - P), P = s . v / (|s| |v|).

    Args:
        sounds: [B, 512] of length 1, not negative.
        faces: [B, 512] of length 1, not negative.
        in_sync: [B] 1 where the two belong together, 0 where not.

    Returns:
        [].
    """
    probability = functional.cosine_similarity(sounds, faces).clamp(SURE, 1 - SURE)
    return functional.binary_cross_entropy(probability, in_sync)


def expert_faces(expert: Expert, crops: Tensor) -> Tensor:
    """[B, 15, H, W] the lower halves of crops [B, 5, 3, S, S] at the size that an expert sees; gradients flow."""
    size = expert.config.face_px[1]
    if crops.shape[-1] != size:
        flat = crops.flatten(0, 1)  # [B, 5, 3, S, S] -> [B*5, 3, S, S]
        resized = functional.interpolate(flat, (size, size), mode="bilinear", antialias=True, align_corners=False)
        crops = resized.reshape(*crops.shape[:3], size, size)
    return lower_halves(crops)


def perceptual_loss(network: nn.Module, clean: Tensor, target: Tensor) -> Tensor:
    """LPIPS, or ST-LPIPS where that is the network, of the one-step estimate: Diff2Lip, section 3.2.2.

    Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric" (2018), Eq. 1:

        L_lpips = E sum_l mean_hw || w_l (phi_l(x_0) - phi_l(x^_0)) ||^2, phi_l of unit length in each place

    Args:
        network: of `diff2lip/perceptual.py`, frozen.
        clean: [B, 3, H, W] in [-1, 1].
        target: the same.

    Returns:
        [].
    """
    return torch.as_tensor(network(clean, target)).mean()


def generator_loss(logits: Tensor) -> Tensor:
    """How surely the discriminator takes painted sequences for painted.

    Goodfellow et al., "Generative Adversarial Nets" (2014), section 3, the form that does not saturate, with
    D = sigmoid(logits); Diff2Lip, Eq. 8:

        L_GAN = E[-log D(x^_0)] = E[log(1 + exp(-logits))]
    """
    return functional.softplus(-logits).mean()


def discriminator_loss(real: Tensor, painted: Tensor) -> Tensor:
    """E[-log D(real)] / 2 + E[-log(1 - D(painted))] / 2: Goodfellow et al. (2014), Eq. 1, on logits [B, 1, h, w]."""
    return 0.5 * (functional.softplus(-real).mean() + functional.softplus(painted).mean())


class _Posterior(NamedTuple):
    """q(x_{t-1} | x_t, x_0): Ho et al. (2020), Eq. 7. Each [B, 1, 1, 1] float32."""

    log_beta: Tensor
    log_variance: Tensor
    of_clean: Tensor
    of_noisy: Tensor


def _posterior(t: Tensor, device: torch.device) -> _Posterior:
    betas = torch.linspace(BETA_FIRST, BETA_LAST, NUM_LEVELS, dtype=torch.float64, device=device)
    share = torch.cumprod(1 - betas, dim=0)
    before = torch.cat([share.new_ones(1), share[:-1]])
    variance = betas * (1 - before) / (1 - share)
    variance[0] = variance[1]  # it is 0 at the first level, and its log is wanted
    of_clean = betas * before.sqrt() / (1 - share)
    of_noisy = (1 - before) * (1 - betas).sqrt() / (1 - share)
    values = (betas.log(), variance.log(), of_clean, of_noisy)
    return _Posterior(*(value[t].float()[:, None, None, None] for value in values))


def _gaussian_kl(mean: Tensor, log_variance: Tensor, other: Tensor, other_log_variance: Tensor) -> Tensor:
    """KL of two Gaussians, in nats."""
    apart = (mean - other).square() * torch.exp(-other_log_variance)
    return 0.5 * (other_log_variance - log_variance + torch.exp(log_variance - other_log_variance) + apart - 1)


def _code_log_likelihood(codes: Tensor, mean: Tensor, log_deviation: Tensor) -> Tensor:
    """Log of the Gaussian's mass around each 8-bit code; the outermost take the tails. Ho et al. (2020), Eq. 13."""
    scale = torch.exp(-log_deviation)
    below, above = (torch.special.ndtr((edge - mean) * scale) for edge in (codes - HALF_STEP, codes + HALF_STEP))
    low = torch.where(codes < -1 + HALF_STEP, torch.zeros_like(below), below)
    high = torch.where(codes > 1 - HALF_STEP, torch.ones_like(above), above)
    return (high - low).clamp(min=1e-12).log()
