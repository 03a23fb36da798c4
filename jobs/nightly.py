"""A night: new data in, the expert if it is stale, train for the time there is, meet the champion, report.

Whatever fails, the champion stays as it was, and the report says why. The same command again goes on with a night
that did not come to its end, where it was: clips that came meanwhile are for the next one, which sees other windows
and noise. A training whose workers fail in two calls is given up.
"""

import json
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from jobs.command import DONE, FAILED
from jobs.errors import FAILURES, WRONG_USES
from jobs.lineage import default_tracking_uri
from jobs.model_reference import resolve_model
from jobs.nightly_state import Stage, next_night, read_state, write_state
from jobs.out_lock import held_out
from jobs.overrides import override
from jobs.progress import Display, Silence
from jobs.recipes import Kind, find_recipe
from jobs.registry import fetch_weights, find_champion
from jobs.train import OVER, run_training, untrained_path
from jobs.train_material import is_of_recipe
from jobs.train_request import MODEL_NAMES, REGISTERED_NAMES, TrainOutcome, TrainRequest
from jobs.training_errors import TrainingBrokenError, UnfinishedNightError
from jobs.voxceleb2 import VoxRequest, run_voxceleb2
from jobs.work_folder import seen_by_all
from pipelines.storage import write_whole
from pipelines.training_set import open_training_set

REPORTS = "nights"
DAY_S = 86_400.0
MAX_FAILURES = 2
LEFT = "an unfinished training of {}, of other settings or data, is given up"


@dataclass(frozen=True, kw_only=True, slots=True)
class NightlyRequest:
    """What a night is asked for."""

    root: Path  # of the VoxCeleb2 tree
    data: Path
    out: Path
    recipe: str
    expert_recipe: str
    budget_s: float
    expert_budget_s: float
    expert_days: float = 7.0  # an expert of other data is trained anew when it is older
    select: str = "first"
    judge: Path | None = None
    parent: str | None = None  # what the first night begins from; later ones begin from the champion
    settings: tuple[str, ...] = ()  # of diff2lip
    workers: int = 1
    most_workers: int | None = None
    tracking_uri: str | None = None
    address: str | None = None

    @property
    def store(self) -> str:
        """Of MLflow."""
        return self.tracking_uri or default_tracking_uri(self.out)


@dataclass(kw_only=True, slots=True)
class NightlyReport:
    """What came of a night."""

    number: int
    exit_code: int = FAILED
    steps: dict[str, str] = field(default_factory=dict)  # data, expert, train, decision: what came of each
    failure: str = ""
    champion_before: str = ""
    champion_after: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    run_id: str = ""
    seconds: float = 0.0
    path: str = ""


class NightFailedError(Exception):
    """A night that cannot go on, by no error of a part of it."""


def run_nightly(request: NightlyRequest, display: Display | None = None) -> NightlyReport:
    """Run a night, or go on with the last one.

    Raises:
        OutInUseError: last night is not over, or another job writes there.
    """
    with held_out(request.out):
        return _Night(request, display or Silence()).run()


class _Night:
    def __init__(self, request: NightlyRequest, display: Display) -> None:
        self._request, self._display = request, display
        last = read_state(request.out)
        self._state = next_night(last) if last.is_over else last
        self._report = NightlyReport(number=self._state.number)
        self._is_stopped = False  # by a person: the same command goes on

    def run(self) -> NightlyReport:
        begin, report = time.monotonic(), self._report
        self._remember()
        try:
            report.champion_before = report.champion_after = self._champion()
            report.exit_code = self._stages()
            report.champion_after = self._champion()
        except TrainingBrokenError as error:
            self._fail(str(error))
            self._count_failure()
        except NightFailedError as error:
            self._fail(str(error))
            self._state = replace(self._state, is_over=True)
        except (*FAILURES, *WRONG_USES) as error:
            self._fail(str(error))
        except Exception as error:
            self._fail(f"{type(error).__name__}: {error}")
            raise
        finally:
            report.seconds = time.monotonic() - begin
            self._remember()
            self._write_report()
        return report

    def _stages(self) -> int:
        """Do what is not done yet; returns the exit code."""
        steps = {Stage.DATA: self._data, Stage.EXPERT: self._expert, Stage.TRAIN: self._train}
        stages = list(Stage)
        reached = stages.index(self._state.stage)
        self._report.steps |= {stage.value: "done by a call before" for stage in stages[:reached]}
        for stage in stages[reached:]:
            if stage is not self._state.stage:
                self._state = replace(self._state, stage=stage, parent="")
                self._remember()
            code = steps[stage]()
            if self._is_stopped or code != DONE:
                return code
        self._state = replace(self._state, is_over=True)
        return DONE

    def _data(self) -> int:
        request = self._request
        vox = VoxRequest(
            root=request.root, out=request.data, select=request.select, judge=request.judge, address=request.address
        )
        outcome = run_voxceleb2(vox, self._display)
        self._report.notices += outcome.notices
        self._report.steps["data"] = (
            f"{outcome.counts['ok']} clips, {outcome.num_found} of them known, {outcome.digest}"
        )
        return DONE

    def _expert(self) -> int:
        """Train an expert where there is none, or an old one of other data.

        It begins from the one there is, and takes its place unless it is worse; where there is none, from what the
        night before has left that had learnt nothing yet. An expert of nothing ends no night that has another.
        """
        if not override(find_recipe(Kind.DIFF2LIP, self._request.recipe), self._request.settings).painter.weights.sync:
            self._report.steps["expert"] = "not wanted by the objective"
            return DONE
        digest, kept = open_training_set(self._request.data).digest, self._kept_expert
        if kept.is_file() and not self._state.expert_data:  # trained before there were nights: taken as it is
            self._state = replace(self._state, expert_data=digest, expert_trained_s=kept.stat().st_mtime)
        age_s = time.time() - self._state.expert_trained_s
        is_old = digest != self._state.expert_data and age_s > self._request.expert_days * DAY_S
        if kept.is_file() and not is_old:
            self._report.steps["expert"] = "not stale"
            return DONE
        request = self._training(Kind.SYNCNET, self._request.expert_recipe, self._request.expert_budget_s)
        own = (f"expert.seed={self._state.number}",)
        outcome = self._resumed(replace(request, settings=own, parent=self._kept_parent(Kind.SYNCNET)))
        self._report.steps["expert"] = f"{outcome.status} after {outcome.steps} steps"
        if outcome.status in OVER:
            self._state = replace(self._state, expert_data=digest, expert_trained_s=time.time())
            self._remember()
        if outcome.status == "untrained" and not kept.is_file():
            raise NightFailedError(f"{outcome.notices[0]}. The next night goes on from these weights")
        return DONE

    def _train(self) -> int:
        request = self._training(Kind.DIFF2LIP, self._request.recipe, self._request.budget_s)
        own = (*self._request.settings, f"painter.seed={self._state.number}")
        outcome = self._resumed(replace(request, settings=own, parent=self._kept_parent(Kind.DIFF2LIP)))
        report = self._report
        report.steps["train"] = f"{outcome.status} after {outcome.steps} steps: {outcome.version}"
        report.steps["decision"] = outcome.promotion or "none"
        report.run_id, report.figures = outcome.run_id, outcome.figures
        if outcome.exit_code != DONE:
            report.failure = outcome.notices[0]
        return outcome.exit_code

    def _resumed(self, request: TrainRequest) -> TrainOutcome:
        """A training; one of other data or settings that a night before left unfinished is left for good."""
        try:
            outcome = run_training(request, self._display)
        except UnfinishedNightError:
            self._report.notices.append(LEFT.format(request.kind.value))
            outcome = run_training(replace(request, new=True), self._display)
        self._report.notices += outcome.notices
        self._is_stopped = outcome.status == "stopped"
        return outcome

    def _training(self, kind: Kind, recipe: str, budget_s: float) -> TrainRequest:
        request = self._request
        return TrainRequest(
            kind=kind,
            data=request.data,
            out=request.out,
            recipe=recipe,
            budget_s=budget_s,
            workers=request.workers,
            most_workers=request.most_workers,
            tracking_uri=request.tracking_uri,
            address=request.address,
        )

    def _kept_parent(self, kind: Kind) -> Path | None:
        """The weights that the training of this stage began from, whatever came meanwhile."""
        if self._state.parent and Path(self._state.parent).is_file():
            return Path(self._state.parent)
        found = self._expert_parent() if kind is Kind.SYNCNET else self._painter_parent()
        if found is None:
            return None
        kept = seen_by_all(found, self._request.out / kind.value)
        self._state = replace(self._state, parent=str(kept))
        self._remember()
        return kept

    def _painter_parent(self) -> Path | None:
        champion = find_champion(self._request.store, REGISTERED_NAMES[Kind.DIFF2LIP])
        if champion is not None:
            return fetch_weights(self._request.store, champion)
        parent = self._request.parent
        return None if parent is None else resolve_model(parent, self._request.store).path

    def _expert_parent(self) -> Path | None:
        recipe, kept = find_recipe(Kind.SYNCNET, self._request.expert_recipe), self._kept_expert
        return next((path for path in (kept, untrained_path(kept)) if is_of_recipe(path, recipe)), None)

    @property
    def _kept_expert(self) -> Path:
        return self._request.out / MODEL_NAMES[Kind.SYNCNET]

    def _champion(self) -> str:
        champion = find_champion(self._request.store, REGISTERED_NAMES[Kind.DIFF2LIP])
        return "" if champion is None else champion.reference

    def _fail(self, words: str) -> None:
        self._report.failure, self._report.exit_code = words, FAILED

    def _count_failure(self) -> None:
        """What fails the same way in every call must not hold off all nights to come."""
        failures = self._state.failures + 1
        self._state = replace(self._state, failures=failures, is_over=failures >= MAX_FAILURES)
        if self._state.is_over:
            self._report.notices.append(
                f"this night failed {failures} times and is given up: the next one begins anew"
            )

    def _remember(self) -> None:
        write_state(self._request.out, self._state)

    def _write_report(self) -> None:
        path = self._request.out / REPORTS / f"{self._report.number:05d}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        self._report.path = str(path)
        write_whole(path, json.dumps(asdict(self._report), indent=2).encode())
