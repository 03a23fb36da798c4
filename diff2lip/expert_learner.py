"""Teaches the lip-sync expert to tell sound that belongs to a mouth from sound of another moment of the same video.

Prajwal et al., "A Lip Sync Expert Is All You Need for Speech to Lip Generation In the Wild" (2020), section 3.
"""

import torch
from torch import Tensor
from torch.nn import functional

from diff2lip.config import Precision
from diff2lip.learner import Average, Optimiser, State, Wrap, alone
from diff2lip.losses import SURE, expert_faces, match_loss
from diff2lip.syncnet import Expert
from diff2lip.training_config import ExpertTraining
from diff2lip.windows import Windows

NOTHING_LEARNT = 0.65  # of the loss: a network that answers one half to everything has 0.693


class ExpertLearner:
    """The expert in training. Each window is heard twice, with its own sound and with another moment's of its video.

    Half are negatives, as published; that both are of the same face is ours: what a face looks like cancels out.
    """

    def __init__(self, config: ExpertTraining, device: torch.device, wrap: Wrap = alone) -> None:
        torch.manual_seed(config.seed)
        self.expert = Expert(config.expert).to(device).train()
        self._wrapped = wrap(self.expert)
        self._config, self._device = config, device
        self._optimiser = Optimiser(self.expert.parameters(), config.optimiser)
        self._average = Average(self.expert, config.optimiser.ema_decay)

    @property
    def average(self) -> Expert:
        """The averaged weights: what is measured and kept."""
        assert isinstance(self._average.network, Expert)
        return self._average.network

    def learn(self, windows: Windows, step: int, done_share: float) -> dict[str, float]:
        """One step; returns loss and accuracy."""
        count = len(windows)
        heard = torch.cat([windows.sync_mel, windows.other_mel])
        in_sync = (torch.arange(2 * count, device=heard.device) < count).float()
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._config.precision is Precision.BF16):
            sounds, seen = self._wrapped(heard, expert_faces(self.expert, windows.target))
        faces = seen.repeat(2, 1)  # [2B, 16 width] float32, as the sounds
        loss = match_loss(sounds, faces, in_sync)
        norm = self._optimiser.step(loss, step, done_share)
        self._average.follow(self.expert, step)
        right = ((functional.cosine_similarity(sounds, faces) > 0.5) == (in_sync > 0)).float().mean()
        return {"loss": float(loss.detach()), "accuracy": float(right), "gradient_norm": norm}

    def measure(self, windows: Windows) -> dict[str, float]:
        """`held_figures` of the averaged weights."""
        return held_figures(self.average, windows)

    def warm_start(self, weights: Expert) -> None:
        """Begin from another expert's weights of the same configuration."""
        self.expert.load_state_dict(weights.state_dict())
        self.average.load_state_dict(weights.state_dict())

    def state(self) -> State:
        """Weights, their average, and the optimiser."""
        return {
            "expert": self.expert.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state(),
        }

    def resume(self, state: State) -> None:
        """Go on from `state()`."""
        self.expert.load_state_dict(state["expert"])
        self.average.load_state_dict(state["average"])
        self._optimiser.resume(state["optimiser"])


@torch.inference_mode()
def held_figures(network: Expert, windows: Windows) -> dict[str, float]:
    """Loss and accuracy of an expert on held-out windows, each with its own sound and with another moment's.

    Args:
        network: in eval mode, where the windows are.
        windows: unchanged crops, and what is heard with them.
    """
    faces = network.embed_faces(expert_faces(network, windows.target))
    own, other = (
        functional.cosine_similarity(network.embed_sound(mel), faces) for mel in (windows.sync_mel, windows.other_mel)
    )
    return {
        "held_loss": float(0.5 * (_surprise(own) + _surprise(1 - other))),
        "held_accuracy": float(0.5 * ((own > 0.5).float().mean() + (other <= 0.5).float().mean())),
        "held_preferred": float((own > other).float().mean()),
    }


def has_learnt(held_loss: float) -> bool:
    """Whether an expert tells anything apart: one that does not must not teach."""
    return held_loss < NOTHING_LEARNT


def _surprise(probability: Tensor) -> Tensor:
    return -probability.clamp(SURE, 1 - SURE).log().mean()
