"""`diff2lip lineage`: what made a run, a model or a film, and what it made. Parses, calls, prints."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from jobs.command import DONE, Json, material_errors, print_json


def lineage(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="RUN|MODEL|SHOT",
            help="A run's id, models:/NAME@ALIAS, a delivered film OUT/title/es, or OUT/title/es#3.",
        ),
    ],
    tracking_uri: Annotated[
        str | None, typer.Option("--tracking-uri", metavar="URI", help="Of MLflow; none: of --out.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder whose store is asked.")] = Path("out/training"),
    as_json: Json = False,
) -> None:
    """Say what made a run, a registered model, a delivered film or one of its shots, and what it made."""
    from jobs.ancestry import trace
    from jobs.lineage import default_tracking_uri
    from jobs.result_table import show

    with material_errors():
        found = trace(tracking_uri or default_tracking_uri(out), subject)
    if not print_json(asdict(found), as_json):
        show(found.subject, ["made by", ""], [[name, value] for name, value in found.facts.items()])
        for words, models in found.models.items():
            print(f"{words}: {models}")
        for line in found.made:
            print(f"made: {line}")
    raise typer.Exit(DONE)
