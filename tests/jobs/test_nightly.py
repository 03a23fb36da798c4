"""A night: from a tree to a champion, and a night that fails leaves the champion as it was and says why."""

from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import pytest

from jobs.command import DONE, FAILED
from jobs.lineage import default_tracking_uri
from jobs.nightly import NightlyReport, NightlyRequest, run_nightly
from jobs.registry import find_champion
from jobs.train_worker import STOP_NAME
from pipelines.stretch_index import is_held_out
from tests.jobs.training_watch import when_at
from tests.vox_tree import openings, talking_clip

IDENTITIES, FRAMES = (2, 5, 6, 7), 20
STEPS, STOPPED_AFTER = 8, 2
SETTINGS = (
    "painter.weights.sync=0",
    "run.batch=2",
    f"run.max_steps={STEPS}",
    "run.log_every=1",
    "run.measure_every=4",
    "run.checkpoint_every=4",
    "run.held_windows=2",
    "challenge.stretches=2",
    "challenge.frames=5",
)


@dataclass(frozen=True)
class Nights:
    """What came of three calls of one command; of the third the tree was gone."""

    request: NightlyRequest
    stopped: NightlyReport
    night: NightlyReport
    failed: NightlyReport


def make_people(root: Path) -> Path:
    """Write a tree of four people who say something in one clip each."""
    for number in IDENTITIES:
        path = root / "dev" / "mp4" / f"id{number:05d}" / "video" / "00001.mp4"
        talking_clip(path, openings(FRAMES, number))
    return root


@pytest.fixture(scope="module", name="nights")
def _nights(ray: ModuleType, tmp_path_factory: pytest.TempPathFactory, mlflow_folder: Path) -> Nights:
    """A night that is stopped on the way, the same night again to its end, and the next, whose tree is gone."""
    folder = tmp_path_factory.mktemp("nightly")
    request = NightlyRequest(
        root=make_people(folder / "tree"),
        data=folder / "vox2",
        out=folder / "training",
        recipe="tiny_cpu",
        expert_recipe="tiny_cpu",
        budget_s=600.0,
        expert_budget_s=1.0,
        settings=SETTINGS,
        tracking_uri=default_tracking_uri(folder),
    )
    stopping = when_at(request.out, STOPPED_AFTER, lambda told, _: (told / STOP_NAME).touch())
    stopped = run_nightly(request)
    stopping.join()
    first = run_nightly(request)
    return Nights(request, stopped, first, run_nightly(replace(request, root=folder / "gone")))


def test_one_of_the_people_is_held_out() -> None:
    """Else the tree of these tests would say nothing."""
    assert 0 < sum(is_held_out(f"id{number:05d}", 0.3) for number in IDENTITIES) < len(IDENTITIES)


@pytest.mark.timeout(600)
def test_a_night_that_was_stopped_goes_on_as_the_same_night(nights: Nights) -> None:
    stopped, night = nights.stopped, nights.night

    assert stopped.steps["train"].startswith("stopped after ")
    assert (stopped.number, stopped.champion_after) == (1, "")
    assert (night.number, night.run_id) == (1, stopped.run_id)


@pytest.mark.timeout(600)
def test_a_night_takes_data_trains_and_decides(nights: Nights) -> None:
    night = nights.night

    assert (night.exit_code, night.failure, night.number) == (DONE, "", 1)
    assert night.steps["data"].startswith("4 clips, 4 of them known")
    assert night.steps["expert"] == "not wanted by the objective"
    assert night.steps["train"] == f"trained after {STEPS} steps: {night.champion_after}"
    assert night.steps["decision"] == "there was no champion: the first one"
    assert (night.champion_before, night.champion_after) == ("", "models:/diff2lip/1")
    assert Path(night.path) == nights.request.out / "nights" / "00001.json"


@pytest.mark.timeout(600)
def test_a_night_that_fails_leaves_the_champion_and_says_why(
    nights: Nights,
) -> None:
    night, failed = nights.night, nights.failed

    assert (failed.exit_code, failed.number) == (FAILED, 2)
    assert failed.failure.endswith(
        "expected ROOT/dev/mp4/id00012/VIDEO/00001.mp4 (dev or test), or ROOT/mp4/id00012/VIDEO/00001.mp4"
    )
    assert failed.steps == {}
    champion = find_champion(nights.request.store, "diff2lip")
    assert champion is not None
    assert champion.reference == failed.champion_before == failed.champion_after == night.champion_after
