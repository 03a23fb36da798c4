"""Before anything else is done with films, the dubs of some are made ready: takes are placed, sounds conformed."""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
from ray.data import Dataset

from pipelines.conform import conformed_before, shared_sound
from pipelines.dub import DubConfig, conform_pass, takes_pass
from pipelines.live_frames import LiveFrames, live_frames
from pipelines.progress import Event, Listener
from pipelines.run_stage import BUILDING, configure_ray_data, finished_rows
from pipelines.stage import Row
from pipelines.storage import ObjectStore
from pipelines.takes import placed_before
from schemas.film import FILM


@dataclass(frozen=True, slots=True)
class _Preparation:
    """What is done with some dubs.

    Attributes:
        stage: its name.
        wants: whether it is for a film, a row of FILM.
        before: the changed columns of a film of which it is done; None of another.
        run: FILM rows in, FILM rows out.
    """

    stage: str
    wants: Callable[[Row], bool]
    before: Callable[[Row, ObjectStore, DubConfig], Row | None]
    run: Callable[[pa.Table, DubConfig, LiveFrames | None], Dataset]


PREPARATIONS = (
    _Preparation(
        "takes",
        lambda row: row["dub_kind"] == "cue_sheet",
        lambda row, store, config: placed_before(row, store, config.takes),
        takes_pass,
    ),
    _Preparation(
        "conform",
        lambda row: shared_sound(row) is not None,
        lambda row, store, config: conformed_before(row, store, config.conform),
        conform_pass,
    ),
)


def prepared_films(films: list[Row], config: DubConfig, listener: Listener) -> list[Row | None]:
    """The films with their dubs as later stages take them, in the same order; None where that failed.

    Args:
        films: FILM rows.
        config: where dubs are made, a folder of this machine, and how.
        listener: told of every film whose dub is made ready.
    """
    ready: dict[str, Row | None] = {film["dub_id"]: film for film in films}
    store = ObjectStore(config.store_uri)
    for preparation in PREPARATIONS:
        mine = [film for film in ready.values() if film is not None and preparation.wants(film)]
        known = {film["dub_id"]: preparation.before(film, store, config) for film in mine}
        missing = [film for film in mine if known[film["dub_id"]] is None]
        for film in mine:
            facts = known[film["dub_id"]]
            ready[film["dub_id"]] = None if facts is None else film | facts
            if facts is not None:
                listener(_event(preparation.stage, film, 0.0, cached=True))
        ready |= _prepared(preparation, missing, config, listener) if missing else {}
    return [ready[film["dub_id"]] for film in films]


def _prepared(preparation: _Preparation, films: list[Row], config: DubConfig, listener: Listener) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    with live_frames(listener) as live:
        with BUILDING:
            configure_ray_data()
            found = preparation.run(pa.Table.from_pylist(films, schema=FILM), config, live)
        for row in finished_rows(found):
            (timing,) = row.pop("timings")
            listener(_event(preparation.stage, row, timing["seconds"], peak_mib=timing["peak_mib"]))
            rows[row["dub_id"]] = row
    return rows


def _event(stage: str, film: Row, seconds: float, *, cached: bool = False, peak_mib: float = 0.0) -> Event:
    return Event(
        stage=stage,
        title=film["title"],
        language=film["language"],
        num_frames=film["num_frames"],
        seconds=seconds,
        cached=cached,
        peak_mib=peak_mib,
    )
