"""A night: new data in, the expert if it is stale, train for the time there is, meet the champion, report.

Whatever fails, the champion stays as it was, and the report says why. The same command again goes on with a night
that did not come to its end, where it was: clips that came meanwhile are for the next one, which sees other windows
and noise. A training whose workers fail in two calls is given up.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path

from jobs.command import DONE, FAILED
from jobs.errors import FAILURES, WRONG_USES
from jobs.finished_training import OVER, untrained_path
from jobs.lineage import default_tracking_uri
from jobs.model_reference import resolve_model
from jobs.night import DONE as NIGHT_DONE
from jobs.night import read_night
from jobs.nightly_report import NightlyReport, read_report, write_report
from jobs.nightly_state import Stage, at_stage, next_night, read_state, write_state
from jobs.out_lock import held_out
from jobs.overrides import override
from jobs.progress import Display, Silence
from jobs.recipes import Kind, find_recipe
from jobs.registry import fetch_weights, find_champion
from jobs.train import run_training
from jobs.train_material import is_of_recipe
from jobs.train_request import MODEL_NAMES, REGISTERED_NAMES, TrainOutcome, TrainRequest
from jobs.training_errors import TrainingBrokenError, UnfinishedNightError
from jobs.voxceleb2 import VoxRequest, run_voxceleb2
from jobs.work_folder import seen_by_all
from pipelines.training_set import open_training_set

DAY_S = 86_400.0
MAX_FAILURES = 2  # calls in which the workers of a stage fail
MAX_REFUSALS = 5  # calls in which MLflow does not take a model that is trained
LEFT = "an unfinished training of {}, of other settings or data, is given up"


@dataclass(frozen=True, kw_only=True, slots=True)
class NightlyRequest:
    """What a night is asked for."""

    root: Path  # of the VoxCeleb2 tree
    data: str  # a folder or a uri
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
        self._report = read_report(request.out, self._state.number)
        self._is_stopped = False  # by a person: the same command goes on

    def run(self) -> NightlyReport:
        begin, report = time.monotonic(), self._report
        self._remember()
        try:
            report.champion_after = self._champion()
            report.champion_before = report.champion_before or report.champion_after
            report.exit_code = self._stages()
            report.champion_after = self._champion()
        except TrainingBrokenError as error:
            self._fail(str(error))
            self._count_failure(MAX_FAILURES)
        except NightFailedError as error:
            self._fail(str(error))
            self._state = replace(self._state, is_over=True)
        except FAILURES as error:
            self._fail(str(error))
        except WRONG_USES as error:
            self._fail(str(error))
            self._state = at_stage(self._state, Stage.DATA)  # other data may mend it
        except Exception as error:
            self._fail(f"{type(error).__name__}: {error}")
            self._state = at_stage(self._state, Stage.DATA)
            raise
        finally:
            report.seconds += time.monotonic() - begin
            self._remember()
            write_report(self._request.out, self._report)
        return report

    def _stages(self) -> int:
        """Do what is not done yet; returns the exit code."""
        steps = {Stage.DATA: self._data, Stage.EXPERT: self._expert, Stage.TRAIN: self._train}
        stages = list(Stage)
        for stage in stages[stages.index(self._state.stage) :]:
            if stage is not self._state.stage:
                self._state = at_stage(self._state, stage)
                self._remember()
            code = steps[stage]()
            write_report(self._request.out, self._report)
            if self._is_stopped or code != DONE:
                return code
        self._state = replace(self._state, is_over=True)
        self._remember()
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
        if outcome.exit_code != DONE:
            self._fail("no clip gives anything to learn from")
        return outcome.exit_code

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
        try:
            outcome = self._resumed(request, (f"expert.seed={self._state.number}",))
        except TrainingBrokenError as error:
            if not kept.is_file():
                raise
            self._report.notices.append(f"the expert that is there goes on teaching: {error}")
            self._tried_expert(digest, "broken")
            return DONE
        if outcome is None or outcome.status in OVER:
            self._tried_expert(digest, "trained before" if outcome is None else _words(outcome))
            return DONE
        self._report.steps["expert"] = _words(outcome)
        if outcome.status == "untrained" and not kept.is_file():
            raise NightFailedError(f"{outcome.notices[0]}. The next night goes on from these weights")
        return DONE if outcome.status == "untrained" else outcome.exit_code

    def _tried_expert(self, digest: str, words: str) -> None:
        self._report.steps["expert"] = words
        self._state = replace(self._state, expert_data=digest, expert_trained_s=time.time())
        self._remember()

    def _train(self) -> int:
        request = self._training(Kind.DIFF2LIP, self._request.recipe, self._request.budget_s)
        own = (*self._request.settings, f"painter.seed={self._state.number}")
        outcome, report = self._resumed(request, own), self._report
        if outcome is None:
            return DONE
        report.steps["train"] = f"{_words(outcome)}: {outcome.version}"
        report.steps["decision"] = outcome.promotion or "none"
        report.run_id, report.figures = outcome.run_id, outcome.figures
        return outcome.exit_code

    def _resumed(self, request: TrainRequest, settings: tuple[str, ...]) -> TrainOutcome | None:
        """A training from the parent of its kind; None where a call before has brought it to its end.

        One of other data or settings that a night before left unfinished is left for good.
        """
        before = read_night(request.out / request.kind.value)
        is_done = before is not None and before.status == NIGHT_DONE and before.name != self._state.run_before
        if self._state.parent is not None and is_done:
            return None
        whole = replace(request, settings=settings, parent=self._kept_parent(request.kind))
        try:
            outcome = run_training(whole, self._display)
        except UnfinishedNightError:
            self._report.notices.append(LEFT.format(request.kind.value))
            outcome = run_training(replace(whole, new=True), self._display)
        self._report.notices += outcome.notices
        self._is_stopped = outcome.status == "stopped"
        if self._is_stopped:
            self._fail(outcome.notices[0])
        if outcome.status in ("unregistered", "uncompared"):
            self._fail(outcome.notices[0])
            self._count_failure(MAX_REFUSALS)
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
        """The weights that the training of this stage began from, whatever came meanwhile; None for none."""
        if self._state.parent is None or (self._state.parent and not Path(self._state.parent).is_file()):
            found = self._expert_parent() if kind is Kind.SYNCNET else self._painter_parent()
            kept = "" if found is None else str(seen_by_all(found, self._request.out / kind.value))
            before = read_night(self._request.out / kind.value)
            done = before.name if before is not None and before.status == NIGHT_DONE else ""
            self._state = replace(self._state, parent=kept, run_before=done)
            self._remember()
        return Path(self._state.parent) if self._state.parent else None

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

    def _count_failure(self, most: int) -> None:
        """What fails the same way in every call must not hold off all nights to come."""
        failures = self._state.failures + 1
        self._state = replace(self._state, failures=failures, is_over=failures >= most)
        if self._state.is_over:
            self._report.notices.append(
                f"this night failed {failures} times and is given up: the next one begins anew"
            )

    def _remember(self) -> None:
        write_state(self._request.out, self._state)


def _words(outcome: TrainOutcome) -> str:
    return f"{outcome.status} after {outcome.steps} steps"
