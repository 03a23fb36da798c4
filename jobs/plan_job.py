"""The plan job: what a dub would do and cost. The analysis pass runs, nothing is painted."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from jobs.catalog import CatalogProblem
from jobs.cost import NO_PRICES, HourPrices, PlanCost, film_costs, plan_cost
from jobs.dub import DONE, FAILED, WRONG_USE, may_go_on
from jobs.intake import take_in
from jobs.passes import DubPipeline
from jobs.plan_file import write_own_plan, write_plan
from jobs.planning import expect_analysis, plan_films
from jobs.progress import Display, Silence
from jobs.stage_rates import stage_rates
from jobs.timeline import film_timeline
from pipelines.paint_rate import PaintRate
from pipelines.plan_budget import within_budget
from pipelines.stage import Row
from pipelines.storage import ObjectStore, write_whole

PLAN_NAME, PEOPLE_NAME, TIMELINES_FOLDER = "plan.csv", "people.csv", "timelines"
FOR_PROGRAMS = ".parquet"  # both tables once more
NOTHING_TO_PAINT = PaintRate(device="no device", seconds_per_frame=0.0, actors=1)
LOST = "not planned, as its analysis failed twice; the same command tries once more"


@dataclass(kw_only=True, slots=True)
class PlanOutcome:
    """What would be done."""

    exit_code: int
    problems: list[CatalogProblem] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)  # what a person should know beside problems
    plan: list[Row] = field(default_factory=list)  # PLAN
    people: list[Row] = field(default_factory=list)  # PEOPLE
    cost: PlanCost | None = None
    films: list[Row] = field(default_factory=list)  # the same of each film in each language
    written: Path | None = None  # where the editable plan lies


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanRequest:
    """What a person asks for."""

    catalog: Path
    out: Path | None = None  # gets plan.csv, which `dub --plan` takes back, people.csv, both as Parquet, and timelines
    skip_invalid: bool = False
    budget_s: float | None = None  # of painting: faces that are too much for it are left, small ones first
    prices: HourPrices = NO_PRICES


def run_plan(request: PlanRequest, pipeline: DubPipeline, display: Display | None = None) -> PlanOutcome:
    """Plan a catalog.

    Raises:
        CatalogUnreadableError: there is no catalog.
    """
    display = display or Silence()
    intake = take_in(request.catalog, display, pipeline.store_uri)
    if not may_go_on(intake, skip_invalid=request.skip_invalid):
        return PlanOutcome(exit_code=WRONG_USE, problems=intake.problems)
    expect_analysis(display, intake.films)
    with pipeline.running():
        intake.known.keep(intake.films.to_pylist())
        planned = plan_films(pipeline, intake.films, display)
        shots = planned.shots
        table = pipeline.plan_table(shots)
        rate = pipeline.paint_rate() if any(table["frames_to_paint"].to_pylist()) else NOTHING_TO_PAINT
    if request.budget_s is not None and rate.seconds_per_frame:
        table = within_budget(table, int(request.budget_s / rate.seconds(1)))
        shots = pipeline.edit(shots, table)
    people = pipeline.people_table(shots)
    out = request.out
    written, notices = None, list(planned.notices)
    if out:
        written = write_own_plan(out / PLAN_NAME, table)
        write_own_plan((out / PLAN_NAME).with_suffix(FOR_PROGRAMS), table)
        if written.name != PLAN_NAME:
            notices.append(f"{out / PLAN_NAME} was changed since it was written, and stays; this plan is {written}")
        write_plan(out / PEOPLE_NAME, people)
        write_plan((out / PEOPLE_NAME).with_suffix(FOR_PROGRAMS), people)
        _write_timelines(out / TIMELINES_FOLDER, shots.to_pylist())
    plan, rows, others = table.to_pylist(), shots.to_pylist(), stage_rates(ObjectStore(pipeline.store_uri))
    return PlanOutcome(
        exit_code=FAILED if intake.problems or planned.lost else DONE,
        problems=intake.problems,
        notices=notices + [f"{film['title']} {film['language']}: {LOST}" for film in planned.lost],
        plan=plan,
        people=people.to_pylist(),
        cost=plan_cost(plan, rows, rate, request.prices, pipeline.re_encoded_share(shots), others),
        films=film_costs(plan, rows, rate, request.prices, others),
        written=written,
    )


def _write_timelines(folder: Path, shots: list[Row]) -> None:
    """A picture of each film, TITLE.LANGUAGE.png."""
    films: dict[str, list[Row]] = defaultdict(list)
    for shot in shots:
        films[shot["dub_id"]].append(shot)
    folder.mkdir(parents=True, exist_ok=True)
    for film in films.values():
        write_whole(folder / f"{film[0]['title']}.{film[0]['language']}.png", film_timeline(film))
