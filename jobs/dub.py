"""The dub job: a catalog in, dubbed films out, one MLflow run."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from jobs.catalog import CatalogProblem
from jobs.film_review import delivered_shots, delivery_folder, frame_pairs, track_sheets, write_proxies
from jobs.intake import Intake, take_in
from jobs.lineage import JobRun, Run, default_tracking_uri, describe, lineage_tags, open_job
from jobs.model_reference import DEFAULT_MODEL
from jobs.plan_file import read_plan, write_plan
from jobs.progress import Display, Silence, several
from jobs.report import film_report, shots_by_reason
from jobs.revision import read_revision
from jobs.tally import Tally
from pipelines.progress import Listener
from pipelines.stage import Row
from pipelines.storage import file_digest, write_whole

DONE, FAILED, WRONG_USE = 0, 1, 2


@dataclass(frozen=True, kw_only=True, slots=True)
class DubRequest:
    """What a person asked for."""

    catalog: Path
    out: Path
    work: str | None = None  # uri of intermediates; None: OUT/.work
    model: str = DEFAULT_MODEL
    settings: tuple[str, ...] = ()  # key=value
    plan: Path | None = None  # an edited plan
    skip_invalid: bool = False
    address: str | None = None  # of a Ray cluster
    tracking_uri: str | None = None

    @property
    def store_uri(self) -> str:
        """Where intermediates lie."""
        return self.work or str(self.out.absolute() / ".work")


@dataclass(kw_only=True, slots=True)
class DubOutcome:
    """What became of it."""

    exit_code: int
    problems: list[CatalogProblem] = field(default_factory=list)
    films: list[Row] = field(default_factory=list)  # DUBBED_FILM
    plan: list[Row] = field(default_factory=list)  # PLAN
    stages: list[Row] = field(default_factory=list)  # what each stage took: see `Tally.table`
    run_id: str | None = None
    tracking_uri: str | None = None


class AnalysisFailedError(Exception):
    """The analysis pass did not bring out every shot; says what to do."""


class DubPipeline(Protocol):
    """The passes of the dub, ready to run; see `jobs/dub_pipeline.py`."""

    settings: dict[str, Any]  # what the runs record
    model_digest: str

    def running(self) -> AbstractContextManager[None]: ...

    def analyse(self, films: pa.Table, listener: Listener) -> pa.Table: ...

    def plan(self, tracked: pa.Table) -> pa.Table: ...

    def plan_table(self, planned: pa.Table) -> pa.Table: ...

    def edit(self, planned: pa.Table, edited: pa.Table) -> pa.Table: ...

    def paint_and_stitch(self, planned: pa.Table, listener: Listener) -> Iterator[Row]: ...


def run_dub(request: DubRequest, pipeline: DubPipeline, display: Display | None = None) -> DubOutcome:
    """Dub a catalog.

    Nothing is written when the catalog has problems, unless they are to be skipped.

    Raises:
        CatalogUnreadableError: there is no catalog.
        PlanUnreadableError: the edited plan is none.
        ValueError: the edited plan does not fit.
    """
    edited = read_plan(request.plan) if request.plan else None
    intake = take_in(request.catalog)
    if not may_go_on(intake, skip_invalid=request.skip_invalid):
        return DubOutcome(exit_code=WRONG_USE, problems=intake.problems)
    with pipeline.running():
        return _Job(request, pipeline, display or Silence()).run(intake, edited)


def may_go_on(intake: Intake, *, skip_invalid: bool) -> bool:
    """Whether there is anything to do that a person asked for."""
    return bool(intake.films.num_rows) and (skip_invalid or not intake.problems)


class _Job:
    def __init__(self, request: DubRequest, pipeline: DubPipeline, display: Display) -> None:
        self._request, self._pipeline, self._display = request, pipeline, display
        self._tally = Tally()
        self._listener = several(self._tally, display)
        self._uri = request.tracking_uri or default_tracking_uri(request.out)

    def run(self, intake: Intake, edited: pa.Table | None) -> DubOutcome:
        self._request.out.mkdir(parents=True, exist_ok=True)
        record = self._open()
        failed = True
        try:
            planned = self._plan(intake.films, edited)
            plan = self._pipeline.plan_table(planned)
            films = [self._finished(record, row, planned, plan) for row in self._painted(planned)]
            assert len(films) == intake.films.num_rows, f"{intake.films.num_rows} films in, {len(films)} out"
            failed = bool(intake.problems) or any(row["failure"] for row in films)
            record.log_metrics(_job_metrics(films, self._tally))
        finally:
            record.finish(failed=failed)
        return DubOutcome(
            exit_code=FAILED if failed else DONE,
            problems=intake.problems,
            films=films,
            plan=plan.to_pylist(),
            stages=self._tally.table(),
            run_id=record.run_id,
            tracking_uri=self._uri,
        )

    def _open(self) -> JobRun:
        revision = read_revision()
        catalog_digest = file_digest(self._request.catalog)
        tags = lineage_tags(revision, {"catalog": catalog_digest, "model": self._pipeline.model_digest})
        record = open_job(self._uri, "dub", tags)
        record.log_params({"model": self._request.model, **self._pipeline.settings})
        record.log_json("config.json", describe(revision, self._pipeline.settings))
        record.log_input(self._request.catalog.name, str(self._request.catalog.absolute()), catalog_digest, "dub")
        return record

    def _plan(self, films: pa.Table, edited: pa.Table | None) -> pa.Table:
        self._display.expect("shots", films.num_rows)
        planned = self._pipeline.plan(self._pipeline.analyse(films, self._listener))
        return planned if edited is None else self._pipeline.edit(planned, edited)

    def _painted(self, planned: pa.Table) -> Iterator[Row]:
        self._display.expect("composite", planned.column("reason").null_count)
        self._display.expect("stitch", len(planned.column("dub_id").unique()))
        return self._pipeline.paint_and_stitch(planned, self._listener)

    def _finished(self, record: JobRun, film: Row, planned: pa.Table, plan: pa.Table) -> Row:
        """The film's report, proxies and run; the film itself was published before."""
        rows = [row for row in plan.to_pylist() if row["dub_id"] == film["dub_id"]]
        run = record.open_film(film["title"], film["language"], {"diff2lip.dub_id": film["dub_id"]})
        if film["failure"]:
            run.log_metrics(_film_metrics(film, rows, self._tally))
            run.log_json("failure.json", {"failure": film["failure"]})
        else:
            self._show(run, film, rows)
        run.finish(failed=bool(film["failure"]))
        return film

    def _show(self, run: Run, film: Row, plan: list[Row]) -> None:
        out = self._request.out
        folder, shots = delivery_folder(out, film), delivered_shots(out, film)
        sheets = list(track_sheets(shots))
        report = film_report(
            film, plan, self._tally.of_film(film["title"], film["language"]), sheets, list(frame_pairs(film, shots))
        )
        write_whole(folder / "report.html", report.encode())
        if not (folder / "plan.parquet").exists():
            write_plan(folder / "plan.parquet", pa.Table.from_pylist(plan))
        run.log_params({"delivered": film["delivered_uri"], "film_id": film["film_id"]})
        run.log_metrics(_film_metrics(film, plan, self._tally))
        run.log_file(folder / "report.html")
        for sheet in sheets:
            run.log_bytes(f"contact_sheets/{sheet.name}", sheet.png)
        for proxy in write_proxies(out, film, shots):
            run.log_file(proxy, "review")


def _film_metrics(film: Row, plan: Sequence[Row], tally: Tally) -> dict[str, float]:
    counts = ("num_shots", "num_shots_dubbed", "num_frames", "num_frames_changed")
    metrics: dict[str, float] = {name: float(film[name]) for name in counts}
    metrics |= {f"tracks.{reason}": float(count) for reason, count in shots_by_reason(plan).items()}
    return metrics | {
        f"seconds.{stage}": count.seconds for stage, count in tally.of_film(film["title"], film["language"]).items()
    }


def _job_metrics(films: Sequence[Row], tally: Tally) -> dict[str, float]:
    metrics = {
        "films": float(len(films)),
        "films_failed": float(sum(bool(film["failure"]) for film in films)),
        "frames_changed": float(sum(film["num_frames_changed"] for film in films)),
    }
    for stage, count in tally.of_job().items():
        metrics |= {
            f"seconds.{stage}": count.seconds,
            f"cached.{stage}": float(count.cached),
            f"peak_mib.{stage}": count.peak_mib,
        }
    return metrics
