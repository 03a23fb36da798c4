"""The driver: feeds both passes with what storage lacks, and stitches a film when its last shot is in."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import ray

from pipelines.dub import DubConfig, analysis_pass, painting_pass, plain
from pipelines.placement import PLACEMENTS
from pipelines.plan import plan_table
from pipelines.progress import Event, Listener
from pipelines.run_stage import configure_ray_data, finished_rows
from pipelines.stage import Row
from pipelines.stitch import stitch_film
from pipelines.storage import ObjectStore, content_key, read_table
from schemas.film import FILM
from schemas.reason import Reason
from schemas.shot import COMPOSITED_SHOT, PLANNED_SHOT, TRACKED_SHOT

VERSION = 1
MAX_STITCHES = 2  # films that are stitched at once
NAMES = ("film_uri", "dub_uri", "me_uri", "title")  # where things lie and are called: no pixel depends on it


class AnalysisLostError(RuntimeError):
    """Rows of the analysis pass did not come out: a process died on them, and again when it was tried anew."""


def analyse(films: pa.Table, config: DubConfig, listener: Listener) -> pa.Table:
    """The facts of every shot of every film; films that storage knows are not looked at again.

    Args:
        films: FILM rows.
        config: how shots, sound and faces are found.
        listener: told of every shot.

    Returns:
        TRACKED_SHOT rows in the order of the films and their shots.

    Raises:
        AnalysisLostError: names the films of which shots were lost.
    """
    store = ObjectStore(config.store_uri)
    keys = {film["dub_id"]: _analysis_key(film, config) for film in films.to_pylist()}
    missing = [film for film in films.to_pylist() if not store.has(keys[film["dub_id"]])]
    for film in films.to_pylist():
        if film not in missing:
            listener(_film_event(film, "faces", cached=True))
    if missing:
        _analyse_films(pa.Table.from_pylist(missing, schema=FILM), keys, store, config, listener)
    tables = [_located(read_table(store.uri(keys[film["dub_id"]])), film) for film in films.to_pylist()]
    return pa.concat_tables(tables) if tables else TRACKED_SHOT.empty_table()


def paint_and_stitch(planned: pa.Table, config: DubConfig, listener: Listener) -> Iterator[Row]:
    """Paint what the plan wants and deliver each film as soon as its last shot is in.

    Args:
        planned: PLANNED_SHOT rows, whole films.
        config: model, sampler and blending.
        listener: told of every shot and film.

    Yields:
        DUBBED_FILM rows, one for each film, in the order in which they are done.
    """
    store = ObjectStore(config.store_uri)
    films = _Films(planned, config, listener)
    manifest, waiting = [], {}
    for row in planned.to_pylist():
        key = _shot_key(row, config)
        if row["reason"] is not None:
            yield from films.take(row | _untouched(row["reason"]))
        elif store.has(key):
            listener(_event(row, "composite", cached=True))
            yield from films.take(store.get_json(key) | {name: row[name] for name in NAMES})
        else:
            manifest.append(row)
            waiting[row["dub_id"], row["shot_index"]] = key
    if manifest:
        table = pa.Table.from_pylist(manifest, schema=PLANNED_SHOT)
        store.put_table(content_key("manifest", VERSION, {"shots": sorted(waiting.values())}), table)
        configure_ray_data(len(manifest))
        for row in finished_rows(painting_pass(table, config), len(manifest), PLACEMENTS["stitch"].cpus):
            _report(row.pop("timings"), row, listener)
            store.put_json(waiting.pop((row["dub_id"], row["shot_index"])), row)
            yield from films.take(row)
        for row in manifest:
            if (row["dub_id"], row["shot_index"]) in waiting:
                yield from films.take(row | _untouched(Reason.WORKER_DIED))
    yield from films.rest()


class _Films:
    """Counts shots, starts stitches, and gives back what is delivered."""

    def __init__(self, planned: pa.Table, config: DubConfig, listener: Listener) -> None:
        self._planned, self._config, self._listener = planned, config, listener
        self._shots: dict[str, list[Row]] = defaultdict(list)
        self._stitching: dict[ray.ObjectRef[Any], tuple[Row, float]] = {}
        self._stitch = ray.remote(num_cpus=PLACEMENTS["stitch"].cpus, max_retries=2)(stitch_film)

    def take(self, row: Row) -> Iterator[Row]:
        """One finished shot."""
        shots = self._shots[row["dub_id"]]
        shots.append(row)
        if len(shots) == row["num_shots"]:
            self._start(sorted(self._shots.pop(row["dub_id"]), key=lambda shot: int(shot["shot_index"])))
        yield from self._collect(block=len(self._stitching) > MAX_STITCHES)

    def rest(self) -> Iterator[Row]:
        """The films whose stitch is still running."""
        assert not self._shots, f"films with missing shots: {sorted(self._shots)}"
        while self._stitching:
            yield from self._collect(block=True)

    def _start(self, shots: list[Row]) -> None:
        film = {name: shots[0][name] for name in FILM.names}
        plan = plan_table(self._planned.filter(pa.compute.equal(self._planned["dub_id"], film["dub_id"])))
        extra = {"plan.parquet": _parquet(plan), "shots.parquet": _parquet(_composited(shots))}
        facts = {"model": self._config.model_digest} | self._config.painting_facts
        facts |= {"analysis": self._config.analysis_facts, "eligibility": plain(self._config.eligibility)}
        task = self._stitch.remote(film, shots, self._config.out_dir, facts=facts, extra_files=extra)
        self._stitching[task] = (film, time.monotonic())

    def _collect(self, *, block: bool) -> Iterator[Row]:
        if not self._stitching:
            return
        done, _ = ray.wait(list(self._stitching), num_returns=1, timeout=None if block else 0)
        for task in done:
            film, begin = self._stitching.pop(task)
            delivered: Row = ray.get(task)
            seconds = time.monotonic() - begin
            self._listener(_film_event(film, "stitch", seconds=seconds))
            yield delivered


def _analyse_films(
    films: pa.Table, keys: dict[str, str], store: ObjectStore, config: DubConfig, listener: Listener
) -> None:
    configure_ray_data(films.num_rows)
    shots: dict[str, list[Row]] = defaultdict(list)
    for row in finished_rows(analysis_pass(films, config), films.num_rows, 0):
        _report(row.pop("timings"), row, listener)
        found = shots[row["dub_id"]]
        found.append(row)
        if len(found) == row["num_shots"]:
            rows = sorted(shots.pop(row["dub_id"]), key=lambda shot: int(shot["shot_index"]))
            store.put_table(keys[row["dub_id"]], pa.Table.from_pylist(rows, schema=TRACKED_SHOT))
    lost = [film["title"] for film in films.to_pylist() if not store.has(keys[film["dub_id"]])]
    if lost:
        raise AnalysisLostError(
            f"shots of {', '.join(lost)} were lost: a process ended while it looked at them; "
            "start the same command again to try once more, or take the film out of the catalog"
        )


def _located(shots: pa.Table, film: Row) -> pa.Table:
    """Stored facts with the names and places of this run."""
    rows = [row | {name: film[name] for name in NAMES} for row in shots.to_pylist()]
    return pa.Table.from_pylist(rows, schema=TRACKED_SHOT)


def _analysis_key(film: Row, config: DubConfig) -> str:
    facts = {name: value for name, value in film.items() if name not in NAMES}
    return content_key("analysis", VERSION, {"film": facts, "config": config.analysis_facts})


def _shot_key(row: Row, config: DubConfig) -> str:
    facts = {name: value for name, value in row.items() if name not in NAMES}
    return content_key("dubbed-shot", VERSION, {"shot": facts, "config": config.painting_facts})


def _untouched(reason: str) -> Row:
    """The columns of a shot that keeps its original picture."""
    added = [name for name in COMPOSITED_SHOT.names if name not in PLANNED_SHOT.names]
    empty: Callable[[str], Any] = {"painted": [], "num_frames_changed": 0}.get
    return {"reason": reason} | {name: empty(name) for name in added}


def _composited(shots: list[Row]) -> pa.Table:
    return pa.Table.from_pylist(shots, schema=COMPOSITED_SHOT)


def _parquet(table: pa.Table) -> bytes:
    sink = BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _report(timings: list[Row], row: Row, listener: Listener) -> None:
    for timing in timings:
        listener(_event(row, timing["stage"], seconds=timing["seconds"], peak_mib=timing["peak_mib"]))


def _event(row: Row, stage: str, **facts: Any) -> Event:
    frames = sum(track["num_frames"] for track in row["painted"]) if stage == "paint" else row["shot_num_frames"]
    names = {"title": row["title"], "language": row["language"], "shot_index": row["shot_index"]}
    return Event(stage=stage, num_frames=frames, **names, **facts)


def _film_event(film: Row, stage: str, **facts: Any) -> Event:
    return Event(stage=stage, title=film["title"], language=film["language"], num_frames=film["num_frames"], **facts)
