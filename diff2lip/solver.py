"""Ways from pure noise to clean crops in few steps: one family of functions with one signature.

All walk down the noise levels and end on the estimate of x_0 at the last of them. In the notation of the papers,
alpha = sqrt(a), sigma = sqrt(1 - a) and lambda = log(alpha / sigma), half the log of the signal-to-noise ratio.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from diff2lip.config import Prediction, Solver
from diff2lip.diffusion import alpha_bars, clean_estimate, noise_estimate

Predict = Callable[[Tensor, Tensor], Tensor]
"""Noisy crops [B, 3, H, W] and levels [B] to eps or v [B, 3, H, W]."""
Solve = Callable[[Predict, Tensor, Sequence[int], Prediction], Tensor]
"""(predict, x_t, levels, prediction) to [B, 3, H, W] in [-1, 1]: x_t is noise at the first level, levels descend."""


def ddim(predict: Predict, x_t: Tensor, levels: Sequence[int], prediction: Prediction) -> Tensor:
    """Deterministic DDIM. Song, Meng & Ermon, "Denoising Diffusion Implicit Models" (2021), Eq. 12, sigma = 0.

    At each level x_0 is estimated and clipped to [-1, 1], eps is recomputed from the clipped x_0, and

        x_s = sqrt(a_s) x_0 + sqrt(1 - a_s) eps
    """
    x_0 = x_t
    for level, share, below in _steps(levels, x_t.device):
        x_0 = _clean(predict, x_t, level, share, prediction)
        if below is not None:
            x_t = below.sqrt() * x_0 + (1 - below).sqrt() * noise_estimate(x_t, x_0, share)
    return x_0


def dpm_solver_pp(predict: Predict, x_t: Tensor, levels: Sequence[int], prediction: Prediction) -> Tensor:
    """DPM-Solver++(2M). Lu et al., "DPM-Solver++: Fast Solver for Guided Sampling" (2022), Algorithm 2.

    With h the step in lambda, r the step before over this one, and x_0' the estimate before,

        D = (1 + 1 / (2 r)) x_0 - x_0' / (2 r)
        x_s = (sigma_s / sigma_t) x_t - alpha_s (exp(-h) - 1) D
    """
    x_0 = x_t
    before: tuple[Tensor, Tensor] | None = None  # the last step in lambda, the last x_0
    for level, share, below in _steps(levels, x_t.device):
        x_0 = _clean(predict, x_t, level, share, prediction)
        if below is not None:
            step = _lambda(below) - _lambda(share)
            data = x_0 if before is None else x_0 + (x_0 - before[1]) * step / (2 * before[0])
            x_t = _carry(x_t, share, below) - below.sqrt() * torch.expm1(-step) * data
            before = step, x_0
    return x_0


def unipc(predict: Predict, x_t: Tensor, levels: Sequence[int], prediction: Prediction) -> Tensor:
    """UniPC, B(h) = exp(h) - 1. Zhao et al., "UniPC: A Unified Predictor-Corrector Framework" (2023).

    A predictor of order 2 whose correction gives order 3. Each estimate of x_0 first corrects the step that led to
    it (UniC-2), then predicts the next (UniP-2): Eq. 8 and 9 for networks that predict data. The correction costs no
    further call of the network.
    """
    x_0 = start = x_t  # start: what the last step began with
    known: list[tuple[Tensor, Tensor]] = []  # share and x_0 of the last two levels
    for level, share, below in _steps(levels, x_t.device):
        x_0 = _clean(predict, x_t, level, share, prediction)
        if below is not None:
            start = _corrected(start, known, share, x_0) if known else x_t
            known = [*known[-1:], (share, x_0)]
            x_t = _predicted(start, known, below)
    return x_0


def _predicted(x_t: Tensor, known: list[tuple[Tensor, Tensor]], below: Tensor) -> Tensor:
    """UniP: with two estimates known the difference between them counts half, the coefficient of order 2."""
    share, x_0 = known[-1]
    step = _lambda(below) - _lambda(share)
    phi = torch.expm1(-step)
    slope = torch.zeros_like(x_0)
    if len(known) == 2:
        slope = 0.5 * _difference(known, step)
    return _carry(x_t, share, below) - below.sqrt() * phi * (x_0 + slope)


def _corrected(start: Tensor, known: list[tuple[Tensor, Tensor]], share: Tensor, x_0: Tensor) -> Tensor:
    """UniC: the step to `share` once more, now with the estimate that was made there."""
    begin, first = known[-1]
    step = _lambda(share) - _lambda(begin)
    phi = torch.expm1(-step)
    change = x_0 - first
    if len(known) == 1:
        slope = 0.5 * change
    else:
        # [1 1; r 1] (rho_0, rho_1) = (b_1, b_2), the conditions of order 2 for B(h) = phi_1
        ratio = _step_before(known) / step
        b_1 = _phi_2(step) / phi
        b_2 = 2 * _phi_3(step) / phi
        rho_0 = (b_2 - b_1) / (ratio - 1)
        slope = rho_0 * _difference(known, step) + (b_1 - rho_0) * change
    return _carry(start, begin, share) - share.sqrt() * phi * (first + slope)


def _difference(known: list[tuple[Tensor, Tensor]], step: Tensor) -> Tensor:
    """The change of x_0 between the last two levels, over their distance in units of this step."""
    return (known[0][1] - known[1][1]) * step / _step_before(known)


def _step_before(known: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Distance in lambda from the last level back to the one before: negative."""
    return _lambda(known[0][0]) - _lambda(known[1][0])


def _phi_2(step: Tensor) -> Tensor:
    """(exp(-h) - 1) / (-h) - 1."""
    return torch.expm1(-step) / -step - 1


def _phi_3(step: Tensor) -> Tensor:
    """phi_2(-h) / (-h) - 1 / 2."""
    return _phi_2(step) / -step - 0.5


def _carry(x_t: Tensor, share: Tensor, below: Tensor) -> Tensor:
    """The part of a step that follows x_t alone: (sigma_s / sigma_t) x_t."""
    return ((1 - below) / (1 - share)).sqrt() * x_t


def _lambda(share: Tensor) -> Tensor:
    return 0.5 * torch.log(share / (1 - share))


def _steps(levels: Sequence[int], device: torch.device) -> list[tuple[int, Tensor, Tensor | None]]:
    """Each level, its share of signal power, and the share at the next one; None behind the last.

    Raises:
        ValueError: there is no level, or they do not descend.
    """
    if not levels or any(after >= before for before, after in pairwise(levels)):
        raise ValueError(f"levels must descend, got {list(levels)}")
    shares = alpha_bars().to(torch.float32).to(device)
    return [
        (level, shares[level], None if below is None else shares[below])
        for level, below in zip(levels, [*levels[1:], None], strict=True)
    ]


def _clean(predict: Predict, x_t: Tensor, level: int, share: Tensor, prediction: Prediction) -> Tensor:
    t = torch.full((len(x_t),), level, device=x_t.device)
    return clean_estimate(x_t, predict(x_t, t), share, prediction).clamp(-1, 1)


SOLVERS: dict[Solver, Solve] = {Solver.DDIM: ddim, Solver.DPM_SOLVER_PP: dpm_solver_pp, Solver.UNIPC: unipc}
