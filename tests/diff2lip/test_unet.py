"""The denoiser, the sampler and the mel are those of the published model, figure for figure."""

import numpy as np
import pytest
import torch

from diff2lip.config import (
    ModelConfig,
    Prediction,
    SamplerConfig,
    paper_model,
    parity_model,
    published_sampler,
    small_model,
)
from diff2lip.diffusion import alpha_bars
from diff2lip.mel import log_mel
from diff2lip.noise_levels import published_levels
from diff2lip.sampler import paint
from diff2lip.solver import ddim
from diff2lip.unet import Condition, UNet
from tests.diff2lip.published import FIGURES, formula_input, formula_normal, load_formula_weights, recorded


def published_case(case: str, config: ModelConfig, batch: int) -> tuple[UNet, torch.Tensor, Condition]:
    """A network with formula weights, its x_t, and its condition."""
    denoiser, size = UNet(config), config.crop.size_px
    load_formula_weights(denoiser)
    shape = (batch, 3, size, size)
    mask = torch.zeros(1, 1, size, size)
    mask[:, :, size // 2 :] = 1
    noise = formula_input(f"{case}:noise", (1, 3, size, size)).repeat(batch, 1, 1, 1)
    mel = (2 * formula_input(f"{case}:mel", (batch, 80, 16))).clamp(-4, 4)
    source, reference = (formula_input(f"{case}:{name}", shape).clamp(-1, 1) for name in ("img", "ref"))
    with torch.no_grad():
        sound = denoiser.encode_sound(mel)
    return denoiser, formula_input(f"{case}:x", shape), Condition(source, mask, noise, reference, sound)


@pytest.mark.parametrize(
    ("case", "config", "batch"),
    [("unet_64", parity_model(), 2), ("unet_128_paper", paper_model(), 1)],
    ids=["64", "paper"],
)
def test_the_denoiser_gives_the_published_outputs(case: str, config: ModelConfig, batch: int) -> None:
    figures = FIGURES[case]
    denoiser, x_t, condition = published_case(case, config, batch)

    with torch.no_grad():
        output = denoiser(x_t, torch.tensor(figures["t"]), condition)

    assert sum(parameter.numel() for parameter in denoiser.parameters()) == figures["num_parameters"]
    assert len(denoiser.state_dict()) == figures["num_tensors"]
    ours, published = recorded(figures["forward"], output)
    np.testing.assert_allclose(ours, published, atol=2e-4)  # fp32 sums in another order; outputs reach 3


def test_ddim_with_25_steps_paints_the_published_crops() -> None:
    denoiser, _, condition = published_case("unet_64", parity_model(), 2)

    with torch.no_grad():
        levels = published_levels(25)
        free = ddim(lambda x_t, t: denoiser(x_t, t, condition)[:, :3], condition.noise, levels, Prediction.EPS)
    pasted = paint(denoiser, condition, published_sampler())

    np.testing.assert_allclose(*recorded(FIGURES["unet_64"]["ddim25"], free), atol=1e-3)
    np.testing.assert_allclose(*recorded(FIGURES["unet_64"]["ddim25_pasted"], pasted), atol=1e-3)


def test_ddim_follows_an_analytic_denoiser_as_published() -> None:
    target = 0.7 * torch.tanh(formula_input("analytic:y", (2, 3, 16, 16)))
    shares = alpha_bars().float()

    def analytic(x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        share = shares[t][:, None, None, None]
        return (x_t - share.sqrt() * target) / (1 - share).sqrt() + 0.5 * torch.sin(3 * x_t + t[0] / 100)

    painted = ddim(analytic, formula_input("analytic:x", (2, 3, 16, 16)), published_levels(25), Prediction.EPS)

    np.testing.assert_allclose(*recorded(FIGURES["ddim25_analytic"], painted), atol=1e-5)


def test_log_mel_is_the_published_one() -> None:
    t = np.arange(32_000) / 16_000
    wave = 0.4 * np.sin(2 * np.pi * (120 + 900 * t) * t) + 0.05 * formula_normal("input:wav", (32_000,))

    mel = log_mel(torch.from_numpy(wave.astype(np.float32)))

    np.testing.assert_allclose(*recorded(FIGURES["mel"], mel), atol=1e-4)


def test_painting_leaves_what_lies_outside_the_mask_bit_equal() -> None:
    config = small_model()
    denoiser, size, row = UNet(config).eval(), config.crop.size_px, config.crop.mask_row
    source = formula_input("outside", (1, 3, size, size)).clamp(-1, 1)
    mask = torch.zeros(1, 1, size, size)
    mask[:, :, row:] = 1
    sound = torch.zeros(1, 4 * config.channels)
    condition = Condition(source, mask, formula_input("outside:noise", (1, 3, size, size)), source, sound)

    painted = paint(denoiser, condition, SamplerConfig(steps=2, guidance=1.0))

    assert torch.equal(painted[:, :, :row], source[:, :, :row])
    assert not torch.equal(painted[:, :, row:], source[:, :, row:])
