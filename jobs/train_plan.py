"""What a training worker is told: everything it needs, as plain values and uris."""

from dataclasses import dataclass

from diff2lip.config import CropConfig
from jobs.recipes import Recipe
from pipelines.training_windows import WindowConfig
from pipelines.window_change import ChangeConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainPlan:
    """One training run."""

    recipe: Recipe
    picture: CropConfig  # what the pictures of the data set show
    learn_uri: str  # STRETCH rows to learn from
    held_uri: str  # STRETCH rows to measure on
    expert: str | None  # a checkpoint, where the objective wants one
    perceptual: str | None  # weights of ST-LPIPS, likewise
    parent: str | None  # a checkpoint to begin from
    rival: str | None  # of an expert: the one that it would replace
    folder: str  # of this run, seen by all workers: how far it is, and whether it shall stop
    storage: str  # folder of checkpoints
    budget_s: float | None  # of learning, over all restarts
    threads: int  # of each worker, where it has no GPU
    tracking_uri: str
    run_id: str  # of MLflow

    @property
    def windows(self) -> WindowConfig:
        """How samples to learn from are drawn."""
        settings = self.recipe.windows
        return WindowConfig(
            crop=self.recipe.crop,
            picture=self.picture,
            sound=self.recipe.painter.model.sound,
            change=settings.change,
            windows_per_stretch=settings.windows_per_stretch,
            seed=self.recipe.seed,
        )

    @property
    def held_windows(self) -> WindowConfig:
        """How samples to measure on are drawn: unchanged, one from a stretch, the same for every run."""
        return WindowConfig(
            crop=self.recipe.crop,
            picture=self.picture,
            sound=self.recipe.painter.model.sound,
            change=ChangeConfig(),
            windows_per_stretch=1,
            seed=0,
        )
