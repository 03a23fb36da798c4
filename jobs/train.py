"""The training job: a data set in, a checkpoint with its lineage out, one MLflow run."""

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from diff2lip.config import CropConfig
from diff2lip.expert_learner import has_learnt
from jobs.cluster import ray_cluster
from jobs.command import DONE, FAILED
from jobs.lineage import (
    JobRun,
    TrackingError,
    attach_run,
    default_tracking_uri,
    describe,
    lineage_tags,
    open_job,
)
from jobs.model_card import CardFacts, model_card
from jobs.night import DONE as NIGHT_DONE
from jobs.night import STOPPED, Night, ended, open_night, write_night
from jobs.out_lock import held_out
from jobs.overrides import override
from jobs.progress import Display, Silence
from jobs.recipes import Kind, Recipe, find_recipe
from jobs.registry import register_model
from jobs.revision import read_revision
from jobs.train_fit import cpu_threads, fit, read_told
from jobs.train_plan import TrainPlan
from jobs.train_record import TrainRecord
from jobs.train_worker import HELD_NAME, MODEL_NAME, STOP_NAME, TOLD_NAME
from jobs.training_errors import ExpertMissingError, PictureMismatchError
from jobs.training_network import check_expert
from jobs.work_folder import WORK_NAME
from pipelines.assets import asset_path
from pipelines.storage import ObjectStore, content_key, file_digest
from pipelines.stretch_index import stretch_index
from pipelines.training_set import TrainingSet, open_training_set
from pipelines.training_window import PUBLISHED_SIZE_PX, TRAINING_WINDOW, TrainingCrop

VERSION = 1  # raised when the same recipe and data give other weights
PERCEPTUAL_ASSET = "st-lpips-alexnet"
MODEL_NAMES = {Kind.SYNCNET: "expert.safetensors", Kind.DIFF2LIP: "diff2lip.safetensors"}
REGISTERED_NAMES = {Kind.SYNCNET: "diff2lip-expert", Kind.DIFF2LIP: "diff2lip"}
UNTRAINED = (
    "the expert has learnt nothing: its held-out loss is {:.3f}, and one half for everything gives 0.693. It is not "
    "kept. Look at offsets and confidence of the clips, learn longer, or take a smaller learning rate"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainRequest:
    """What a person asked for."""

    kind: Kind
    data: Path
    out: Path
    recipe: str
    settings: tuple[str, ...] = ()  # key=value
    budget_s: float | None = None
    expert: Path | None = None  # none: the one that was trained in `out`
    parent: Path | None = None
    workers: int = 1
    most_workers: int | None = None  # more, where the cluster has them
    new: bool = False
    tracking_uri: str | None = None
    address: str | None = None


@dataclass(kw_only=True, slots=True)
class TrainOutcome:
    """What came of it."""

    exit_code: int
    status: str  # trained, stopped, or untrained
    name: str  # of the run
    steps: int
    model: str = ""  # the checkpoint, where one was kept
    version: str = ""  # what `--model` takes, where it was registered
    digest: str = ""
    figures: dict[str, float] = field(default_factory=dict)  # of the last step and on held-out windows
    left_out: dict[str, int] = field(default_factory=dict)  # clips by reason
    notices: list[str] = field(default_factory=list)
    run_id: str = ""
    tracking_uri: str = ""


def run_training(request: TrainRequest, display: Display | None = None) -> TrainOutcome:
    """Train a network. An unfinished training of the same settings goes on, in the same MLflow run.

    Raises:
        UnknownRecipeError, OverrideError: no such recipe or setting.
        TrainingSetError, NoStretchesError: no data, or nothing left of them.
        ExpertMissingError, ExpertMismatchError, CheckpointError: the objective's expert is not there or another one.
        UnfinishedNightError: a training of other settings lies there.
        OutInUseError: another job writes into the same folder.
        TrackingError: the tracking store cannot be reached when the run begins.
        TrainingBrokenError: the workers fail again and again.
    """
    recipe = override(find_recipe(request.kind, request.recipe), request.settings)
    data = open_training_set(request.data)
    index, left_out = stretch_index(data, recipe.thresholds, recipe.held)
    expert = _expert_path(request, recipe)
    folder = request.out / request.kind.value
    with held_out(folder):
        job = _Job(request, recipe, data, index, expert)
        outcome = job.run(display or Silence())
    outcome.left_out = dict(left_out)
    return outcome


class _Job:
    def __init__(
        self, request: TrainRequest, recipe: Recipe, data: TrainingSet, index: pa.Table, expert: Path | None
    ) -> None:
        self._request, self._recipe, self._data, self._index, self._expert = request, recipe, data, index, expert
        self._folder = request.out / request.kind.value
        self._uri = request.tracking_uri or default_tracking_uri(request.out)
        self._revision = read_revision()
        self._facts = self._deciding_facts()

    def run(self, display: Display) -> TrainOutcome:
        night, goes_on = open_night(self._folder, self._digest, self._revision.commit, new=self._request.new)
        run = attach_run(self._uri, night.run_id) if goes_on else self._begin()
        night = replace(night, run_id=run.run_id)
        write_night(self._folder, night)
        plan = self._plan(night)
        Path(plan.folder).mkdir(parents=True, exist_ok=True)
        workers = self._request.workers
        most = self._request.most_workers
        failed = True
        try:
            with ray_cluster(self._request.address):
                result = fit(
                    plan, night.name, self._folder / "runs", workers if most is None else (workers, most), display
                )
            outcome = self._end(night, plan, Path(result.checkpoint.path) / MODEL_NAME)
            failed = outcome.exit_code != DONE
        finally:
            TrainRecord(self._uri, run.run_id, Path(plan.folder)).flush(force=True)
            if failed or not (Path(plan.folder) / STOP_NAME).exists():
                run.finish(failed=failed)
        return outcome

    def _begin(self) -> JobRun:
        digests = {"data": self._data.digest, "config": self._digest}
        digests |= {"expert": file_digest(self._expert)} if self._expert else {}
        digests |= {"parent": file_digest(self._request.parent)} if self._request.parent else {}
        run = open_job(self._uri, f"train {self._request.kind.value}", lineage_tags(self._revision, digests))
        run.log_params(asdict(self._recipe))
        run.log_json("config.json", describe(self._revision, self._facts))
        run.log_input(self._request.data.name, str(self._request.data.absolute()), self._data.digest, "training")
        return run

    def _plan(self, night: Night) -> TrainPlan:
        store = ObjectStore(str((self._request.out / WORK_NAME).absolute()))
        held = pc.field("held_out")
        learn_uri, held_uri = (
            store.put_table(
                content_key("stretches", VERSION, self._facts | {"held": name}), self._index.filter(chosen)
            )
            for name, chosen in (("learn", ~held), ("held", held))
        )
        weights = self._recipe.painter.weights
        perceptual = weights.perceptual and self._recipe.kind is Kind.DIFF2LIP
        return TrainPlan(
            recipe=self._recipe,
            picture=self._picture(),
            learn_uri=learn_uri,
            held_uri=held_uri,
            expert=None if self._expert is None else str(self._expert.absolute()),
            perceptual=str(asset_path(PERCEPTUAL_ASSET).absolute()) if perceptual else None,
            parent=None if self._request.parent is None else str(self._request.parent.absolute()),
            folder=str((self._folder / "nights" / night.name).absolute()),
            budget_s=self._request.budget_s,
            threads=cpu_threads(self._request.workers),
            tracking_uri=self._uri,
            run_id=night.run_id,
        )

    def _picture(self) -> CropConfig:
        """What the pictures of the data set show, in the face frame."""
        crop = self._recipe.crop
        if self._data.crop is TrainingCrop.TRACKED:
            return TRAINING_WINDOW
        if crop.mask_top != 0.5:
            raise PictureMismatchError(
                f"recipe {self._recipe.name} looks at a part of the face, and the pictures of {self._data.folder} are "
                "of the published box: cut the clips anew with --crop tracked"
            )
        return replace(crop, size_px=PUBLISHED_SIZE_PX)

    def _end(self, night: Night, plan: TrainPlan, model: Path) -> TrainOutcome:
        folder = Path(plan.folder)
        told, held = read_told(folder / TOLD_NAME), read_told(folder / HELD_NAME)
        figures = {**told.get("figures", {}), **held.get("figures", {})}
        steps = held.get("step", 0)
        outcome = TrainOutcome(
            exit_code=DONE,
            status="trained",
            name=night.name,
            steps=steps,
            figures=figures,
            run_id=night.run_id,
            tracking_uri=self._uri,
        )
        if (folder / STOP_NAME).exists():
            write_night(self._folder, ended(night, STOPPED))
            outcome.status = "stopped"
            outcome.notices.append("stopped: a checkpoint was kept, and the same command goes on from it")
            return outcome
        write_night(self._folder, ended(night, NIGHT_DONE))
        kept = self._request.out / MODEL_NAMES[self._request.kind]
        outcome = finished_outcome(outcome, self._request.kind, model, kept)
        return self._registered(outcome, kept, folder) if outcome.model else outcome

    def _registered(self, outcome: TrainOutcome, kept: Path, folder: Path) -> TrainOutcome:
        """The outcome with the version under which MLflow has the checkpoint; without it the file is still there."""
        card, config = folder / "card.md", folder / "config.json"
        card.write_text(model_card(self._card_facts(outcome)))
        config.write_text(json.dumps(self._facts, indent=2))
        tags = {"diff2lip.recipe": self._recipe.name, "diff2lip.data_digest": self._data.digest}
        tags |= {"diff2lip.steps": str(outcome.steps), "diff2lip.config_digest": self._digest}
        name = REGISTERED_NAMES[self._request.kind]
        try:
            version = register_model(self._uri, outcome.run_id, name, kept, [card, config], tags)
        except TrackingError as error:
            return replace(outcome, notices=[*outcome.notices, f"{error}; the checkpoint is kept all the same"])
        return replace(outcome, version=version.reference)

    def _card_facts(self, outcome: TrainOutcome) -> CardFacts:
        held = sum(self._index.column("held_out").to_pylist())
        return CardFacts(
            name=REGISTERED_NAMES[self._request.kind],
            recipe=self._recipe.name,
            run=outcome.name,
            run_id=outcome.run_id,
            commit=self._revision.commit,
            data_digest=self._data.digest,
            num_stretches=len(self._index) - held,
            num_held=held,
            expert_digest=self._facts["expert"] or "",
            parent_digest=self._facts["parent"] or "",
            steps=outcome.steps,
            figures=outcome.figures,
        )

    @property
    def _digest(self) -> str:
        return hashlib.sha256(json.dumps(self._facts, sort_keys=True).encode()).hexdigest()

    def _deciding_facts(self) -> dict[str, Any]:
        """Everything that decides the weights, and nothing else: not the time, for that may be added to."""
        parent = self._request.parent
        facts = {
            "version": VERSION,
            "recipe": asdict(self._recipe),
            "data": self._data.digest,
            "expert": None if self._expert is None else file_digest(self._expert),
            "parent": None if parent is None else file_digest(parent),
        }
        return dict(json.loads(json.dumps(facts)))


def finished_outcome(outcome: TrainOutcome, kind: Kind, model: Path, kept: Path) -> TrainOutcome:
    """The outcome of a training that came to its end: its checkpoint is kept, unless it is an expert of nothing.

    Args:
        outcome: with figures on held-out windows.
        kind: of network.
        model: the checkpoint in the run's storage.
        kept: where it is put, by one rename; what was there before stays when it is not kept.
    """
    if kind is Kind.SYNCNET and not has_learnt(outcome.figures["held_loss"]):
        words = UNTRAINED.format(outcome.figures["held_loss"])
        return replace(outcome, exit_code=FAILED, status="untrained", notices=[*outcome.notices, words])
    partial = kept.with_name(kept.name + ".part")
    shutil.copyfile(model, partial)
    partial.replace(kept)
    return replace(outcome, model=str(kept), digest=file_digest(kept))


def _expert_path(request: TrainRequest, recipe: Recipe) -> Path | None:
    """The expert that the objective wants, checked; None where it wants none.

    Raises:
        ExpertMissingError: it wants one, and there is none.
        ExpertMismatchError, CheckpointError: it is another one.
    """
    if recipe.kind is Kind.SYNCNET or not recipe.painter.weights.sync:
        return None
    path = request.expert or request.out / MODEL_NAMES[Kind.SYNCNET]
    if not path.is_file():
        raise ExpertMissingError(
            f"recipe {recipe.name} wants a lip-sync expert, and there is no {path}: run `diff2lip train syncnet` "
            "first, give one with --expert, or do without by --set painter.weights.sync=0"
        )
    check_expert(path, recipe)
    return path
