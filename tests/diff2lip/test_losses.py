"""Each term of the objective is what its equation says."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence
from torch.nn import functional

from diff2lip import losses
from diff2lip.diffusion import add_noise, alpha_bars
from diff2lip.noise_levels import BETA_FIRST, BETA_LAST
from diff2lip.syncnet import Expert, ExpertConfig

GENERATOR = torch.Generator().manual_seed(0)
MASK = torch.zeros(1, 1, 16, 16)
MASK[:, :, 8:] = 1
BETAS = torch.linspace(BETA_FIRST, BETA_LAST, 1000, dtype=torch.float64)


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=GENERATOR)


X_0, EPS = noise(4, 3, 16, 16).clamp(-1, 1), noise(4, 3, 16, 16)
T = torch.tensor([1, 50, 500, 999])
X_T = add_noise(X_0, EPS, alpha_bars().float()[T][:, None, None, None])


@pytest.mark.parametrize("loss", [losses.simple_loss, losses.l2_loss, losses.l1_loss, losses.gradient_loss])
def test_what_lies_outside_the_mask_counts_nothing(loss: object) -> None:
    assert callable(loss)
    changed = X_0.clone()
    changed[:, :, :7] += 1  # one row from the mask: the gradient there looks at the row below

    assert float(loss(changed, X_0, MASK)) == 0
    assert float(loss(X_0 + noise(4, 3, 16, 16), X_0, MASK)) > 0.5


def test_errors_are_averaged_over_the_mask_alone() -> None:
    assert float(losses.l2_loss(X_0 + 0.5, X_0, MASK)) == pytest.approx(0.25, rel=1e-6)
    assert float(losses.l1_loss(X_0 - 0.5, X_0, MASK)) == pytest.approx(0.5, rel=1e-6)


def test_a_constant_error_has_no_gradient_and_a_ramp_has_its_slope() -> None:
    ramp = torch.arange(16.0).expand(4, 3, 16, 16) * 0.1

    assert float(losses.gradient_loss(X_0 + 0.5, X_0, MASK)) == pytest.approx(0, abs=1e-7)
    # 15 of 16 columns differ from their neighbour.
    assert float(losses.gradient_loss(X_0 + ramp, X_0, MASK)) == pytest.approx(0.1 * 15 / 16, rel=1e-5)


def posterior(t: int) -> tuple[float, float, float]:
    """Weight of x_0, weight of x_t, and variance, of q(x_{t-1} | x_t, x_0): Bayes' rule on two Gaussians."""
    shares = torch.cumprod(1 - BETAS, 0)
    before, beta = float(shares[t - 1]), float(BETAS[t])
    # q(x_t | x_{t-1}) has variance beta around sqrt(1 - beta) x_{t-1}; q(x_{t-1} | x_0) variance 1 - before.
    precision = (1 - beta) / beta + 1 / (1 - before)
    return math.sqrt(before) / (1 - before) / precision, math.sqrt(1 - beta) / beta / precision, 1 / precision


def test_a_perfect_estimate_with_the_posteriors_variance_costs_nothing() -> None:
    loss = losses.variational_loss(X_0, X_T, X_0, torch.full_like(X_0, -1.0), T, MASK)

    assert float(loss) == pytest.approx(0, abs=1e-6)


def test_the_bound_is_the_divergence_of_two_gaussians_in_bits_over_all_pixels() -> None:
    clean, variance = X_0 + 0.3 * noise(4, 3, 16, 16), 0.5 * noise(4, 3, 16, 16)
    wanted = []
    for index, t in enumerate(T.tolist()):
        of_clean, of_noisy, spread = posterior(t)
        fraction = (variance[index].double() + 1) / 2
        log_variance = fraction * BETAS[t].log() + (1 - fraction) * math.log(spread)
        true = Normal(of_clean * X_0[index].double() + of_noisy * X_T[index].double(), math.sqrt(spread))
        found = Normal(of_clean * clean[index].double() + of_noisy * X_T[index].double(), (log_variance / 2).exp())
        wanted.append((kl_divergence(true, found) * MASK[0]).mean() / math.log(2))

    loss = losses.variational_loss(X_0, X_T, clean, variance, T, MASK)

    assert float(loss) == pytest.approx(float(torch.stack(wanted).mean()), rel=1e-4)


def test_the_first_level_pays_for_the_codes_that_it_misses() -> None:
    codes = torch.randint(0, 256, X_0.shape, generator=GENERATOR) / 127.5 - 1
    t = torch.zeros(4, dtype=torch.int64)
    narrow = torch.full_like(codes, -1.0)

    right = losses.variational_loss(codes, codes, codes, narrow, t, torch.ones_like(MASK))
    wrong = losses.variational_loss(codes, codes, codes + 0.1, narrow, t, torch.ones_like(MASK))

    assert 0 <= float(right) < 2  # bits a value: the variance there is about one code
    assert float(wrong) > 2 * float(right)


def test_the_bound_teaches_the_variance_and_leaves_the_mean_alone() -> None:
    clean, variance = (X_0 + 0.3).requires_grad_(), torch.zeros_like(X_0).requires_grad_()

    losses.variational_loss(X_0, X_T, clean, variance, T, MASK).backward()

    assert clean.grad is None
    assert variance.grad is not None
    assert variance.grad[:, :, 8:].abs().sum() > 0
    assert variance.grad[:, :, :8].abs().sum() == 0


def test_vectors_that_agree_cost_nothing_and_agreeing_wrongly_costs_much() -> None:
    vectors = functional.normalize(noise(6, 512).abs(), dim=1)
    other = functional.normalize(noise(6, 512).abs(), dim=1)
    cosine = (vectors * other).sum(1).double()
    in_sync = torch.tensor([1.0, 0, 1, 0, 1, 0])

    loss = losses.match_loss(vectors, other, in_sync)

    wanted = -(in_sync * cosine.log() + (1 - in_sync) * (1 - cosine).log()).mean()
    assert float(loss) == pytest.approx(float(wanted), rel=1e-5)
    assert float(losses.match_loss(vectors, vectors, torch.ones(6))) == pytest.approx(0, abs=1e-5)
    assert float(losses.match_loss(vectors, vectors, torch.zeros(6))) > 10


@pytest.mark.parametrize("size", [96, 128])
def test_the_experts_belief_reaches_the_painted_mouths_alone(size: int) -> None:
    torch.manual_seed(0)
    expert = Expert(ExpertConfig(name="test", face_px=(48, 96))).eval().requires_grad_(False)
    crops, mel = noise(2, 5, 3, size, size).requires_grad_(), noise(2, 1, 80, 16)

    loss = losses.sync_loss(expert, crops, mel)
    loss.backward()

    sounds, faces = expert(mel, losses.expert_faces(expert, crops))
    wanted = -functional.cosine_similarity(sounds, faces).log().mean()
    assert float(loss.detach()) == pytest.approx(float(wanted.detach()), rel=1e-5)
    assert crops.grad is not None
    assert crops.grad[..., size // 2 + 4 :, :].abs().sum() > 0
    assert crops.grad[..., : size // 2 - 4, :].abs().sum() == 0


def test_the_adversaries_losses_are_logs_of_probabilities() -> None:
    real, painted = noise(3, 1, 4, 4), noise(3, 1, 4, 4)

    judged = losses.discriminator_loss(real, painted)
    fooled = losses.generator_loss(painted)

    wanted = -0.5 * (real.sigmoid().log().mean() + (1 - painted.sigmoid()).log().mean())
    assert float(judged) == pytest.approx(float(wanted), rel=1e-5)
    assert float(fooled) == pytest.approx(float(-painted.sigmoid().log().mean()), rel=1e-5)
