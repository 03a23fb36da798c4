"""The `diff2lip` command: parses, calls, prints. No logic, and nothing heavy is imported before it is needed."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs.cluster import prepare_ray
from jobs.command import DONE, FAILED, Json, Quiet, Settings, Work, material_errors, print_json
from jobs.evaluate_command import evaluate
from jobs.inspect_command import inspect
from jobs.lineage_command import lineage
from jobs.nightly_command import nightly
from jobs.train_command import seconds_of, train_app
from jobs.voxceleb2_command import voxceleb2
from jobs.weights import weights_app

app = typer.Typer(
    name="diff2lip",
    help="Re-dub a film catalog: lips follow the new language. Exit codes: 0 done; 1 something failed; 2 wrong use.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
assets_app = typer.Typer(help="The files that are fetched: models and clips.", no_args_is_help=True)
app.add_typer(assets_app, name="assets")
app.add_typer(weights_app, name="weights")
app.add_typer(train_app, name="train")
app.command()(inspect)
app.command()(evaluate)
app.command()(lineage)
app.command()(nightly)
app.command()(voxceleb2)

Catalog = Annotated[Path, typer.Argument(help="CSV, JSON Lines or Parquet: film, language, dub_stem or dub_mix.")]
SkipInvalid = Annotated[bool, typer.Option("--skip-invalid", help="Go on with the right rows; exit code 1.")]
Model = Annotated[str, typer.Option("--model", metavar="REF", help="A .safetensors path, or bundled:small.")]
Address = Annotated[str | None, typer.Option("--address", metavar="RAY", help="Of a Ray cluster; none: here.")]


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder of the demo film and its dub.")] = Path("demo-out"),
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Build a film of several shots, dub it into Spanish, and verify it."""
    prepare_ray()
    from jobs.demo import run_demo
    from jobs.result_table import show_demo

    with material_errors(), _progress(quiet=quiet) as display:
        outcome = run_demo(out, display)
    if not print_json(outcome.as_json(), as_json):
        show_demo(outcome)
    raise typer.Exit(outcome.exit_code)


@app.command()
def plan(
    catalog: Catalog,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder that gets plan.csv, to edit, people.csv, timelines.")
    ] = None,
    work: Work = None,
    model: Model = "bundled:small",
    settings: Settings = None,
    skip_invalid: SkipInvalid = False,
    budget: Annotated[
        str | None,
        typer.Option("--budget", metavar="2h", help="Paint no longer than this: s, m, h; large faces first."),
    ] = None,
    hour_price: Annotated[
        float | None, typer.Option("--hour-price", min=0, help="Of one painting actor for an hour, in any currency.")
    ] = None,
    cpu_hour_price: Annotated[
        float | None, typer.Option("--cpu-hour-price", min=0, help="Of one worker on all else than painting.")
    ] = None,
    address: Address = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Say what a dub would do and cost. Nothing is painted."""
    budget_s = seconds_of(budget, "--budget")
    prepare_ray(address)
    from jobs.cost import HourPrices
    from jobs.dub_pipeline import open_pipeline, plan_store
    from jobs.plan_job import PlanRequest, run_plan
    from jobs.result_table import show_notices, show_people, show_plan, show_problems

    with material_errors(), _progress(quiet=quiet) as display:
        pipeline = open_pipeline(plan_store(out, work), out or Path(), model, settings or [], address)
        request = PlanRequest(
            catalog=catalog,
            out=out,
            skip_invalid=skip_invalid,
            budget_s=budget_s,
            prices=HourPrices(actor=hour_price, cpu=cpu_hour_price),
        )
        outcome = run_plan(request, pipeline, display)
    if not print_json(_jsonable(asdict(outcome)), as_json):
        if outcome.problems:
            show_problems(outcome.problems)
        if outcome.cost:
            show_people(outcome.people)
            show_plan(outcome.plan, outcome.cost, outcome.films)
    show_notices(outcome.notices)
    raise typer.Exit(outcome.exit_code)


@app.command()
def dub(
    catalog: Catalog,
    out: Annotated[Path, typer.Option("--out", help="Folder of the deliveries.")],
    work: Work = None,
    model: Model = "bundled:small",
    settings: Settings = None,
    plan: Annotated[Path | None, typer.Option("--plan", help="An edited plan.csv or .parquet.")] = None,
    inserts: Annotated[
        bool, typer.Option("--inserts", help="Changed shots as ProRes too, with an edit list.")
    ] = False,
    skip_invalid: SkipInvalid = False,
    address: Address = None,
    tracking_uri: Annotated[str | None, typer.Option("--tracking-uri", metavar="URI", help="Of MLflow.")] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Dub every film of a catalog. The same command again continues, or finds all done."""
    prepare_ray(address)
    from jobs.dub import DubRequest
    from jobs.dub_pipeline import dub_here
    from jobs.result_table import show_dub, show_notices

    request = DubRequest(
        catalog=catalog,
        out=out,
        work=work,
        model=model,
        settings=(*(settings or ()), *["inserts=true"] * inserts),
        plan=plan,
        skip_invalid=skip_invalid,
        address=address,
        tracking_uri=tracking_uri,
    )
    with material_errors(), _progress(quiet=quiet) as display:
        outcome = dub_here(request, display)
    if not print_json(_jsonable(asdict(outcome)), as_json):
        show_dub(outcome)
    show_notices(outcome.notices)
    raise typer.Exit(outcome.exit_code)


@app.command()
def verify(
    source: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    delivered: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    dub: Annotated[Path | None, typer.Option("--dub", exists=True, help="The dub, to prove its sound too.")] = None,
    me: Annotated[Path | None, typer.Option("--me", exists=True, help="Music and effects mixed with it.")] = None,
    mix: Annotated[bool, typer.Option("--mix", help="The dub is a full mix; else the manifest says.")] = False,
    as_json: Json = False,
) -> None:
    """Prove that a delivery keeps all that must stay. Exit code 1 when something is not equal."""
    from jobs.result_table import show_proof
    from pipelines.verify import verify_films

    with material_errors():
        proof = verify_films(source, delivered, dub, me, "dub_mix" if mix else None, decode_twice=True)
    if not print_json(asdict(proof) | {"holds": proof.holds}, as_json):
        show_proof(proof)
    raise typer.Exit(DONE if proof.holds else FAILED)


@app.command()
def review(
    out: Annotated[Path, typer.Option("--out", help="Folder of the deliveries.")] = Path("demo-out"),
    tracking_uri: Annotated[
        str | None, typer.Option("--tracking-uri", metavar="URI", help="Another database.")
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 5000,
) -> None:
    """Open MLflow's pages over the runs of a folder, on this machine alone, until Ctrl-C."""
    from jobs.review import review_server, store_of

    with material_errors():
        store = tracking_uri or store_of(out)
        with review_server(store, port, out / "mlflow-server.log") as server:
            print(f"{server.url} shows {store}; Ctrl-C ends it", flush=True)
            server.wait()


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def submit(
    context: typer.Context,
    address: Annotated[str, typer.Option("--address", metavar="URL", help="Of the cluster's dashboard.")],
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Show the log until the end.")] = True,
    as_json: Json = False,
) -> None:
    """Run a command of ours on a cluster: submit --address URL -- dub CATALOG --out URI."""
    from jobs.submit import follow as follow_job
    from jobs.submit import submit as submit_job

    if not context.args:
        raise typer.BadParameter("give the command after --, such as: -- dub CATALOG --out DIR")
    with material_errors():
        submission = submit_job(address, context.args)
        words = "started" if submission.started else f"is there already, {submission.status}"
        if not print_json(asdict(submission), as_json):
            print(f"{submission.submission_id} {words}", flush=True)
        if follow:
            raise typer.Exit(follow_job(address, submission.submission_id, sys.stderr.write))


@assets_app.command("list")
def list_assets(as_json: Json = False) -> None:
    """List all assets: what they are, their licence, whether they are here."""
    from jobs.result_table import show
    from pipelines import assets

    facts = ("name", "present", "size_bytes", "licence", "about")
    rows = [{fact: getattr(one, fact) for fact in facts} for one in assets.list_assets()]
    if not print_json(rows, as_json):
        show(f"assets in {assets.cache_folder()}", list(rows[0]), [list(row.values()) for row in rows])


@assets_app.command("fetch")
def fetch_assets(names: Annotated[list[str] | None, typer.Argument(help="None: all but optional.")] = None) -> None:
    """Fetch assets into the cache, verified."""
    from pipelines import assets

    known = [asset.name for asset in assets.list_assets()]
    had = [asset.name for asset in assets.list_assets() if asset.sources and not asset.optional]
    unknown = sorted(set(names or []) - set(known))
    if unknown:
        raise typer.BadParameter(f"unknown: {', '.join(unknown)}; known are {', '.join(known)}")
    failed = False
    for name in names or had:
        try:
            print(assets.asset_path(name))
        except assets.AssetUnavailableError as error:
            failed = True
            print(error, file=sys.stderr)
    raise typer.Exit(FAILED if failed else DONE)


@app.command()
def doctor(
    out: Annotated[Path, typer.Option("--out", help="Where deliveries would go.")] = Path(), as_json: Json = False
) -> None:
    """Say what this machine has and lacks. Exit code 1 when something needed is missing."""
    from jobs.doctor import examine_machine, healthy
    from jobs.result_table import show_findings

    findings = examine_machine(out)
    if not print_json([asdict(finding) for finding in findings], as_json):
        show_findings(findings)
    raise typer.Exit(DONE if healthy(findings) else FAILED)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Any]:
    from jobs.progress import shown_progress

    with shown_progress(quiet=quiet) as display:
        yield display


def _jsonable(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


def main() -> None:
    """Run the command."""
    app()


if __name__ == "__main__":
    main()
