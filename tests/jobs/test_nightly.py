"""A night: from a tree to a champion; one that fails leaves the champion as it was, says why, and is gone on with."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from diff2lip.checkpoint import save_expert
from diff2lip.syncnet import Expert
from jobs.command import DONE, FAILED
from jobs.finished_training import untrained_path
from jobs.lineage import default_tracking_uri
from jobs.nightly import NightlyRequest, run_nightly
from jobs.nightly_report import NightlyReport
from jobs.nightly_state import read_state, write_state
from jobs.recipes import tiny_expert
from jobs.registry import find_champion
from pipelines.storage import file_digest
from pipelines.stretch_index import is_held_out
from tests.jobs.training_watch import when_at
from tests.vox_tree import openings, talking_clip

IDENTITIES, FRAMES = (2, 5, 6, 7), 20
STEPS, STOPPED_AFTER = 8, 2
SETTINGS = (
    "painter.weights.sync=0",
    "painter.model.channels=8",
    "run.batch=2",
    f"run.max_steps={STEPS}",
    "run.log_every=1",
    "run.measure_every=8",
    "run.checkpoint_every=4",
    "run.held_windows=2",
    "run.drawers=1",
    "challenge.stretches=1",
    "challenge.frames=5",
)


@dataclass(frozen=True)
class Nights:
    """What came of some calls of one command, one after another."""

    request: NightlyRequest
    poor: NightlyReport  # there was one person, and nobody to hold out
    stopped: NightlyReport
    unregistered: NightlyReport  # a clip had come, and MLflow could keep no model
    night: NightlyReport
    found: NightlyReport  # the same again, as if the job had been killed just before it remembered that it was over
    untaught: NightlyReport  # a night that wanted an expert and had no time for it
    aside: tuple[str, str]  # digests of what the night before had put aside, and of what this one has
    failed: NightlyReport  # the tree was gone


def make_people(root: Path, numbers: tuple[int, ...] = IDENTITIES) -> Path:
    """Write a tree of people who say something in one clip each; those who are there stay."""
    for number in numbers:
        path = root / "dev" / "mp4" / f"id{number:05d}" / "video" / "00001.mp4"
        if not path.exists():
            talking_clip(path, openings(FRAMES, number))
    return root


@pytest.fixture(scope="module", name="nights")
def _nights(ray: ModuleType, tmp_path_factory: pytest.TempPathFactory, mlflow_folder: Path) -> Nights:
    folder = tmp_path_factory.mktemp("nightly")
    request = NightlyRequest(
        root=make_people(folder / "tree", IDENTITIES[:1]),
        data=str(folder / "vox2"),
        out=folder / "training",
        recipe="tiny_cpu",
        expert_recipe="tiny_cpu",
        budget_s=600.0,
        expert_budget_s=1.0,
        settings=SETTINGS,
        tracking_uri=default_tracking_uri(folder),
    )
    poor = run_nightly(request)
    make_people(request.root)
    stopping = when_at(request.out, STOPPED_AFTER, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    stopped = run_nightly(request)
    stopping.join()
    make_people(request.root, (8,))
    with no_artifacts(folder):
        unregistered = run_nightly(request)
    first = run_nightly(request)
    over = read_state(request.out)
    write_state(request.out, replace(over, is_over=False))
    found = run_nightly(request)
    wanting = replace(request, settings=SETTINGS[1:])
    aside = untrained_path(request.out / "expert.safetensors")
    save_expert(aside, Expert(tiny_expert().expert.expert), {})
    put_aside = file_digest(aside)
    untaught = run_nightly(wanting)
    return Nights(
        request=request,
        poor=poor,
        stopped=stopped,
        unregistered=unregistered,
        night=first,
        found=found,
        untaught=untaught,
        aside=(put_aside, file_digest(aside)),
        failed=run_nightly(replace(request, root=folder / "gone")),
    )


@contextmanager
def no_artifacts(store: Path) -> Iterator[None]:
    """MLflow finds a file where its folder of artifacts was."""
    folder, away = store / "mlartifacts", store / "away"
    folder.rename(away)
    folder.touch()
    yield
    folder.unlink()
    away.rename(folder)


def test_one_of_the_people_is_held_out() -> None:
    """Else the tree of these tests would say nothing."""
    assert 0 < sum(is_held_out(f"id{number:05d}", 0.3) for number in IDENTITIES) < len(IDENTITIES)


@pytest.mark.timeout(600)
def test_data_that_are_not_enough_are_looked_at_again_by_the_next_call(nights: Nights) -> None:
    poor, stopped = nights.poor, nights.stopped

    assert (poor.exit_code, poor.number) == (FAILED, 1)
    assert "no stretch is" in poor.failure
    assert stopped.number == 1


@pytest.mark.timeout(600)
def test_a_training_that_came_to_its_end_is_not_trained_again(nights: Nights) -> None:
    night, found = nights.night, nights.found

    assert (found.exit_code, found.number) == (DONE, 1)
    assert (found.steps, found.run_id, found.champion_after) == (night.steps, night.run_id, night.champion_after)
    assert len(runs_of(nights.request.store, "train diff2lip")) == 1


@pytest.mark.timeout(600)
def test_a_night_that_was_stopped_by_a_signal_goes_on_as_the_same_night(nights: Nights) -> None:
    stopped, again = nights.stopped, nights.unregistered

    assert stopped.steps["data"].startswith("4 clips, ")
    assert stopped.steps["train"].startswith("stopped after ")
    assert (stopped.exit_code, stopped.number, stopped.champion_after) == (FAILED, 1, "")
    assert stopped.failure.startswith("stopped: a checkpoint was kept")
    assert (again.number, again.run_id) == (1, stopped.run_id)
    assert again.steps["data"] == stopped.steps["data"], "the clip that had come is for the next night"


@pytest.mark.timeout(600)
def test_a_model_that_mlflow_could_not_keep_is_registered_by_the_same_command(nights: Nights) -> None:
    """Not trained again: its clips are those of the evening before, though another one has come."""
    unregistered, night = nights.unregistered, nights.night

    assert (unregistered.exit_code, unregistered.champion_after) == (FAILED, "")
    assert unregistered.steps["train"] == f"unregistered after {STEPS} steps: "
    assert "The checkpoint is kept: the same command registers it" in unregistered.failure
    assert (night.number, night.run_id) == (1, unregistered.run_id)
    history = MlflowClient(nights.request.store).get_metric_history(night.run_id, "loss")
    assert max(metric.step for metric in history) == STEPS


@pytest.mark.timeout(600)
def test_a_night_takes_data_trains_and_decides(nights: Nights) -> None:
    night = nights.night

    assert (night.exit_code, night.failure, night.number) == (DONE, "", 1)
    assert nights.stopped.steps["expert"] == "not wanted by the objective"
    assert night.steps["train"] == f"trained after {STEPS} steps: {night.champion_after}"
    assert night.steps["decision"] == "there was no champion: the first one"
    assert (night.champion_before, night.champion_after) == ("", "models:/diff2lip/1")
    assert Path(night.path) == nights.request.out / "nights" / "00001.json"


@pytest.mark.timeout(600)
def test_an_expert_that_had_no_time_to_learn_is_gone_on_with_in_the_next_night(nights: Nights) -> None:
    night = nights.untaught

    assert (night.exit_code, night.number) == (FAILED, 2)
    assert night.steps["data"].startswith("5 clips, 4 of them known"), "the clip that had come is taken now"
    assert night.steps["expert"].startswith("untrained after ")
    assert night.failure.startswith("the expert has learnt nothing")
    assert "train" not in night.steps
    before, after = nights.aside
    assert before != after
    newest = runs_of(nights.request.store, "train syncnet")[0]
    assert newest.data.tags["diff2lip.parent_digest"] == before
    assert {"held_loss", "held_preferred", "held_in_sync_share", "held_offset_clips"} <= set(newest.data.metrics)
    (histogram,) = MlflowClient(nights.request.store).list_artifacts(newest.info.run_id, "offsets")
    assert histogram.path.startswith("offsets/step")


def runs_of(store: str, name: str) -> list[Run]:
    """All runs of a job, the newest first."""
    client = MlflowClient(store)
    experiment = client.get_experiment_by_name("diff2lip")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id], f"tags.`diff2lip.job` = '{name}'"))


@pytest.mark.timeout(600)
def test_a_night_that_fails_leaves_the_champion_and_says_why(
    nights: Nights,
) -> None:
    night, failed = nights.night, nights.failed

    assert (failed.exit_code, failed.number) == (FAILED, 3)
    assert failed.failure.endswith(
        "expected ROOT/dev/mp4/id00012/VIDEO/00001.mp4 (dev or test), or ROOT/mp4/id00012/VIDEO/00001.mp4"
    )
    assert failed.steps == {}
    champion = find_champion(nights.request.store, "diff2lip")
    assert champion is not None
    assert champion.reference == failed.champion_before == failed.champion_after == night.champion_after
