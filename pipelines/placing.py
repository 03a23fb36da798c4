"""Films whose dub comes as a cue sheet get a stem before anything else is done with them."""

import pyarrow as pa

from pipelines.dub import DubConfig, takes_pass
from pipelines.live_frames import live_frames
from pipelines.progress import Event, Listener
from pipelines.run_stage import BUILDING, configure_ray_data, finished_rows
from pipelines.stage import Row
from pipelines.storage import ObjectStore
from pipelines.takes import placed_before
from schemas.film import FILM


def placed_films(films: list[Row], config: DubConfig, listener: Listener) -> list[Row | None]:
    """The films with their dubs as stems, in the same order; None where takes could not be placed.

    Args:
        films: FILM rows.
        config: where stems lie, a folder of this machine where there are cue sheets, and how takes are fitted.
        listener: told of every film whose takes are placed.
    """
    store = ObjectStore(config.store_uri)
    sheets = {film["dub_id"]: film for film in films if film["sheet_uri"]}
    placed = {dub_id: placed_before(film, store, config.takes) for dub_id, film in sheets.items()}
    for dub_id, film in sheets.items():
        if placed[dub_id] is not None:
            listener(_event(film, 0.0, cached=True))
    missing = [film for dub_id, film in sheets.items() if placed[dub_id] is None]
    rows = {dub_id: None if facts is None else sheets[dub_id] | facts for dub_id, facts in placed.items()}
    if missing:
        rows |= {row["dub_id"]: row for row in _placed(missing, config, listener)}
    return [rows[film["dub_id"]] if film["dub_id"] in sheets else film for film in films]


def _placed(films: list[Row], config: DubConfig, listener: Listener) -> list[Row]:
    rows: list[Row] = []
    with live_frames(listener) as live:
        with BUILDING:
            configure_ray_data()
            found = takes_pass(pa.Table.from_pylist(films, schema=FILM), config, live)
        for row in finished_rows(found):
            (timing,) = row.pop("timings")
            listener(_event(row, timing["seconds"], peak_mib=timing["peak_mib"]))
            rows.append(row)
    return rows


def _event(film: Row, seconds: float, **facts: object) -> Event:
    names = {"title": film["title"], "language": film["language"], "num_frames": film["num_frames"]}
    return Event(stage="takes", seconds=seconds, **names, **facts)  # type: ignore[arg-type]
