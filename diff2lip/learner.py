"""What every training has: an optimiser with warm-up and clipping, averaged weights, and a state to resume from."""

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from diff2lip.training_config import OptimiserConfig
from diff2lip.windows import Windows

Wrap = Callable[[nn.Module], nn.Module]
"""Makes a network one of several workers', as `DistributedDataParallel` does."""
State = dict[str, Any]


MAX_SKIPPED = 10


class NotFiniteError(RuntimeError):
    """A training that has come apart: its gradients are infinite, or no numbers."""


class Learner(Protocol):
    """A network in training. It knows nothing of workers, files or runs."""

    def learn(self, windows: Windows, step: int, done_share: float) -> dict[str, float]:
        """One step on a batch; returns each term of the loss. `done_share` of the run lies behind."""

    def measure(self, windows: Windows) -> dict[str, float]:
        """Figures on held-out windows, of the averaged weights."""

    def state(self) -> State:
        """All that a run that goes on needs; tensors and plain values."""

    def resume(self, state: State) -> None:
        """Go on from `state()`."""


def alone(network: nn.Module) -> nn.Module:
    """No other worker: the network itself."""
    return network


class Optimiser:
    """AdamW with warm-up, decay and clipping."""

    def __init__(self, parameters: Iterable[nn.Parameter], config: OptimiserConfig) -> None:
        self._config = config
        self._parameters = [parameter for parameter in parameters if parameter.requires_grad]
        self._skipped = 0  # steps in a row
        self._adam = torch.optim.AdamW(
            self._parameters, lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.9, 0.999)
        )

    def step(self, loss: Tensor, step: int, done_share: float) -> float:
        """Move the weights; returns the norm of the gradients before they were clipped.

        Gradients that are not finite move nothing: one odd batch does not end a night.

        Raises:
            NotFiniteError: so it was ten times in a row.
        """
        for group in self._adam.param_groups:
            group["lr"] = self._config.learning_rate * learning_share(self._config, step, done_share)
        self._adam.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        norm = float(nn.utils.clip_grad_norm_(self._parameters, self._config.clip_norm))
        if math.isfinite(norm):
            self._adam.step()
            self._skipped = 0
        else:
            self._skipped += 1
            if self._skipped == MAX_SKIPPED:
                raise NotFiniteError(f"the gradients of {MAX_SKIPPED} steps up to {step} are not finite")
        return norm

    def state(self) -> State:
        """As `torch.optim.Optimizer.state_dict`."""
        return dict(self._adam.state_dict())

    def resume(self, state: State) -> None:
        """Go on from `state()`."""
        self._adam.load_state_dict(state)


def learning_share(config: OptimiserConfig, step: int, done_share: float) -> float:
    """Share of the learning rate at a step: up along a line, then down along a cosine to `final_share`."""
    warm = min(1.0, (step + 1) / max(1, config.warmup_steps))
    fall = 0.5 * (1 + math.cos(math.pi * min(1.0, done_share)))
    return warm * (config.final_share + (1 - config.final_share) * fall)


class Average:
    """An exponential moving average of a network's weights, quicker at the beginning."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def follow(self, network: nn.Module, step: int) -> None:
        """Take in the weights after a step; buffers are copied."""
        decay = min(self._decay, (step + 1) / (step + 10))
        torch._foreach_lerp_(list(self.network.parameters()), list(network.parameters()), 1 - decay)
        for mine, theirs in zip(self.network.buffers(), network.buffers(), strict=True):
            mine.copy_(theirs)
