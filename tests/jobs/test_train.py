"""A training goes on where it was stopped or killed, with the same data, in the same run, on any number of workers."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import ModuleType

import pytest
import torch
from mlflow import MlflowClient

from diff2lip.bundled import bundled_path
from diff2lip.checkpoint import load_checkpoint, save_expert
from diff2lip.syncnet import Expert, ExpertConfig
from jobs import training_dataset
from jobs.command import DONE, FAILED
from jobs.finished_training import finished_outcome, untrained_path
from jobs.lineage import default_tracking_uri
from jobs.model_reference import resolve_model
from jobs.night import NIGHT_NAME, NIGHTS, Night, Opening, open_night, write_night
from jobs.recipes import RECIPES, Kind, find_recipe, tiny_expert
from jobs.train import run_training
from jobs.train_request import TrainOutcome, TrainRequest
from jobs.training_errors import (
    ExpertMismatchError,
    ExpertMissingError,
    ParentMismatchError,
    UnfinishedNightError,
    UnknownRecipeError,
    WorkersError,
)
from pipelines.training_set import TrainingSetError
from tests.jobs.training_watch import when_at
from tests.training_sets import talking_set

EXPERT = "expert.safetensors"
STEPS, JOB_KILLED_AFTER, WORKER_KILLED_AFTER = 20, 7, 13  # checkpoints are kept at 5, 10, 15
SETTINGS = (
    "painter.model.channels=8",
    "painter.optimiser.learning_rate=1e-4",  # small steps: what rounds otherwise grows by each
    "run.batch=4",
    "run.block=2",
    f"run.max_steps={STEPS}",
    "run.log_every=1",
    "run.measure_every=10",
    "run.checkpoint_every=5",
    "run.held_windows=4",
    "challenge.stretches=1",
)
TERMS = ("loss", "simple", "variational", "l2", "sync", "gan", "discriminator", "gradient_norm")


@dataclass(frozen=True)
class Trained:
    """A request, what came of it at last, and what a job that was killed before had left."""

    request: TrainRequest
    outcome: TrainOutcome
    killed: Night | None = None

    def curve(self, name: str) -> list[tuple[int, float]]:
        """Step and value, as MLflow has them, the last one of each step."""
        outcome = self.outcome
        history = MlflowClient(outcome.tracking_uri).get_metric_history(outcome.run_id, name)
        return sorted({metric.step: metric.value for metric in history}.items())


@pytest.fixture(scope="module", name="data")
def _data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set, and beside it an expert that has learnt nothing: what it says is a term like others."""
    folder = Path(talking_set(tmp_path_factory.mktemp("data")).place)
    recipe = tiny_expert()
    torch.manual_seed(0)
    save_expert(folder / EXPERT, Expert(recipe.expert.expert), {"crop": json.dumps(asdict(recipe.crop))})
    return folder


def request_for(data: Path, out: Path, store: Path, workers: int = 1) -> TrainRequest:
    return TrainRequest(
        kind=Kind.DIFF2LIP,
        data=str(data),
        out=out,
        recipe="tiny_cpu",
        settings=SETTINGS,
        expert=data / EXPERT,
        workers=workers,
        tracking_uri=default_tracking_uri(store),
    )


@pytest.fixture(scope="module", name="interrupted")
def _interrupted(
    ray: ModuleType, data: Path, tmp_path_factory: pytest.TempPathFactory, mlflow_folder: Path
) -> Trained:
    """One worker: the whole job killed after some steps, the same command again, and its worker killed on the way."""
    out = tmp_path_factory.mktemp("interrupted")
    request = request_for(data, out, mlflow_folder)
    job_killed_at = killed_job(request)
    killing = when_at(out, WORKER_KILLED_AFTER, lambda _, process: os.kill(process, signal.SIGKILL))
    finished = run_training(request)
    killing.join()
    return Trained(request, finished, job_killed_at)


def killed_job(request: TrainRequest) -> Night:
    """Start the command on a Ray of its own, and kill -9 what a person started; returns what it left."""
    options = ["--recipe", request.recipe, "--data", request.data, "--out", request.out, "--quiet"]
    options += [
        "--expert",
        request.expert,
        "--tracking-uri",
        request.tracking_uri,
        *(word for one in SETTINGS for word in ("--set", one)),
    ]
    command = [sys.executable, "-c", "from jobs.cli import main; main()", "train", "diff2lip", *map(str, options)]
    kept = ("RAY_worker_niceness",)  # else workers wait for the tests beside them
    environment = {name: value for name, value in os.environ.items() if name in kept or not name.startswith("RAY_")}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as job:
        workers: list[int] = []
        when_at(request.out, JOB_KILLED_AFTER, lambda _, process: workers.append(process)).join()
        job.kill()
    while Path(f"/proc/{workers[0]}").exists():  # Ray's processes go when whoever started them is gone
        time.sleep(0.1)
    return Night(**json.loads((request.out / "diff2lip" / NIGHT_NAME).read_text()))


@pytest.fixture(scope="module", name="two_workers")
def _two_workers(
    ray: ModuleType, data: Path, tmp_path_factory: pytest.TempPathFactory, mlflow_folder: Path
) -> Trained:
    """Their windows come in three epochs, of eight steps each."""
    request = request_for(data, tmp_path_factory.mktemp("two"), mlflow_folder, workers=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_dataset, "TASKS_AN_EPOCH", 1)
        return Trained(request, run_training(request))


@pytest.mark.timeout(600)
def test_a_job_that_was_killed_goes_on_in_the_same_run_to_its_end(interrupted: Trained) -> None:
    finished = interrupted.outcome

    assert (finished.status, finished.steps) == ("trained", STEPS)
    assert interrupted.killed is not None
    assert (interrupted.killed.run_id, interrupted.killed.name) == (finished.run_id, finished.name)
    history = MlflowClient(finished.tracking_uri).get_metric_history(finished.run_id, "loss")
    twice = {metric.step for metric in history if sum(other.step == metric.step for other in history) > 1}
    # Each kill lost what came after the checkpoint before, and it was learnt once more.
    assert {JOB_KILLED_AFTER, WORKER_KILLED_AFTER} <= twice
    run = MlflowClient(finished.tracking_uri).get_run(finished.run_id)
    assert run.info.status == "FINISHED"
    assert len(run.data.tags["diff2lip.data_digest"]) == 64
    assert run.data.params["painter.weights.gan"] == "0.05"
    assert len(run.data.tags["diff2lip.expert_digest"]) == 64
    assert run.data.tags["diff2lip.train_run"] == finished.name
    assert run.data.tags["diff2lip.ray_job_id"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("term", TERMS)
def test_two_workers_have_the_losses_of_one_that_was_killed_twice(
    interrupted: Trained, two_workers: Trained, term: str
) -> None:
    """So the killed one continued its curve, and sharing out a batch changes nothing."""
    one, two = interrupted.curve(term), two_workers.curve(term)

    assert [step for step, _ in one] == [step for step, _ in two] == list(range(1, STEPS + 1))
    for (step, mine), (_, theirs) in zip(one, two, strict=True):
        assert theirs == pytest.approx(mine, rel=1e-3), f"step {step}"


@pytest.mark.timeout(600)
def test_two_workers_end_with_the_weights_of_one(interrupted: Trained, two_workers: Trained) -> None:
    one, two = (load_checkpoint(Path(trained.outcome.model)).denoiser for trained in (interrupted, two_workers))

    for name, tensor in one.state_dict().items():
        # Sums of halves round otherwise than the sum of the whole, and Adam divides by small numbers.
        assert torch.allclose(two.state_dict()[name], tensor, rtol=1e-2, atol=2e-4), name


@pytest.mark.timeout(600)
def test_pictures_checkpoint_and_figures_are_kept(interrupted: Trained) -> None:
    outcome = interrupted.outcome
    client = MlflowClient(outcome.tracking_uri)

    pictures = {file.path for file in client.list_artifacts(outcome.run_id, "grids")}
    checkpoint = load_checkpoint(Path(outcome.model))
    assert "grids/step0000020.png" in pictures
    assert checkpoint.digest == outcome.digest
    assert checkpoint.lineage["mlflow_run"] == outcome.run_id
    assert resolve_model(outcome.version, outcome.tracking_uri).digest == outcome.digest
    assert checkpoint.lineage["steps"] == str(STEPS)
    assert {"held_right_900_db", "held_shuffled_900_db", "held_copied_db"} <= set(outcome.figures)
    assert {10, STEPS} <= {step for step, _ in interrupted.curve("held_loss")}
    assert 0 <= outcome.figures["data_wait_share"] <= 1


@pytest.mark.timeout(600)
def test_the_first_model_is_champion_and_the_second_says_why_it_is_not(
    interrupted: Trained, two_workers: Trained
) -> None:
    """The second has, to rounding, the weights of the first, and there is one person to tell them apart."""
    first, second = interrupted.outcome, two_workers.outcome
    client = MlflowClient(first.tracking_uri)

    assert (first.promoted, first.promotion) == (True, "there was no champion: the first one")
    assert not second.promoted
    assert second.promotion.startswith("undecided: fewer than 6 held-out people")
    champion = client.get_model_version_by_alias("diff2lip", "champion")
    assert f"models:/diff2lip/{champion.version}" == first.version
    tags = client.get_model_version("diff2lip", second.version.rpartition("/")[2]).tags
    assert tags["diff2lip.challenge.decision"] == "not promoted"
    assert tags["diff2lip.challenge.reason"] == second.promotion
    assert tags["diff2lip.challenge.champion"] == first.version
    metrics = client.get_run(second.run_id).data.metrics
    assert metrics["challenge/promoted"] == 0
    assert metrics["challenge/champion_mouth_psnr_db"] == pytest.approx(
        metrics["challenge/challenger_mouth_psnr_db"], abs=1
    )
    assert "challenge.json" in {file.path for file in client.list_artifacts(second.run_id)}


@pytest.mark.timeout(600)
def test_a_training_of_other_settings_does_not_take_over_an_unfinished_one(interrupted: Trained) -> None:
    request = interrupted.request
    folder = request.out / "diff2lip"
    before = (folder / "night.json").read_text()
    night = Night(**json.loads(before))
    write_night(folder, replace(night, status="stopped"))

    with pytest.raises(UnfinishedNightError, match=r"unfinished training .* of other settings or data.*--new"):
        run_training(replace(request, settings=(*SETTINGS, "painter.seed=1")))

    (folder / "night.json").write_text(before)


def test_an_unfinished_night_goes_on_and_a_finished_one_does_not(tmp_path: Path) -> None:
    first = open_night(tmp_path, "a", "c" * 40, new=False)
    assert (first.goes_on, first.left) == (False, None)
    write_night(tmp_path, first.night)
    assert open_night(tmp_path, "a", "c" * 40, new=False) == Opening(night=first.night, goes_on=True)
    other = open_night(tmp_path, "b", "d" * 40, new=True)
    assert (other.goes_on, other.left) == (False, first.night)
    write_night(tmp_path, replace(first.night, status="done"))
    again = open_night(tmp_path, "a", "c" * 40, new=False)
    assert (again.goes_on, again.left) == (False, None)


def test_two_trainings_that_begin_in_one_second_have_two_names(tmp_path: Path) -> None:
    """Ray would go on with what has the same name."""
    names = set()
    for _ in range(5):
        night = open_night(tmp_path, "a", "c" * 40, new=True).night
        (tmp_path / NIGHTS / night.name).mkdir(parents=True)
        names.add(night.name)

    assert len(names) == 5


def test_an_expert_that_learnt_nothing_is_put_aside_and_the_one_before_stays(tmp_path: Path) -> None:
    kept, fresh = tmp_path / "expert.safetensors", tmp_path / "fresh.safetensors"
    kept.write_bytes(b"before")
    fresh.write_bytes(b"fresh")
    outcome = TrainOutcome(exit_code=DONE, status="trained", name="n", steps=9)

    untrained = finished_outcome(replace(outcome, figures={"held_loss": 0.693}), Kind.SYNCNET, fresh, kept)
    assert (untrained.exit_code, untrained.status) == (FAILED, "untrained")
    assert "0.693" in untrained.notices[0]
    assert kept.read_bytes() == b"before"
    assert untrained_path(kept).read_bytes() == b"fresh"

    trained = finished_outcome(replace(outcome, figures={"held_loss": 0.3}), Kind.SYNCNET, fresh, kept)
    assert (trained.exit_code, trained.model) == (DONE, str(kept))
    assert kept.read_bytes() == b"fresh"
    assert not untrained_path(kept).exists()


def test_an_expert_that_is_worse_than_the_one_before_does_not_take_its_place(tmp_path: Path) -> None:
    kept, fresh = tmp_path / "expert.safetensors", tmp_path / "fresh.safetensors"
    kept.write_bytes(b"before")
    fresh.write_bytes(b"fresh")
    outcome = TrainOutcome(exit_code=DONE, status="trained", name="n", steps=9)

    worse = finished_outcome(
        replace(outcome, figures={"held_loss": 0.5, "rival_held_loss": 0.4}), Kind.SYNCNET, fresh, kept
    )
    assert (worse.exit_code, worse.status, worse.model) == (DONE, "surpassed", "")
    assert "its loss is 0.400, that of the new one 0.500" in worse.notices[0]
    assert kept.read_bytes() == b"before"

    equal = {"held_loss": 0.4, "rival_held_loss": 0.4}
    assert finished_outcome(replace(outcome, figures=equal), Kind.SYNCNET, fresh, kept).status == "trained"
    assert kept.read_bytes() == b"fresh"


def test_what_a_training_lacks_is_named_before_it_begins(data: Path, tmp_path: Path, mlflow_folder: Path) -> None:
    request = replace(request_for(data, tmp_path, mlflow_folder), settings=(), expert=None)
    config = ExpertConfig(name="tiny", face_px=(32, 64), width=8)
    other_crop = {"crop": json.dumps({"size_px": 64, "left": -0.5, "top": 0.0, "width": 1.0, "mask_top": 0.5})}
    save_expert(tmp_path / "other.safetensors", Expert(config), other_crop)

    with pytest.raises(ExpertMissingError, match=r"there is no .*expert\.safetensors: run `diff2lip train syncnet`"):
        run_training(request)
    with pytest.raises(ExpertMismatchError, match=r"trained on crops from -0\.5, 0\.0, 1\.0 wide"):
        run_training(replace(request, expert=tmp_path / "other.safetensors"))
    with pytest.raises(WorkersError, match=r"3 workers cannot share a batch of 2 blocks"):
        run_training(replace(request, workers=3))
    with pytest.raises(
        ParentMismatchError, match=r"cannot begin from small.safetensors, whose network has .*channels 32, not 16"
    ):
        run_training(replace(request, parent=bundled_path("small")))
    with pytest.raises(TrainingSetError, match="holds no training set"):
        run_training(replace(request, data=str(tmp_path / "gone")))
    with pytest.raises(UnknownRecipeError, match="no recipe 'huge' for diff2lip; known are paper"):
        run_training(replace(request, recipe="huge"))
    assert not (tmp_path / "diff2lip").exists()


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, known in RECIPES.items() for name in known])
def test_every_recipe_stands(kind: Kind, name: str) -> None:
    recipe = find_recipe(kind, name)

    assert (recipe.kind, recipe.name) == (kind, name)
    if kind is Kind.DIFF2LIP:
        assert recipe.crop == recipe.painter.model.crop
    else:
        assert recipe.crop.size_px == recipe.expert.expert.face_px[1]


def test_the_papers_ablation_adds_one_term_a_row() -> None:
    rows = ("paper_simple", "paper_sync", "paper_perceptual", "paper")
    weights = [find_recipe(Kind.DIFF2LIP, name).painter.weights for name in rows]

    on = [{name for name in ("l2", "sync", "perceptual", "gan") if getattr(one, name)} for one in weights]
    assert on == [set(), {"l2", "sync"}, {"l2", "sync", "perceptual"}, {"l2", "sync", "perceptual", "gan"}]
