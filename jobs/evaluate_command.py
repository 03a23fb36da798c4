"""`diff2lip evaluate`: what a model is worth on a list of pairs, beside the paper's figures."""

from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.command import Json, material_errors, print_json

if TYPE_CHECKING:
    from pipelines.stage import Row


class Mode(StrEnum):
    """What the model is given of the picture; spelled out here so that --help loads nothing heavy."""

    CROSS = "cross"
    RECONSTRUCTION = "reconstruction"


def evaluate(
    model: Annotated[str, typer.Option("--model", metavar="REF", help="A .safetensors path, or bundled:small.")],
    pairs: Annotated[Path, typer.Option("--pairs", metavar="FILELIST", help="One pair a line: `audio video`.")],
    root: Annotated[Path, typer.Option("--root", exists=True, file_okay=False, help="Folder of the clips.")],
    mode: Annotated[Mode, typer.Option("--mode", help="Each frame painted, or the first one brought to life.")] = (
        Mode.CROSS
    ),
    out: Annotated[Path, typer.Option("--out", help="Folder of the figures.")] = Path("evaluation"),
    judge: Annotated[
        Path | None,
        typer.Option("--judge", metavar="FILE", exists=True, dir_okay=False, help="An imported syncnet_v2."),
    ] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one.")] = None,
    tracking_uri: Annotated[str | None, typer.Option("--tracking-uri", metavar="URI", help="Of MLflow.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    as_json: Json = False,
) -> None:
    """Measure a model on a list of pairs, by the published data path. The same command again continues.

    Each pair becomes a row of OUT/pairs.parquet: its figures, or why there are none. Exit code 1 when a pair has none.
    """
    from jobs.evaluate import EvaluationRequest, run_evaluation
    from jobs.progress import shown_progress
    from jobs.result_table import show_notices
    from pipelines.published_path import Mode as PathMode

    request = EvaluationRequest(
        pairs=pairs,
        root=root,
        out=out,
        model=model,
        mode=PathMode(mode.value),
        judge=judge,
        settings=tuple(settings or ()),
        tracking_uri=tracking_uri,
    )
    with material_errors(), shown_progress(quiet=quiet) as display:
        outcome = run_evaluation(request, display)
    if not print_json(asdict(outcome), as_json):
        _show(outcome.summary, mode.value)
        print(f"{', '.join(outcome.files)}; MLflow run {outcome.run_id} in {outcome.tracking_uri}")
    show_notices(outcome.notices)
    raise typer.Exit(outcome.exit_code)


def _show(summary: "Sequence[Row]", mode: str) -> None:
    from jobs.result_table import show

    heads = ["measure", "better", "here", "pairs", "VoxCeleb2, paper", "LRW, paper", "why not measured"]
    names = ("measure", "better", "value", "num_pairs", "paper_voxceleb2", "paper_lrw", "not_measured")
    show(f"{mode}, beside Diff2Lip in Table 2", heads, [[_words(line[name]) for name in names] for line in summary])


def _words(value: object) -> object:
    """Three decimals: perceptual distances are small."""
    return f"{value:.3f}" if isinstance(value, float) else value
