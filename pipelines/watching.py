"""Before films are cut into shots they are watched: parts of all films side by side, once for all languages."""

from typing import Any

import pyarrow as pa
from ray.data.exceptions import ExecutionTimeoutError
from ray.exceptions import RayError

from pipelines.dub import DubConfig, watch_pass
from pipelines.film_parts import part_of, part_rows
from pipelines.live_frames import live_frames
from pipelines.progress import Event, Listener
from pipelines.run_stage import BUILDING, configure_ray_data, finished_rows
from pipelines.shots import shots_key
from pipelines.stage import Row
from pipelines.storage import ObjectStore
from pipelines.watch import is_watchable, watched_key
from schemas.film_part import FILM_PART


def watch_films(films: list[Row], config: DubConfig, listener: Listener) -> None:
    """Watch the parts that nobody watched yet. A part that fails is missing, and later stages look for themselves.

    Args:
        films: FILM rows.
        config: how cuts and faces are found.
        listener: told of every part.
    """
    store = ObjectStore(config.store_uri)
    firsts = {film["film_id"]: film for film in reversed(films)}
    for film_id in list(firsts):
        if not is_watchable(config.shots) or store.has(shots_key(film_id, config.shots)):
            del firsts[film_id]  # its cuts are known at the end only, or known: faces are found shot by shot
    for film in films:
        if film is not firsts.get(film["film_id"]):
            listener(_event(film, film["num_frames"], cached=True))
    due = [part for film in firsts.values() for part in _due(film, config, listener)]
    try:
        _watch(due, config, listener)
    except (RayError, ExecutionTimeoutError) as error:
        for film in firsts.values():
            listener(
                _event(film, 0, partial=True, message=f"is looked at shot by shot, for watching it failed: {error}")
            )


def _due(film: Row, config: DubConfig, listener: Listener) -> list[Row]:
    """The parts of a film that were not watched."""
    store, due = ObjectStore(config.store_uri), []
    for part in part_rows(film):
        key = watched_key(film["film_id"], part_of(part), config.shots, config.faces)
        if store.has(key):
            listener(_event(part, store.get_json(key)["num_frames"], cached=True))
        else:
            due.append(part)
    return due


def _watch(parts: list[Row], config: DubConfig, listener: Listener) -> None:
    if not parts:
        return
    with live_frames(listener) as live:
        with BUILDING:
            configure_ray_data()
            watched = watch_pass(pa.Table.from_pylist(parts, schema=FILM_PART), config, live)
        for row in finished_rows(watched):
            (timing,) = row["timings"]
            facts = {name: value for name, value in timing.items() if name != "stage"}
            listener(_event(row, row["num_frames_watched"], **facts))


def _event(row: Row, num_frames: int, **facts: Any) -> Event:
    """Of a film, or of a part of it."""
    names = {"title": row["title"], "language": row["language"], "shot_index": row.get("part_index")}
    return Event(stage="watch", num_frames=num_frames, **names, **facts)
