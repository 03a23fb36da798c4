"""The plan job: what a dub would do and cost. The analysis pass runs, nothing is painted."""

from dataclasses import dataclass, field
from pathlib import Path

from jobs.catalog import CatalogProblem
from jobs.cost import PAINT_SECONDS_PER_FRAME, PlanCost, plan_cost
from jobs.dub import DONE, FAILED, WRONG_USE, may_go_on
from jobs.intake import take_in
from jobs.passes import DubPipeline
from jobs.plan_file import write_plan
from jobs.planning import expect_analysis, plan_films
from jobs.progress import Display, Silence
from pipelines.plan_budget import within_budget
from pipelines.stage import Row

PLAN_NAME, PEOPLE_NAME = "plan.csv", "people.csv"
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
    written: Path | None = None  # where the editable plan lies


def run_plan(
    catalog: Path,
    out: Path | None,
    pipeline: DubPipeline,
    *,
    skip_invalid: bool = False,
    budget_s: float | None = None,
    display: Display | None = None,
) -> PlanOutcome:
    """Plan a catalog; with `out`, the plan is written there as a CSV that `dub --plan` takes back, and its people.

    With `budget_s`, seconds of painting on two CPU cores, faces that are too much for it are left, small ones first.

    Raises:
        CatalogUnreadableError: there is no catalog.
    """
    display = display or Silence()
    intake = take_in(catalog, display, pipeline.store_uri)
    if not may_go_on(intake, skip_invalid=skip_invalid):
        return PlanOutcome(exit_code=WRONG_USE, problems=intake.problems)
    expect_analysis(display, intake.films)
    with pipeline.running():
        intake.known.keep(intake.films.to_pylist())
        planned = plan_films(pipeline, intake.films, display)
    shots = planned.shots
    table = pipeline.plan_table(shots)
    if budget_s is not None:
        table = within_budget(table, int(budget_s / PAINT_SECONDS_PER_FRAME))
        shots = pipeline.edit(shots, table)
    people = pipeline.people_table(shots)
    written = out / PLAN_NAME if out else None
    if out and written:
        write_plan(written, table)
        write_plan(out / PEOPLE_NAME, people)
    plan = table.to_pylist()
    return PlanOutcome(
        exit_code=FAILED if intake.problems or planned.lost else DONE,
        problems=intake.problems,
        notices=[f"{film['title']} {film['language']}: {LOST}" for film in planned.lost],
        plan=plan,
        people=people.to_pylist(),
        cost=plan_cost(plan, planned.shots.to_pylist()),
        written=written,
    )
