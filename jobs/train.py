"""The training job: a data set in, a checkpoint with its lineage out, one MLflow run."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import ray
from ray.exceptions import RayError

from jobs.challenge import Challenge, challenge
from jobs.cluster import ray_cluster
from jobs.command import DONE
from jobs.finished_training import OVER, ended_before, finished_outcome, remember_ended, unfinished_outcome
from jobs.lineage import (
    Run,
    TrackingError,
    attach_run,
    default_tracking_uri,
    describe,
    lineage_tags,
    open_job,
    reopen_run,
    whole_uri,
)
from jobs.model_card import CardFacts, model_card
from jobs.model_reference import REGISTERED_PREFIX, ModelUnavailableError
from jobs.night import DONE as NIGHT_DONE
from jobs.night import NIGHTS, STOPPED, Night, ended, open_night, write_night
from jobs.out_lock import held_out
from jobs.progress import Display, Silence
from jobs.recipes import Kind
from jobs.registry import ModelVersion, find_version, register_model, versions_of
from jobs.revision import read_revision
from jobs.train_fit import cpu_threads, fit, read_told
from jobs.train_material import TrainMaterial, gather
from jobs.train_plan import TrainPlan
from jobs.train_record import TrainRecord
from jobs.train_request import MODEL_NAMES, REGISTERED_NAMES, TrainOutcome, TrainRequest
from jobs.train_worker import HELD_NAME, MODEL_NAME, STOP_NAME, TOLD_NAME
from jobs.training_dataset import store_bytes
from jobs.work_folder import forget_weights, seen_by_all, whole_place

RUNS = "runs"  # of Ray: checkpoints


def run_training(request: TrainRequest, display: Display | None = None) -> TrainOutcome:
    """Train a network. An unfinished training of the same settings goes on, in the same MLflow run.

    Raises:
        ValueError: of `gather`, by many names, before anything is written.
        UnfinishedNightError: a training of other settings lies there.
        OutInUseError: another job writes into the same folder.
        TrackingError: the tracking store cannot be reached when a new run begins.
        TrainingBrokenError: the workers fail again and again.
    """
    material = gather(request)
    with held_out(request.out / request.kind.value):
        outcome = _Job(request, material).run(display or Silence())
    outcome.left_out = dict(material.left_out)
    return outcome


class _Job:
    def __init__(self, request: TrainRequest, material: TrainMaterial) -> None:
        self._request, self._material = request, material
        self._folder = request.out / request.kind.value
        self._uri = whole_uri(request.tracking_uri or default_tracking_uri(request.out))
        self._revision = read_revision()
        self._notices: list[str] = []

    def run(self, display: Display) -> TrainOutcome:
        night = self._open()
        plan, request = self._plan(night), self._request
        workers = request.workers if request.most_workers is None else (request.workers, request.most_workers)
        failed, stopped = True, False
        try:
            with ray_cluster(request.address, store_bytes(self._material.recipe)):
                if not self._notices:  # else the store is gone, and was waited for already
                    self._try(lambda: attach_run(self._uri, night.run_id).set_tags(_ray_tags(night)))
                outcome = ended_before(Path(plan.folder))
                if outcome is None:
                    result = fit(plan, night.name, self._folder / RUNS, workers, display)
                    outcome = self._end(night, plan, Path(result.checkpoint.path) / MODEL_NAME)
                outcome = self._registered(night, outcome, Path(plan.folder), display)
            failed, stopped = outcome.exit_code != DONE, outcome.status == "stopped"
        finally:
            self._close(plan, failed=failed, stopped=stopped)
        outcome.notices = [*outcome.notices, *self._notices]
        return outcome

    def _open(self) -> Night:
        """The run that goes on or begins; a store that is gone keeps no run from going on."""
        opening = open_night(self._folder, self._material.digest, self._revision.commit, new=self._request.new)
        night = opening.night
        if opening.goes_on:
            self._try(lambda: reopen_run(self._uri, night.run_id))
        else:
            night = replace(night, run_id=self._begin().run_id)
        write_night(self._folder, night)
        if opening.left is not None:
            self._leave(opening.left)
        (self._folder / NIGHTS / night.name).mkdir(parents=True, exist_ok=True)
        (self._folder / RUNS).mkdir(exist_ok=True)
        return night

    def _leave(self, left: Night) -> None:
        """End the run of a training that is given up; nothing goes on from its states."""
        self._try(lambda: reopen_run(self._uri, left.run_id).finish(failed=True))
        shutil.rmtree(self._folder / RUNS / left.name, ignore_errors=True)

    def _begin(self) -> Run:
        material = self._material
        digests = {"data": material.data.digest, "config": material.digest}
        digests |= {name: material.facts[name] for name in ("expert", "parent") if material.facts[name]}
        run = open_job(self._uri, f"train {self._request.kind.value}", lineage_tags(self._revision, digests))
        run.log_params(asdict(material.recipe))
        run.log_json("config.json", describe(self._revision, material.facts))
        place = whole_place(self._request.data)
        run.log_input(place.rpartition("/")[2], place, material.data.digest, "training")
        return run

    def _plan(self, night: Night) -> TrainPlan:
        material = self._material
        expert, perceptual, parent, rival = (
            None if path is None else str(seen_by_all(path, self._folder))
            for path in (material.expert, material.perceptual, material.parent, material.rival)
        )
        return TrainPlan(
            recipe=material.recipe,
            picture=material.picture,
            learn_uri=material.learn_uri,
            held_uri=material.held_uri,
            expert=expert,
            perceptual=perceptual,
            parent=parent,
            rival=rival,
            folder=str((self._folder / NIGHTS / night.name).absolute()),
            storage=str((self._folder / RUNS).absolute()),
            budget_s=self._request.budget_s,
            threads=cpu_threads(self._request.workers),
            tracking_uri=self._uri,
            run_id=night.run_id,
        )

    def _end(self, night: Night, plan: TrainPlan, model: Path) -> TrainOutcome:
        """What came of it; a checkpoint that is kept is remembered: no worker is needed to register it."""
        folder = Path(plan.folder)
        told, held = read_told(folder / TOLD_NAME), read_told(folder / HELD_NAME)
        outcome = TrainOutcome(
            exit_code=DONE,
            status="trained",
            name=night.name,
            steps=max(told.get("step", 0), held.get("step", 0)),
            figures={**told.get("figures", {}), **held.get("figures", {})},
            run_id=night.run_id,
            tracking_uri=self._uri,
        )
        if (folder / STOP_NAME).exists():
            words = "stopped: a checkpoint was kept, and the same command goes on from it"
            return unfinished_outcome(outcome, "stopped", words)
        kept = self._request.out / MODEL_NAMES[self._request.kind]
        outcome = finished_outcome(outcome, self._request.kind, model, kept)
        if outcome.model:
            remember_ended(folder, outcome)
        return outcome

    def _registered(self, night: Night, outcome: TrainOutcome, folder: Path, display: Display) -> TrainOutcome:
        """The outcome with its version and what was decided. The night is over only then.

        A job that is killed before that does it again, and finds what it had registered.
        """
        if outcome.model:
            outcome = self._as_version(outcome, folder, display)
        is_over = outcome.status in OVER
        write_night(self._folder, ended(night, NIGHT_DONE if is_over else STOPPED))
        if is_over:
            shutil.rmtree(self._folder / RUNS / night.name, ignore_errors=True)  # states of a night that is over
            forget_weights(self._folder)
        return outcome

    def _as_version(self, outcome: TrainOutcome, folder: Path, display: Display) -> TrainOutcome:
        """The outcome with the version under which MLflow has the checkpoint.

        A store that is gone leaves the file; the same command registers it then.
        """
        material, name = self._material, REGISTERED_NAMES[self._request.kind]
        card, config = folder / "card.md", folder / "config.json"
        card.write_text(model_card(self._card_facts(outcome)))
        config.write_text(json.dumps(material.facts, indent=2))
        tags = {"diff2lip.recipe": material.recipe.name, "diff2lip.data_digest": material.data.digest}
        tags |= {"diff2lip.steps": str(outcome.steps), "diff2lip.config_digest": material.digest}
        try:
            known = f"{REGISTERED_PREFIX}{name}/"
            before = [one for one in versions_of(self._uri, outcome.digest) if one.startswith(known)]
            version = (
                find_version(self._uri, before[0])
                if before
                else register_model(self._uri, outcome.run_id, name, Path(outcome.model), [card, config], tags)
            )
        except TrackingError as error:
            return unfinished_outcome(
                outcome, "unregistered", f"{error}. The checkpoint is kept: the same command registers it"
            )
        return self._challenged(replace(outcome, version=version.reference), version, display)

    def _challenged(self, outcome: TrainOutcome, version: ModelVersion, display: Display) -> TrainOutcome:
        """The outcome with what was decided; whatever goes wrong here, the champion stays and the model is kept."""
        if self._request.kind is Kind.SYNCNET or not self._material.recipe.challenge.stretches:
            return outcome
        try:
            came = challenge(self._uri, version, Path(outcome.model), self._material, self._request.out, display)
        except (TrackingError, RayError, OSError) as error:
            return unfinished_outcome(
                outcome, "uncompared", f"{error}. The champion stays: the same command compares again"
            )
        except ModelUnavailableError as error:
            self._notices.append(f"undecided, the champion stays: {error}")
            return outcome
        self._try(lambda: self._log_challenge(outcome, came))
        self._notices += came.notices
        decision = came.decision
        return replace(outcome, promoted=decision.promoted, promotion=decision.reason)

    def _log_challenge(self, outcome: TrainOutcome, came: Challenge) -> None:
        run = attach_run(self._uri, outcome.run_id)
        run.log_metrics(came.figures, outcome.steps)
        run.log_json("challenge.json", came.document)

    def _card_facts(self, outcome: TrainOutcome) -> CardFacts:
        material = self._material
        return CardFacts(
            name=REGISTERED_NAMES[self._request.kind],
            recipe=material.recipe.name,
            run=outcome.name,
            run_id=outcome.run_id,
            commit=self._revision.commit,
            data_digest=material.data.digest,
            num_stretches=material.num_learnt,
            num_held=material.num_held,
            expert_digest=material.facts["expert"] or "",
            parent_digest=material.facts["parent"] or "",
            steps=outcome.steps,
            figures=outcome.figures,
        )

    def _close(self, plan: TrainPlan, *, failed: bool, stopped: bool) -> None:
        """What waits is written, and the run has its end, unless it was stopped to go on."""
        TrainRecord(self._uri, plan.run_id, Path(plan.folder)).flush(force=True)
        if not stopped:
            self._try(lambda: reopen_run(self._uri, plan.run_id).finish(failed=failed))

    def _try(self, write: Callable[[], object]) -> None:
        try:
            write()
        except TrackingError as error:
            self._notices.append(str(error))


def _ray_tags(night: Night) -> dict[str, str]:
    """Under which names Ray knows a training: its job, the last one of several, and Ray Train's run."""
    return {"diff2lip.ray_job_id": ray.get_runtime_context().get_job_id(), "diff2lip.train_run": night.name}
