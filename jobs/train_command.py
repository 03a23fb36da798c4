"""`diff2lip train`: the lip-sync expert, or Diff2Lip. Parses, calls, prints."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cluster import prepare_ray
from jobs.command import Json, Settings, material_errors, print_json

if TYPE_CHECKING:
    from jobs.train_request import TrainOutcome

train_app = typer.Typer(help="Train the lip-sync expert, or Diff2Lip.", no_args_is_help=True)
UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}

Data = Annotated[str, typer.Option("--data", metavar="URI", help="What `diff2lip voxceleb2` made: a folder or a URI.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of checkpoints and of the runs.")]
Name = Annotated[str, typer.Option("--recipe", metavar="NAME", help="A named training.")]
Budget = Annotated[str | None, typer.Option("--for", metavar="6h", help="Learn so long, over all restarts: s, m, h.")]
Steps = Annotated[int | None, typer.Option("--steps", min=1, help="Learn so many steps.")]
Workers = Annotated[str, typer.Option("--workers", metavar="N|N-M", help="Workers; a range grows with the cluster.")]
New = Annotated[bool, typer.Option("--new", help="Leave an unfinished training and begin another.")]
Tracking = Annotated[str | None, typer.Option("--tracking-uri", metavar="URI", help="Of MLflow.")]
Address = Annotated[str | None, typer.Option("--address", metavar="RAY", help="Of a Ray cluster; none: here.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
DATA, OUT = "out/vox2", Path("out/training")


@train_app.command()
def syncnet(
    recipe: Name = "expert_128",
    data: Data = DATA,
    out: Out = OUT,
    budget: Budget = None,
    steps: Steps = None,
    settings: Settings = None,
    workers: Workers = "1",
    new: New = False,
    tracking_uri: Tracking = None,
    address: Address = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train the expert that tells sound that fits a mouth from sound of another moment: OUT/expert.safetensors.

    The same command goes on where it was stopped. Exit code 1 when it has learnt nothing: it is not kept then.
    """
    given = {"recipe": recipe, "data": data, "out": out, "new": new, "tracking_uri": tracking_uri, "address": address}
    _train("syncnet", given, budget, steps, settings, workers, quiet=quiet, as_json=as_json)


@train_app.command()
def diff2lip(
    recipe: Name = "paper",
    data: Data = DATA,
    out: Out = OUT,
    budget: Budget = None,
    steps: Steps = None,
    settings: Settings = None,
    expert: Annotated[
        Path | None,
        typer.Option("--expert", metavar="FILE", exists=True, dir_okay=False, help="None: OUT/expert.safetensors."),
    ] = None,
    parent: Annotated[
        str | None,
        typer.Option("--parent", metavar="REF", help="Weights to begin from: a file, bundled:small, models:/..."),
    ] = None,
    workers: Workers = "1",
    new: New = False,
    tracking_uri: Tracking = None,
    address: Address = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train Diff2Lip with the whole objective: OUT/diff2lip.safetensors.

    The same command goes on where it was stopped.
    """
    given = {"recipe": recipe, "data": data, "out": out, "new": new, "tracking_uri": tracking_uri, "address": address}
    given |= {"expert": expert, "parent": parent}
    _train("diff2lip", given, budget, steps, settings, workers, quiet=quiet, as_json=as_json)


def _train(
    kind: str,
    given: dict[str, object],
    budget: str | None,
    steps: int | None,
    settings: list[str] | None,
    workers: str,
    *,
    quiet: bool,
    as_json: bool,
) -> None:
    budget_s, (least, most) = seconds_of(budget), workers_of(workers)
    address = given["address"]
    prepare_ray(str(address) if address else None)
    from jobs.lineage import default_tracking_uri
    from jobs.model_reference import resolve_model
    from jobs.progress import shown_progress
    from jobs.recipes import Kind
    from jobs.result_table import show_notices
    from jobs.train import run_training
    from jobs.train_request import TrainRequest

    out, store, parent = Path(str(given["out"])), given["tracking_uri"], given.get("parent")
    if parent:
        with material_errors():
            given["parent"] = resolve_model(str(parent), str(store or default_tracking_uri(out))).path
    limits = [f"run.max_steps={steps}"] if steps else []
    request = TrainRequest(
        kind=Kind(kind),
        settings=(*(settings or ()), *limits),
        budget_s=budget_s,
        workers=least,
        most_workers=most,
        **given,  # type: ignore[arg-type]
    )
    with material_errors(), shown_progress(quiet=quiet) as display:
        outcome = run_training(request, display)
    if not print_json(asdict(outcome), as_json):
        _show(outcome)
    show_notices(outcome.notices)
    raise typer.Exit(outcome.exit_code)


def seconds_of(text: str | None, option: str = "--for") -> float | None:
    """Seconds of `90s`, `5m` or `6h`; `option` is named where it is none.

    Raises:
        typer.BadParameter: it is none of these.
    """
    if text is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if not found or not float(found[1]):
        raise typer.BadParameter(f"{text} is no time such as 90s, 5m or 6h", param_hint=option)
    return float(found[1]) * UNITS_S[found[2]]


def workers_of(text: str) -> tuple[int, int | None]:
    """How many workers, or the least and the most, of `2` or `2-8`.

    Raises:
        typer.BadParameter: it is neither.
    """
    found = re.fullmatch(r"([1-9]\d*)(?:-([1-9]\d*))?", text)
    if not found or (found[2] and int(found[2]) < int(found[1])):
        raise typer.BadParameter(f"{text} is no number of workers such as 2 or 2-8", param_hint="--workers")
    return int(found[1]), int(found[2]) if found[2] else None


def _show(outcome: "TrainOutcome") -> None:
    from jobs.result_table import show

    rows: list[list[object]] = [["status", outcome.status], ["steps", outcome.steps]]
    rows += [[name, f"{value:.4f}"] for name, value in sorted(outcome.figures.items()) if "/" not in name]
    rows += [[f"clips left out: {reason}", count] for reason, count in sorted(outcome.left_out.items())]
    show(outcome.name, ["", "value"], rows)
    registered = f", registered as {outcome.version}" if outcome.version else ""
    kept = f"{outcome.model}, sha256 {outcome.digest}{registered}; " if outcome.model else ""
    if outcome.promotion:
        print(f"{'champion' if outcome.promoted else 'not champion'}: {outcome.promotion}")
    print(f"{kept}MLflow run {outcome.run_id} in {outcome.tracking_uri}")
