"""How networks are trained: the weights of the objective, noise, optimiser, as frozen dataclasses."""

from dataclasses import dataclass, field, fields

from diff2lip.config import ModelConfig, Precision, paper_model
from diff2lip.patch_gan import PatchGanConfig
from diff2lip.syncnet import ExpertConfig, expert_128


@dataclass(frozen=True, kw_only=True, slots=True)
class LossWeights:
    """What each term of the objective counts; a term of weight 0 is not computed. The defaults are the authors'."""

    simple: float = 1.0
    variational: float = 1.0  # where the network has a variance head
    l2: float = 1.0
    sync: float = 0.1
    perceptual: float = 0.25
    gan: float = 0.5
    l1: float = 0.0  # ours, as the next two
    gradient: float = 0.0
    mouth: float = 1.0  # how much more a mouth's pixels count than a cheek's

    def __post_init__(self) -> None:
        negative = [one.name for one in fields(self) if getattr(self, one.name) < 0]
        if negative:
            raise ValueError(f"weights must not be negative, but so are {', '.join(negative)}")


@dataclass(frozen=True, kw_only=True, slots=True)
class NoiseConfig:
    """Which noise the network is trained on."""

    high_share: float = 0.0  # of samples whose level is drawn from the upper part alone; published: none
    high_from: float = 0.55  # of all levels: above, shape is decided, below, texture
    drop_sound: float = 0.0  # share of samples without sound, so that guidance can strengthen it

    def __post_init__(self) -> None:
        wrong = [one.name for one in fields(self) if not 0 <= getattr(self, one.name) <= 1]
        if wrong:
            raise ValueError(f"shares must be in [0, 1], but not so {', '.join(wrong)}")


@dataclass(frozen=True, kw_only=True, slots=True)
class OptimiserConfig:
    """AdamW, a warm-up, and then a fall along a cosine or none."""

    learning_rate: float = 1e-4
    weight_decay: float = 0.01
    warmup_steps: int = 500
    final_share: float = 1.0  # of the learning rate at the end of the run; 1: it stays
    clip_norm: float = 1.0  # of all gradients together
    ema_decay: float = 0.9999

    def __post_init__(self) -> None:
        if self.learning_rate <= 0 or self.clip_norm <= 0 or self.warmup_steps < 0:
            raise ValueError("learning_rate and clip_norm must be positive, warmup_steps not negative")
        if not 0 <= self.ema_decay < 1 or not 0 <= self.final_share <= 1:
            raise ValueError("ema_decay must be in [0, 1) and final_share in [0, 1]")


@dataclass(frozen=True, kw_only=True, slots=True)
class PainterTraining:
    """The training of Diff2Lip."""

    model: ModelConfig = field(default_factory=paper_model)
    weights: LossWeights = field(default_factory=LossWeights)
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    gan: PatchGanConfig = field(default_factory=PatchGanConfig)
    precision: Precision = Precision.BF16  # of the networks' own work; losses and weights stay in float32
    seed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpertTraining:
    """The training of the lip-sync expert."""

    expert: ExpertConfig = field(default_factory=expert_128)
    optimiser: OptimiserConfig = field(
        default_factory=lambda: OptimiserConfig(weight_decay=0.0, warmup_steps=100, ema_decay=0.99)
    )
    precision: Precision = Precision.FP32  # its batch norms are small nets' safest
    seed: int = 0
