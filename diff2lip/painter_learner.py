"""Teaches Diff2Lip: the whole objective on five frames at a time.

Mukhopadhyay et al., "Diff2Lip: Audio Conditioned Diffusion Models for Lip-Synchronization" (WACV 2024), section 3.2.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor, nn

from diff2lip import losses
from diff2lip.config import Precision, Prediction
from diff2lip.diffusion import add_noise, alpha_bars, clean_estimate, velocity
from diff2lip.learner import Average, Optimiser, State, Wrap, alone
from diff2lip.mouth_weight import crop_mask, mouth_weight
from diff2lip.patch_gan import PatchGan
from diff2lip.syncnet import Expert
from diff2lip.training_config import PainterTraining
from diff2lip.unet import Condition, UNet
from diff2lip.windows import Noise, Windows, draw_noise

Part = TypeVar("Part")
MEASURED_LEVELS = (900, 700, 400)  # one-step estimates are looked at from nearly pure noise down


class MissingJudgeError(ValueError):
    """A term of the objective wants a frozen network that was not given."""


class Painter(nn.Module):
    """The UNet with its sound in one call, so that workers exchange the gradients of both at once."""

    def __init__(self, unet: UNet) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, x_t: Tensor, t: Tensor, given: Condition, mel: Tensor, keep: Tensor) -> Tensor:
        """As `UNet.forward`; the sound of `given` is made here of mel windows [B, 80, 16] and `keep` [B]."""
        sound = self.unet.encode_sound(mel) * keep[:, None]
        return torch.as_tensor(self.unet(x_t, t, replace(given, sound=sound)))


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the network says of noisy windows, frames flat: B*5 of them."""

    x_0: Tensor
    x_t: Tensor
    eps: Tensor
    t: Tensor  # [B*5]
    share: Tensor  # [B*5, 1, 1, 1] alpha_bar
    predicted: Tensor  # the first three channels
    variance: Tensor | None  # the other three
    guess: Tensor  # one-step estimate of x_0, wherever it lies
    clean: Tensor  # the same in [-1, 1], as when painting, in the mask; x_0 outside


class PainterLearner:
    """Diff2Lip in training."""

    def __init__(
        self,
        config: PainterTraining,
        device: torch.device,
        wrap: Wrap = alone,
        expert: Expert | None = None,
        perceptual: nn.Module | None = None,
    ) -> None:
        """Prepare.

        Args:
            config: model, weights, noise, optimiser.
            device: where to train.
            wrap: makes networks one of several workers'.
            expert: the frozen judge of sync, where its term has weight.
            perceptual: the frozen network of LPIPS or ST-LPIPS, where that has weight.

        Raises:
            MissingJudgeError: a term has weight and its network is not there.
        """
        _require(config, expert, perceptual)
        torch.manual_seed(config.seed)
        self.config, self._device = config, device
        # PyTorch's GroupNorm turns channels around on a GPU: 408 instead of 332 ms a step of 128 windows of `small`.
        layout = torch.channels_last if device.type == "cpu" else torch.contiguous_format
        self.unet = UNet(config.model).to(memory_format=layout).to(device).train()
        self._painter = wrap(Painter(self.unet))
        self._average = Average(self.unet, config.optimiser.ema_decay)
        self._optimiser = Optimiser(self.unet.parameters(), config.optimiser)
        self._expert = None if expert is None else expert.to(device).eval().requires_grad_(False)
        self._perceptual = None if perceptual is None else perceptual.to(device).eval().requires_grad_(False)
        self._mask = crop_mask(config.model.crop).to(device)
        self._weight = mouth_weight(config.model.crop, config.weights.mouth).to(device)
        self._shares = alpha_bars().float().to(device)
        self._adversary = _Adversary(config, device, wrap) if config.weights.gan else None

    @property
    def average(self) -> UNet:
        """The averaged weights: what is evaluated and kept."""
        assert isinstance(self._average.network, UNet)
        return self._average.network

    def learn(self, windows: Windows, step: int, done_share: float) -> dict[str, float]:
        """One step; returns each term, not weighted, and their weighted sum as `loss`."""
        noise = draw_noise(windows, self.config.noise, self.config.seed)
        estimate = self._estimate(windows, noise, self._painter)
        terms = self._terms(windows, estimate)
        loss = self._weighted(terms)
        norm = self._optimiser.step(loss, step, done_share)
        self._average.follow(self.unet, step)
        figures = {name: float(term.detach()) for name, term in terms.items()}
        if self._adversary is not None:
            painted = estimate.clean.detach().reshape(windows.target.shape)
            figures["discriminator"] = self._adversary.learn(windows.target, painted, step, done_share)
        return figures | {"loss": float(loss.detach()), "gradient_norm": norm}

    @torch.inference_mode()
    def measure(self, windows: Windows) -> dict[str, float]:
        """Each term as `held_*`, and PSNR in dB of the one-step estimate in the mask at three levels.

        The latter with the right sound and with another window's, beside that of a copied reference. What is random
        follows from the ids, so figures of two steps or two runs compare.
        """
        painter = Painter(self.average)
        drawn = draw_noise(windows, self.config.noise, self.config.seed + 1)
        drawn = replace(drawn, keep=torch.ones_like(drawn.keep))
        figures = self._held_terms(windows, drawn, painter)
        heard = {"right": windows.mel, "shuffled": windows.mel.roll(1, 0)}
        for level in MEASURED_LEVELS:
            noise = replace(drawn, t=torch.full_like(drawn.t, level))
            for name, mel in heard.items():
                estimate = self._estimate(replace(windows, mel=mel), noise, painter)
                figures[f"held_{name}_{level}_db"] = self._psnr_db(estimate.clean, estimate.x_0)
        copied = windows.reference[:, None].expand_as(windows.target).flatten(0, 1)
        return figures | {"held_copied_db": self._psnr_db(copied, windows.target.flatten(0, 1))}

    def state(self) -> State:
        """Weights, their average, both optimisers, and the discriminator."""
        state = {
            "unet": self.unet.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state(),
        }
        return state if self._adversary is None else state | {"adversary": self._adversary.state()}

    def resume(self, state: State) -> None:
        """Go on from `state()`."""
        self.unet.load_state_dict(state["unet"])
        self.average.load_state_dict(state["average"])
        self._optimiser.resume(state["optimiser"])
        if self._adversary is not None:
            self._adversary.resume(state["adversary"])

    def warm_start(self, weights: UNet) -> None:
        """Begin from the weights of an earlier model; the optimiser begins anew."""
        self.unet.load_state_dict(weights.state_dict())
        self.average.load_state_dict(weights.state_dict())

    def _estimate(self, windows: Windows, noise: Noise, painter: nn.Module) -> Estimate:
        frames = windows.target.shape[1]
        x_0, eps, fill = (part.flatten(0, 1) for part in (windows.target, noise.eps, noise.fill))
        t = noise.t.repeat_interleave(frames)
        share = self._shares[t][:, None, None, None]
        reference = windows.reference[:, None].expand_as(windows.target).flatten(0, 1)
        x_t = add_noise(x_0, eps, share)
        given = Condition(x_0, self._mask, fill, reference, x_0)  # its sound is made in the call
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self.config.precision is Precision.BF16):
            output = painter(x_t, t, given, windows.mel.flatten(0, 1), noise.keep.repeat_interleave(frames)).float()
        predicted, variance = output[:, :3], output[:, 3:] if self.config.model.learned_variance else None
        guess = clean_estimate(x_t, predicted, share, self.config.model.prediction)
        # Near pure noise an error of eps is 157 times as large in x_0: beyond white it says nothing of a picture.
        clean = torch.where(self._mask > 0, guess.clamp(-1, 1), x_0)
        return Estimate(x_0, x_t, eps, t, share, predicted, variance, guess, clean)

    def _terms(self, windows: Windows, estimate: Estimate) -> dict[str, Tensor]:
        sequence = estimate.clean.reshape(windows.target.shape)
        wanted = estimate.eps
        if self.config.model.prediction is Prediction.V:
            wanted = velocity(estimate.x_0, estimate.eps, estimate.share)
        ways: dict[str, Callable[[], Tensor]] = {
            "simple": lambda: losses.simple_loss(estimate.predicted, wanted, self._weight),
            "l2": lambda: losses.l2_loss(estimate.clean, estimate.x_0, self._weight),
            "l1": lambda: losses.l1_loss(estimate.clean, estimate.x_0, self._weight),
            "gradient": lambda: losses.gradient_loss(estimate.clean, estimate.x_0, self._weight),
            "variational": lambda: self._variational(estimate),
            "sync": lambda: losses.sync_loss(_there(self._expert), sequence, windows.sync_mel),
            "perceptual": lambda: losses.perceptual_loss(_there(self._perceptual), estimate.clean, estimate.x_0),
            "gan": lambda: _there(self._adversary).judge(sequence),
        }
        return {name: way() for name, way in ways.items() if self._has(name)}

    def _weighted(self, terms: dict[str, Tensor]) -> Tensor:
        return torch.stack([getattr(self.config.weights, name) * term for name, term in terms.items()]).sum()

    def _held_terms(self, windows: Windows, noise: Noise, painter: nn.Module) -> dict[str, float]:
        terms = self._terms(windows, self._estimate(windows, noise, painter))
        return {f"held_{name}": float(term) for name, term in (terms | {"loss": self._weighted(terms)}).items()}

    def _has(self, name: str) -> bool:
        counts = getattr(self.config.weights, name) > 0
        return counts and (name != "variational" or self.config.model.learned_variance)

    def _variational(self, estimate: Estimate) -> Tensor:
        variance = _there(estimate.variance)
        return losses.variational_loss(estimate.x_0, estimate.x_t, estimate.guess, variance, estimate.t, self._mask)

    def _psnr_db(self, crops: Tensor, wanted: Tensor) -> float:
        error = ((crops - wanted).square() * self._mask).sum((1, 2, 3)) / (3 * self._mask.sum())
        return float((10 * torch.log10(4 / error.clamp(min=1e-10))).mean())


class _Adversary:
    """The discriminator in training, from scratch and beside the painter."""

    def __init__(self, config: PainterTraining, device: torch.device, wrap: Wrap) -> None:
        self.network = PatchGan(config.gan).to(device).train()
        self._wrapped = wrap(self.network)
        self._optimiser = Optimiser(self.network.parameters(), config.optimiser)

    def judge(self, sequence: Tensor) -> Tensor:
        """The painter's term: gradients pass through the discriminator and leave it as it is."""
        self.network.requires_grad_(False)
        loss = losses.generator_loss(self.network(sequence))
        self.network.requires_grad_(True)
        return loss

    def learn(self, real: Tensor, painted: Tensor, step: int, done_share: float) -> float:
        """One step on real sequences and as many painted ones [B, 5, 3, S, S]; returns the loss."""
        logits = self._wrapped(torch.cat([real, painted]))
        loss = losses.discriminator_loss(logits[: len(real)], logits[len(real) :])
        self._optimiser.step(loss, step, done_share)
        return float(loss.detach())

    def state(self) -> State:
        return {"network": self.network.state_dict(), "optimiser": self._optimiser.state()}

    def resume(self, state: State) -> None:
        self.network.load_state_dict(state["network"])
        self._optimiser.resume(state["optimiser"])


def _require(config: PainterTraining, expert: Expert | None, perceptual: nn.Module | None) -> None:
    lacking = [
        f"weight {weight} of {name} wants {what}"
        for name, weight, network, what in (
            ("sync", config.weights.sync, expert, "a trained expert"),
            ("perceptual", config.weights.perceptual, perceptual, "a perceptual network"),
        )
        if weight and network is None
    ]
    if lacking:
        raise MissingJudgeError(f"{'; '.join(lacking)}: give it, or set the weight to 0")


def _there(value: Part | None) -> Part:
    assert value is not None
    return value
