"""The dub job: a catalog in, dubbed films out, one MLflow run."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from jobs.catalog import CatalogProblem
from jobs.film_review import REVIEW_FOLDER, TrackSheet, delivery_folder, frame_pairs, track_sheets, write_proxies
from jobs.finished import FinishedFilm, finished_film
from jobs.intake import Intake, take_in
from jobs.job_record import JobRecord
from jobs.lineage import JobRun, default_tracking_uri, describe, lineage_tags, open_job
from jobs.model_reference import DEFAULT_MODEL
from jobs.out_lock import held_out
from jobs.passes import DubPipeline
from jobs.plan_file import read_plan
from jobs.planning import PlannedFilms, plan_films
from jobs.progress import Display, Silence, several
from jobs.report import film_report
from jobs.revision import read_revision
from jobs.tally import Tally
from jobs.work_folder import work_uri
from pipelines.stage import Row
from pipelines.storage import file_digest, write_whole

DONE, FAILED, WRONG_USE = 0, 1, 2
REPORT_NAME = "report.html"


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
        return work_uri(self.work, self.out)


@dataclass(kw_only=True, slots=True)
class DubOutcome:
    """What became of it."""

    exit_code: int
    problems: list[CatalogProblem] = field(default_factory=list)
    films: list[Row] = field(default_factory=list)  # DUBBED_FILM
    plan: list[Row] = field(default_factory=list)  # PLAN, with the reasons that shots have in the end
    notices: list[str] = field(default_factory=list)  # what a person should know beside problems and films
    stages: list[Row] = field(default_factory=list)  # what each stage took: see `Tally.table`
    run_id: str | None = None
    tracking_uri: str | None = None


def run_dub(request: DubRequest, pipeline: DubPipeline, display: Display | None = None) -> DubOutcome:
    """Dub a catalog.

    Nothing is written when the catalog has problems, unless they are to be skipped.

    Raises:
        CatalogUnreadableError: there is no catalog.
        PlanUnreadableError: the edited plan is none, or does not fit.
        OutInUseError: another job writes into the same folder.
        TrackingError: the tracking store cannot be reached when the job begins.
    """
    edited = read_plan(request.plan) if request.plan else None
    job = _Job(request, pipeline, display or Silence())
    intake = take_in(request.catalog, job.listener)
    if not may_go_on(intake, skip_invalid=request.skip_invalid):
        return DubOutcome(exit_code=WRONG_USE, problems=intake.problems)
    with held_out(request.out), pipeline.running():
        return job.run(intake, edited)


def may_go_on(intake: Intake, *, skip_invalid: bool) -> bool:
    """Whether there is anything to do that a person asked for."""
    return bool(intake.films.num_rows) and (skip_invalid or not intake.problems)


class _Job:
    def __init__(self, request: DubRequest, pipeline: DubPipeline, display: Display) -> None:
        self._request, self._pipeline, self._display = request, pipeline, display
        self._tally = Tally()
        self.listener = several(self._tally, display)
        self._uri = request.tracking_uri or default_tracking_uri(request.out)
        self._revision = read_revision()

    def run(self, intake: Intake, edited: pa.Table | None) -> DubOutcome:
        record = JobRecord(self._open(), self._tally)
        done: list[FinishedFilm] = []
        failed = True
        try:
            planned = self._planned(intake, edited)
            plan = self._pipeline.plan_table(planned.shots).to_pylist()
            for row in self._painted(planned.shots):
                done.append(self._finished(record, row, plan))
            assert len(done) == intake.films.num_rows, f"{intake.films.num_rows} films in, {len(done)} out"
            failed = bool(intake.problems) or any(film.failed for film in done)
        finally:
            record.finish(done, failed=failed)
        notices = [*planned.ignored, *(film.notice for film in done), record.lost]
        return DubOutcome(
            exit_code=FAILED if failed or record.lost else DONE,
            problems=intake.problems,
            films=[film.film for film in done],
            plan=_in_order([row for film in done for row in film.plan], plan),
            notices=[notice for notice in notices if notice],
            stages=self._tally.table(),
            run_id=record.run_id,
            tracking_uri=self._uri,
        )

    def _open(self) -> JobRun:
        revision = self._revision
        catalog_digest = file_digest(self._request.catalog)
        tags = lineage_tags(revision, {"catalog": catalog_digest, "model": self._pipeline.model_digest})
        record = open_job(self._uri, "dub", tags)
        record.log_params({"model": self._request.model, **self._pipeline.settings})
        record.log_json("config.json", describe(revision, self._pipeline.settings))
        record.log_input(self._request.catalog.name, str(self._request.catalog.absolute()), catalog_digest, "dub")
        return record

    def _planned(self, intake: Intake, edited: pa.Table | None) -> PlannedFilms:
        self._display.expect("shots", intake.films.num_rows)
        return plan_films(self._pipeline, intake.films, self.listener, edited, skipping=bool(intake.problems))

    def _painted(self, planned: pa.Table) -> Iterator[Row]:
        self._display.expect("composite", planned.column("reason").null_count)
        self._display.expect("stitch", len(planned.column("dub_id").unique()))
        return self._pipeline.paint_and_stitch(planned, self.listener, self._revision.facts)

    def _finished(self, record: JobRecord, film: Row, plan: list[Row]) -> FinishedFilm:
        """The film's report, proxies and run; the film itself was published before."""
        done = finished_film(self._request.out, film, plan, self._tally)
        sheets: list[TrackSheet] = []
        files: dict[Path, str] = {}
        report = delivery_folder(self._request.out, film) / REPORT_NAME
        if not film["failure"] and (done.stitched or not report.exists()):
            sheets = list(track_sheets(done.shots))
            files = {proxy: REVIEW_FOLDER for proxy in write_proxies(self._request.out, film, done.shots)}
            self._report(done, sheets, report)
            files[report] = ""
        record.film(done, sheets, files)
        return done

    def _report(self, done: FinishedFilm, sheets: list[TrackSheet], target: Path) -> None:
        """Written last: a film whose report is there has its proxies too, also after a kill."""
        film = done.film
        stages = self._tally.of_film(film["title"], film["language"])
        page = film_report(film, done.plan, stages, sheets, list(frame_pairs(film, done.shots)), done.notice)
        write_whole(target, page.encode())


def _in_order(rows: list[Row], planned: list[Row]) -> list[Row]:
    """The rows of films that were finished in any order, in the order in which they were planned."""
    places = {dub_id: place for place, dub_id in enumerate(dict.fromkeys(row["dub_id"] for row in planned))}
    return sorted(rows, key=lambda row: places[row["dub_id"]])
