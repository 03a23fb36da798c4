"""`diff2lip nightly`: what the cluster runs at night. Parses, calls, prints."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cluster import prepare_ray
from jobs.command import Json, Settings, material_errors, print_json
from jobs.train_command import (
    DATA,
    OUT,
    Address,
    Data,
    Out,
    Quiet,
    Tracking,
    Workers,
    seconds_of,
    workers_of,
)

if TYPE_CHECKING:
    from jobs.nightly_report import NightlyReport


def nightly(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="The VoxCeleb2 tree, as for `diff2lip voxceleb2`.")],
    budget: Annotated[str, typer.Option("--for", metavar="6h", help="Train Diff2Lip so long.")],
    data: Data = DATA,
    out: Out = OUT,
    recipe: Annotated[str, typer.Option("--recipe", metavar="NAME", help="Of diff2lip.")] = "paper",
    expert_recipe: Annotated[str, typer.Option("--expert-recipe", metavar="NAME", help="Of syncnet.")] = "expert_128",
    expert_budget: Annotated[str, typer.Option("--expert-for", metavar="2h", help="Train an expert so long.")] = "2h",
    expert_days: Annotated[
        float, typer.Option("--expert-days", min=0, help="An expert of other data is stale when older.")
    ] = 7.0,
    select: Annotated[str, typer.Option("--select", metavar="first|all|LISTFILE", help="Which clips.")] = "first",
    judge: Annotated[
        Path | None,
        typer.Option("--judge", metavar="FILE", exists=True, dir_okay=False, help="An imported syncnet_v2."),
    ] = None,
    parent: Annotated[
        str | None, typer.Option("--parent", metavar="REF", help="What begins while there is no champion.")
    ] = None,
    settings: Settings = None,
    workers: Workers = "1",
    tracking_uri: Tracking = None,
    address: Address = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """New data in, the expert if it is stale, train, meet the champion, report: OUT/nights/NNNNN.json.

    The same command goes on with a night that was cut short, and else begins the next. Exit code 1 when it failed: the
    champion is as it was then, and the report says why.
    """
    most_s, expert_s = seconds_of(budget), seconds_of(expert_budget)
    assert most_s is not None
    assert expert_s is not None
    least, most = workers_of(workers)
    prepare_ray(address)
    from jobs.nightly import NightlyRequest, run_nightly
    from jobs.progress import shown_progress
    from jobs.result_table import show_notices

    request = NightlyRequest(
        root=root,
        data=data,
        out=out,
        recipe=recipe,
        expert_recipe=expert_recipe,
        budget_s=most_s,
        expert_budget_s=expert_s,
        expert_days=expert_days,
        select=select,
        judge=judge,
        parent=parent,
        settings=tuple(settings or ()),
        workers=least,
        most_workers=most,
        tracking_uri=tracking_uri,
        address=address,
    )
    with material_errors(), shown_progress(quiet=quiet) as display:
        report = run_nightly(request, display)
    if not print_json(asdict(report), as_json):
        _show(report)
    show_notices([*report.notices, *([report.failure] if report.failure else [])])
    raise typer.Exit(report.exit_code)


def _show(report: "NightlyReport") -> None:
    from jobs.result_table import show

    rows: list[list[object]] = [[name, words] for name, words in report.steps.items()]
    rows += [["failure", report.failure]] if report.failure else []
    rows += [["champion before", report.champion_before or "none"], ["champion now", report.champion_after or "none"]]
    show(f"night {report.number}", ["", ""], rows)
    print(report.path)
