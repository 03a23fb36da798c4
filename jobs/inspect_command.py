"""`diff2lip inspect`: what a film is made of."""

from pathlib import Path
from typing import Annotated

import typer

from jobs.command import Json, Settings, Work, material_errors, print_json


def inspect(
    film: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    work: Work = None,
    settings: Settings = None,
    timeline: Annotated[
        Path | None,
        typer.Option("--timeline", metavar="FILE.png", dir_okay=False, help="Draw shots, speech, faces and verdicts."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what a film is made of: streams, shots, face tracks, who speaks, what could be dubbed."""
    from jobs.inspect_job import InspectConfig, inspect_film
    from jobs.overrides import override
    from jobs.result_table import show_inspection
    from jobs.timeline import film_timeline
    from jobs.work_folder import work_uri
    from pipelines.assets import cache_folder
    from pipelines.storage import write_whole

    with material_errors():
        config = override(InspectConfig(), settings or [])
        inspection = inspect_film(film, work_uri(work or str(cache_folder() / "work"), ""), config=config)
    if timeline:
        timeline.parent.mkdir(parents=True, exist_ok=True)
        write_whole(timeline, film_timeline(inspection.planned))
    if not print_json(inspection.as_json(), as_json):
        show_inspection(inspection)
