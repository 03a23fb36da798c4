"""`diff2lip voxceleb2`: a raw VoxCeleb2 tree becomes a training set. Parses, calls, prints."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cluster import prepare_ray
from jobs.command import Json, material_errors, print_json

if TYPE_CHECKING:
    from jobs.voxceleb2 import VoxOutcome


class Crop(StrEnum):
    """How pictures are cut; spelled out here so that --help loads nothing heavy."""

    TRACKED = "tracked"
    PUBLISHED = "published"


def voxceleb2(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="The tree: ROOT/dev/mp4/id00012/VIDEO/00001.mp4.")],
    out: Annotated[str, typer.Option("--out", metavar="URI", help="Where the training set goes: a folder or a URI.")],
    select: Annotated[
        str, typer.Option("--select", metavar="first|all|LISTFILE", help="First clip of each video, all, or a list.")
    ] = "first",
    judge: Annotated[
        Path | None,
        typer.Option("--judge", metavar="FILE", exists=True, dir_okay=False, help="An imported syncnet_v2."),
    ] = None,
    crop: Annotated[
        Crop, typer.Option("--crop", help="After the face, with margin, or the fixed box.")
    ] = Crop.TRACKED,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one.")] = None,
    work: Annotated[str | None, typer.Option("--work", metavar="URI", help="Where shards are kept.")] = None,
    address: Annotated[
        str | None, typer.Option("--address", metavar="RAY", help="Of a Ray cluster; none: here.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    as_json: Json = False,
) -> None:
    """Cut VoxCeleb2 into a training set. The same command again continues, or finds all done.

    Each clip becomes a row of OUT/clips.parquet: what was measured of it, or why it gives nothing. Exit code 1 when no
    clip gives anything.
    """
    prepare_ray(address)
    from jobs.progress import shown_progress
    from jobs.result_table import show_notices
    from jobs.voxceleb2 import VoxRequest, run_voxceleb2
    from pipelines.training_window import TrainingCrop

    request = VoxRequest(
        root=root,
        out=out,
        select=select,
        judge=judge,
        crop=TrainingCrop(crop.value),
        settings=tuple(settings or ()),
        work=work,
        address=address,
    )
    with material_errors(), shown_progress(quiet=quiet) as display:
        outcome = run_voxceleb2(request, display)
    if not print_json(asdict(outcome), as_json):
        _show(outcome)
    show_notices(outcome.notices)
    raise typer.Exit(outcome.exit_code)


def _show(outcome: "VoxOutcome") -> None:
    from jobs.result_table import show

    counts = outcome.counts
    plain = [(name, counts[name]) for name in ("selected", "ok", "failed", "num_frames", "hours", "num_identities")]
    reasons = [(f"failed: {reason}", count) for reason, count in counts["by_reason"].items()]
    filtered = [(f"thresholds: {reason}", count) for reason, count in counts["by_filter_reason"].items()]
    show("clips", ["", "number"], [*plain, *reasons, *filtered])
    print(f"{', '.join(outcome.files)}; sha256 {outcome.digest}")
