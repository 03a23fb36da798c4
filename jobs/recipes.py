"""Named trainings, as functions: each returns all of its settings, and `--set` changes a few of them.

diff2lip: `paper` (the published model on GPUs, the authors' weights of every term), `paper_simple`, `paper_sync`,
`paper_perceptual` (the rows of the paper's ablation, each with one term more), `small` (the shipped model, for CPUs).
syncnet: `expert_128`, `wav2lip` (96 px, as published), `small` (for the crops of the shipped model).
Both: `tiny_cpu`, minutes on two cores, to see everything work.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from diff2lip.config import AudioEncoderConfig, CropConfig, ModelConfig, Precision, Prediction, small_model, whole_face
from diff2lip.patch_gan import PatchGanConfig
from diff2lip.syncnet import ExpertConfig, expert_128, published_expert
from diff2lip.training_config import ExpertTraining, LossWeights, NoiseConfig, OptimiserConfig, PainterTraining
from jobs.promotion import ChallengeSettings
from jobs.training_errors import UnknownRecipeError
from pipelines.clip_filter import ClipThresholds, expert_thresholds
from pipelines.stretch_index import HeldOut
from pipelines.window_change import ChangeConfig


class Kind(StrEnum):
    """Which network is trained."""

    SYNCNET = "syncnet"
    DIFF2LIP = "diff2lip"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSettings:
    """How long a training runs, and how often it says something."""

    batch: int = 64  # windows of five frames in a step, over all workers
    block: int = 4  # windows drawn together; batch is shared out in whole blocks
    max_steps: int = 260_000  # the published model's
    log_every: int = 10
    measure_every: int = 1000  # on held-out windows; as often a grid of pictures is made
    checkpoint_every: int = 1000
    held_windows: int = 64
    drawers: int = 1  # processes that decode and crop, beside the workers

    def __post_init__(self) -> None:
        if min(self.batch, self.block, self.max_steps, self.log_every, self.measure_every, self.checkpoint_every) < 1:
            raise ValueError(f"all counts must be positive, got {self}")
        if self.batch % self.block:
            raise ValueError(f"a batch of {self.batch} is no whole number of blocks of {self.block}")
        if self.held_windows < 2 or self.drawers < 1:
            raise ValueError("held_windows must be at least 2, and drawers at least 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowSettings:
    """How windows are drawn from the data set."""

    change: ChangeConfig = field(default_factory=ChangeConfig)
    windows_per_stretch: int = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """A whole training."""

    name: str
    kind: Kind
    crop: CropConfig  # what the network sees of a face
    painter: PainterTraining = field(default_factory=PainterTraining)  # of diff2lip
    expert: ExpertTraining = field(default_factory=ExpertTraining)  # of syncnet
    windows: WindowSettings = field(default_factory=WindowSettings)
    thresholds: ClipThresholds = field(default_factory=ClipThresholds)
    held: HeldOut = field(default_factory=HeldOut)
    run: RunSettings = field(default_factory=RunSettings)
    challenge: ChallengeSettings = field(default_factory=ChallengeSettings)

    @property
    def seed(self) -> int:
        """Of samples, noise and first weights."""
        return self.painter.seed if self.kind is Kind.DIFF2LIP else self.expert.seed


def paper() -> Recipe:
    """The published model, the whole objective. Batch, rate and optimiser are not published: these are ours."""
    training = PainterTraining()
    return Recipe(
        name="paper",
        kind=Kind.DIFF2LIP,
        crop=training.model.crop,
        painter=training,
        run=RunSettings(),
    )


def paper_simple() -> Recipe:
    """Table 1, first row: L_simple alone, with the bound of the learned variance."""
    return _paper_with("paper_simple", LossWeights(l2=0, sync=0, perceptual=0, gan=0))


def paper_sync() -> Recipe:
    """Second row: L2 of the one-step estimate and the expert."""
    return _paper_with("paper_sync", LossWeights(perceptual=0, gan=0))


def paper_perceptual() -> Recipe:
    """Third row: the perceptual distance too. With the sequence discriminator it is `paper`."""
    return _paper_with("paper_perceptual", LossWeights(gan=0))


def small() -> Recipe:
    """The shipped model: v, strong changes of crops and sound, the expert, no discriminator."""
    training = PainterTraining(
        model=small_model(),
        weights=LossWeights(simple=1, l2=0, l1=1, gradient=1, sync=0.05, perceptual=0, gan=0, mouth=4),
        noise=NoiseConfig(high_share=0.5, drop_sound=0.12),
        optimiser=OptimiserConfig(learning_rate=4e-4, warmup_steps=200, final_share=0.02, ema_decay=0.9995),
    )
    change = ChangeConfig(picture=1.0, pose=1.0, sound=1.0, mirror=0.5)
    return Recipe(
        name="small",
        kind=Kind.DIFF2LIP,
        crop=training.model.crop,
        painter=training,
        windows=WindowSettings(change=change, windows_per_stretch=2),
        run=RunSettings(batch=16, block=4, max_steps=100_000, measure_every=250, checkpoint_every=250),
    )


TINY_CROP = CropConfig(size_px=64)  # the crop of `small`: mouths are half as large again as in a whole face


def tiny_painter() -> Recipe:
    """A network of 0.6 M weights at 64 px, all terms but the perceptual one: minutes on two cores.

    It predicts v: an x_0 made of eps says nothing of a mouth in the first hundreds of steps, and then neither do
    the terms that look at it. The discriminator counts a tenth of the published weight, or it soon outweighs the rest.
    """
    model = ModelConfig(
        name="tiny",
        channels=16,
        channel_mult=(1, 2, 2),
        num_res_blocks=1,
        attention_factors=(4,),
        head_channels=16,
        groups=8,
        prediction=Prediction.V,
        audio=AudioEncoderConfig(channels=16, num_res_blocks=1, groups=8),
        crop=TINY_CROP,
    )
    training = PainterTraining(
        model=model,
        weights=LossWeights(perceptual=0, gan=0.05),
        optimiser=OptimiserConfig(learning_rate=1e-3, warmup_steps=20, final_share=0.1, ema_decay=0.99),
        gan=PatchGanConfig(channels=16, halvings=2),
        precision=Precision.FP32,
    )
    run = RunSettings(batch=4, block=2, max_steps=2000, measure_every=50, checkpoint_every=50, held_windows=8)
    return Recipe(
        name="tiny_cpu",
        kind=Kind.DIFF2LIP,
        crop=model.crop,
        painter=training,
        thresholds=_lenient(),
        held=HeldOut(share=0.3),
        run=run,
        challenge=ChallengeSettings(stretches=8, frames=5),
    )


def expert_for_128() -> Recipe:
    """Ours, for crops of 128 px."""
    return _expert("expert_128", expert_128(), whole_face(128))


def wav2lip() -> Recipe:
    """Wav2Lip's architecture at its own 96 px."""
    return _expert("wav2lip", published_expert(), whole_face(96))


def small_expert() -> Recipe:
    """The teacher of the shipped model: it sees the lower half of that model's crop."""
    changed = WindowSettings(change=ChangeConfig(picture=1.0, sound=1.0, mirror=0.5))
    expert = ExpertConfig(name="small", face_px=(48, 96), width=16)
    recipe = _expert("small", expert, small_model().crop)
    return replace(recipe, windows=changed, run=replace(recipe.run, batch=32, measure_every=250, checkpoint_every=250))


def tiny_expert() -> Recipe:
    """The expert at 64 px: minutes on two cores."""
    recipe = _expert("tiny_cpu", ExpertConfig(name="tiny", face_px=(32, 64), width=8), TINY_CROP)
    run = RunSettings(batch=32, block=4, max_steps=4000, measure_every=100, checkpoint_every=100, drawers=2)
    changed = WindowSettings(change=ChangeConfig(mirror=0.5), windows_per_stretch=2)  # more are learnt by heart
    quick = replace(recipe.expert.optimiser, learning_rate=3e-4, warmup_steps=20)  # 1e-3 never leaves 0.693
    training = replace(recipe.expert, optimiser=quick)
    return replace(recipe, expert=training, windows=changed, thresholds=_lenient(), held=HeldOut(share=0.3), run=run)


RECIPES: dict[Kind, dict[str, Callable[[], Recipe]]] = {
    Kind.DIFF2LIP: {
        "paper": paper,
        "paper_simple": paper_simple,
        "paper_sync": paper_sync,
        "paper_perceptual": paper_perceptual,
        "small": small,
        "tiny_cpu": tiny_painter,
    },
    Kind.SYNCNET: {
        "expert_128": expert_for_128,
        "wav2lip": wav2lip,
        "small": small_expert,
        "tiny_cpu": tiny_expert,
    },
}


def find_recipe(kind: Kind, name: str) -> Recipe:
    """A recipe by its name.

    Raises:
        UnknownRecipeError: there is none of that name for this network.
    """
    known = RECIPES[kind]
    if name not in known:
        raise UnknownRecipeError(f"no recipe {name!r} for {kind.value}; known are {', '.join(known)}")
    return known[name]()


def _paper_with(name: str, weights: LossWeights) -> Recipe:
    whole = paper()
    return replace(whole, name=name, painter=replace(whole.painter, weights=weights))


def _expert(name: str, expert: ExpertConfig, crop: CropConfig) -> Recipe:
    return Recipe(
        name=name,
        kind=Kind.SYNCNET,
        crop=crop,
        expert=ExpertTraining(expert=expert),
        thresholds=expert_thresholds(),
        run=RunSettings(max_steps=700_000),
    )


def _lenient() -> ClipThresholds:
    """Whatever has a face: for a handful of clips."""
    return ClipThresholds(min_face_height_px=0, min_sharpness=0, min_opening_range=0, max_yaw_deg=90)
