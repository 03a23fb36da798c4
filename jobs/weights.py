"""`diff2lip weights`: published weights become checkpoints of ours."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from diff2lip.config import Precision
from jobs.command import Json, material_errors, print_json

weights_app = typer.Typer(help="Weights: published ones become checkpoints.", no_args_is_help=True)


@weights_app.command("import")
def import_weights(
    published: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A .pt, .pth or .model file.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.safetensors", help="The checkpoint to write.")],
    dtype: Annotated[Precision, typer.Option("--dtype", help="What convolutions are kept in.")] = Precision.FP32,
    as_json: Json = False,
) -> None:
    """Import published weights: Diff2Lip's denoiser, Wav2Lip's lip-sync expert or SyncNet v2.

    The file says by its tensors which of them it is. Nothing in it is run.
    """
    if out.suffix != ".safetensors":
        raise typer.BadParameter(f"{out} does not end in .safetensors", param_hint="--out")
    if not out.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {out.parent}", param_hint="--out")
    from diff2lip.precision import DTYPES
    from diff2lip.published import import_published

    with material_errors():
        imported = import_published(published, out, DTYPES[dtype])
    if not print_json(asdict(imported) | {"out": str(out)}, as_json):
        print(f"{out}: {imported.kind}, {imported.num_tensors} tensors, {imported.num_parameters:,} parameters")
        print(f"sha256 {imported.digest}")
