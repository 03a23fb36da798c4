"""The dub job: a catalog in, dubbed films out, one MLflow run."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute

from jobs.ahead import ahead
from jobs.catalog import CatalogProblem
from jobs.film_page import FilmPage, page_files
from jobs.finished import FinishedFilm, finished_film
from jobs.intake import Intake, take_in
from jobs.job_record import JobRecord
from jobs.lineage import JobRun, default_tracking_uri, describe, lineage_tags, open_job
from jobs.model_reference import DEFAULT_MODEL
from jobs.out_lock import held_out
from jobs.passes import DubPipeline
from jobs.plan_file import read_plan
from jobs.planning import PlannedFilms, expect_analysis, plan_films
from jobs.progress import Display, Silence, several
from jobs.revision import read_revision
from jobs.stage_rates import keep_stage_rates
from jobs.tally import Tally
from jobs.work_folder import work_uri
from pipelines.stage import Row
from pipelines.storage import ObjectStore, file_digest

DONE, FAILED, WRONG_USE = 0, 1, 2
FILMS_A_GROUP = 8  # at most: enough for every actor of the analysis, few enough to begin painting soon


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
        return work_uri(self.work, str(self.out))


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
    intake = take_in(request.catalog, job.listener, request.store_uri)
    if not may_go_on(intake, skip_invalid=request.skip_invalid):
        return DubOutcome(exit_code=WRONG_USE, problems=intake.problems)
    with held_out(request.out), pipeline.running():
        intake.known.keep(intake.films.to_pylist())
        return job.run(intake, edited)


def may_go_on(intake: Intake, *, skip_invalid: bool) -> bool:
    """Whether there is anything to do that a person asked for."""
    return bool(intake.films.num_rows) and (skip_invalid or not intake.problems)


class _Job:
    def __init__(self, request: DubRequest, pipeline: DubPipeline, display: Display) -> None:
        self._request, self._pipeline, self._display = request, pipeline, display
        self._tally = Tally()
        self._expected: dict[str, tuple[int, int]] = {}  # of a stage: pieces and frames
        self.listener = several(self._tally, display)
        self._uri = request.tracking_uri or default_tracking_uri(request.out)
        self._revision = read_revision()

    def run(self, intake: Intake, edited: pa.Table | None) -> DubOutcome:
        record = JobRecord(self._open(), self._tally)
        done: list[FinishedFilm] = []
        plan: list[Row] = []
        notices: list[str] = []
        failed = True
        try:
            for planned in self._planned(intake, edited):
                rows = self._pipeline.plan_table(planned.shots).to_pylist()
                for film in chain(planned.lost, self._painted(planned.shots, rows)):
                    done.append(self._finished(record, film, rows))
                plan += rows
                notices += planned.notices
            assert len(done) == intake.films.num_rows, f"{intake.films.num_rows} films in, {len(done)} out"
            failed = bool(intake.problems) or any(film.failed for film in done)
        finally:
            record.finish(done, failed=failed)
        keep_stage_rates(ObjectStore(self._pipeline.store_uri), self._tally.of_job())
        notices += [*(notice for film in done for notice in film.notices), record.lost]
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

    def _planned(self, intake: Intake, edited: pa.Table | None) -> Iterator[PlannedFilms]:
        """Films in groups: while one group is painted the next is analysed. An edited plan is checked whole."""
        films = intake.films
        expect_analysis(self._display, films)
        groups = [films] if edited is not None else list(in_groups(films))
        skipping = bool(intake.problems)
        yield from ahead(
            [partial(plan_films, self._pipeline, group, self.listener, edited, skipping=skipping) for group in groups]
        )

    def _painted(self, shots: pa.Table, plan: list[Row]) -> Iterator[Row]:
        painted = shots.filter(pa.compute.is_null(shots["reason"]))
        films = [row for row in shots.to_pylist() if row["shot_index"] == 0]
        for stage in ("crops", "paint"):
            self._expect(stage, painted.num_rows, sum(row["frames_to_paint"] for row in plan))
        for stage in ("composite", "judge"):
            self._expect(stage, painted.num_rows, _total(painted, "shot_num_frames"))
        self._expect("stitch", len(films), sum(film["num_frames"] for film in films))
        pages = partial(self._page, plan, self._pipeline.people_table(shots).to_pylist())
        return self._pipeline.paint_and_stitch(shots, self.listener, self._revision.facts, pages)

    def _expect(self, stage: str, num_pieces: int, num_frames: int) -> None:
        """So much more of a stage, with this group."""
        pieces, frames = self._expected.get(stage, (0, 0))
        self._expected[stage] = pieces + num_pieces, frames + num_frames
        self._display.expect(stage, *self._expected[stage])

    def _page(self, plan: list[Row], people: list[Row], film: Row) -> FilmPage:
        own, seen = ([row for row in rows if row["dub_id"] == film["dub_id"]] for rows in (plan, people))
        return FilmPage(own, seen, self._tally.of_film(film["title"], film["language"]))

    def _finished(self, record: JobRecord, film: Row, plan: list[Row]) -> FinishedFilm:
        done = finished_film(self._request.out, film, plan, self._tally)
        record.film(done, {} if film["failure"] else page_files(self._request.out, film))
        return done


def in_groups(films: pa.Table) -> Iterator[pa.Table]:
    """Films in groups of 1, 2, 4, ... `FILMS_A_GROUP`: painting begins when the first film is analysed."""
    start, size = 0, 1
    while start < films.num_rows:
        yield films.slice(start, size)
        start, size = start + size, min(2 * size, FILMS_A_GROUP)


def _total(table: pa.Table, column: str) -> int:
    return int(pa.compute.sum(table[column]).as_py() or 0)


def _in_order(rows: list[Row], planned: list[Row]) -> list[Row]:
    """The rows of films that were finished in any order, in the order in which they were planned."""
    places = {dub_id: place for place, dub_id in enumerate(dict.fromkeys(row["dub_id"] for row in planned))}
    return sorted(rows, key=lambda row: places[row["dub_id"]])
