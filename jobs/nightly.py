"""A night: new data in, the expert if it is stale, train for the time there is, meet the champion, report.

Whatever fails, the champion stays as it was, and the report says why. The same command again goes on with a night
that did not come to its end; a night that did is followed by the next one, which sees other windows and noise.
"""

import json
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from jobs.command import FAILED
from jobs.errors import FAILURES, WRONG_USES
from jobs.lineage import default_tracking_uri
from jobs.model_reference import resolve_model
from jobs.out_lock import held_out
from jobs.overrides import override
from jobs.progress import Display, Silence
from jobs.recipes import Kind, find_recipe
from jobs.registry import fetch_weights, find_champion
from jobs.train import run_training
from jobs.train_request import MODEL_NAMES, REGISTERED_NAMES, TrainOutcome, TrainRequest
from jobs.training_errors import UnfinishedNightError
from jobs.voxceleb2 import VoxRequest, run_voxceleb2
from pipelines.storage import write_whole
from pipelines.training_set import open_training_set

STATE_NAME, REPORTS = "nightly.json", "nights"
DAY_S = 86_400.0


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


@dataclass(frozen=True, kw_only=True, slots=True)
class NightlyState:
    """What is remembered from night to night."""

    number: int = 0
    is_over: bool = True
    expert_data: str = ""  # digest of what the expert was trained on
    expert_trained_s: float = 0.0  # when, seconds since 1970


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
        last = _read_state(request.out)
        self._state = replace(last, number=last.number + 1, is_over=False) if last.is_over else last
        self._report = NightlyReport(number=self._state.number)
        self._is_stopped = False  # by a person: the same command goes on

    def run(self) -> NightlyReport:
        begin, report = time.monotonic(), self._report
        self._remember()
        try:
            report.champion_before = report.champion_after = self._champion()
            self._data()
            self._expert()
            if not self._is_stopped:
                report.exit_code = self._train()
            self._state = replace(self._state, is_over=not self._is_stopped)
            report.champion_after = self._champion()
        except (*FAILURES, *WRONG_USES) as error:
            report.failure, report.exit_code = str(error), FAILED
        report.seconds = time.monotonic() - begin
        self._remember()
        path = self._request.out / REPORTS / f"{report.number:05d}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        report.path = str(path)
        write_whole(path, json.dumps(asdict(report), indent=2).encode())
        return report

    def _data(self) -> None:
        request = self._request
        vox = VoxRequest(
            root=request.root, out=request.data, select=request.select, judge=request.judge, address=request.address
        )
        outcome = run_voxceleb2(vox, self._display)
        self._report.notices += outcome.notices
        self._report.steps["data"] = (
            f"{outcome.counts['ok']} clips, {outcome.num_found} of them known, {outcome.digest}"
        )

    def _expert(self) -> None:
        """Train an expert where there is none, or an old one of other data.

        One that learnt nothing ends no night: the one that is there goes on teaching.
        """
        if not override(find_recipe(Kind.DIFF2LIP, self._request.recipe), self._request.settings).painter.weights.sync:
            self._report.steps["expert"] = "not wanted by the objective"
            return
        digest, kept = open_training_set(self._request.data).digest, self._request.out / MODEL_NAMES[Kind.SYNCNET]
        if kept.is_file() and not self._state.expert_data:  # trained before there were nights: taken as it is
            self._state = replace(self._state, expert_data=digest, expert_trained_s=kept.stat().st_mtime)
        age_s = time.time() - self._state.expert_trained_s
        is_old = digest != self._state.expert_data and age_s > self._request.expert_days * DAY_S
        if kept.is_file() and not is_old:
            self._report.steps["expert"] = "not stale"
            return
        request = self._training(Kind.SYNCNET, self._request.expert_recipe, self._request.expert_budget_s)
        outcome = self._resumed(request)
        self._report.steps["expert"] = f"{outcome.status} after {outcome.steps} steps"
        if outcome.model:
            self._state = replace(self._state, expert_data=digest, expert_trained_s=time.time())
            self._remember()

    def _train(self) -> int:
        request = self._training(Kind.DIFF2LIP, self._request.recipe, self._request.budget_s)
        own = (*self._request.settings, f"painter.seed={self._state.number}")
        outcome = self._resumed(replace(request, settings=own, parent=self._parent()))
        report = self._report
        report.steps["train"] = f"{outcome.status} after {outcome.steps} steps: {outcome.version}"
        report.steps["decision"] = outcome.promotion or "none"
        report.run_id, report.figures = outcome.run_id, outcome.figures
        return outcome.exit_code

    def _resumed(self, request: TrainRequest) -> TrainOutcome:
        """A training; one of other data or settings that a night before left unfinished is left for good."""
        try:
            outcome = run_training(request, self._display)
        except UnfinishedNightError as error:
            self._report.notices.append(f"{error}: it is left")
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

    def _parent(self) -> Path | None:
        champion = find_champion(self._request.store, REGISTERED_NAMES[Kind.DIFF2LIP])
        if champion is not None:
            return fetch_weights(self._request.store, champion)
        parent = self._request.parent
        return None if parent is None else resolve_model(parent, self._request.store).path

    def _champion(self) -> str:
        champion = find_champion(self._request.store, REGISTERED_NAMES[Kind.DIFF2LIP])
        return "" if champion is None else champion.reference

    def _remember(self) -> None:
        write_whole(self._request.out / STATE_NAME, json.dumps(asdict(self._state), indent=2).encode())


def _read_state(out: Path) -> NightlyState:
    path = out / STATE_NAME
    return NightlyState(**json.loads(path.read_text())) if path.is_file() else NightlyState()
