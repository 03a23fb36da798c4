"""The driver: feeds both passes with what storage lacks, and stitches a film when its last shot is in."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import ray
from ray.exceptions import RayError

from pipelines.dub import DubConfig, analysis_pass, painting_pass, plain
from pipelines.placement import PLACEMENTS
from pipelines.plan import plan_table
from pipelines.progress import Event, Listener
from pipelines.references import is_whole, keyed, relocated
from pipelines.run_stage import configure_ray_data, finished_rows
from pipelines.stage import Row
from pipelines.stitch import is_delivered, stitch_film
from pipelines.storage import ObjectStore, content_key, read_table
from schemas.film import FILM
from schemas.reason import Reason
from schemas.shot import COMPOSITED_SHOT, PLANNED_SHOT, TRACKED_SHOT

VERSION = 2
MAX_STITCHES = 2  # films that are stitched at once
NAMES = ("film_uri", "dub_uri", "me_uri", "title")  # where things lie and are called: no pixel depends on it
ANALYSIS_FAILED = "the analysis of a shot failed, and again when it was tried anew: see the log above"
RETRIED = (Reason.WORKER_DIED, Reason.UNDECODABLE)  # not kept: the next run tries such a shot again


@dataclass(frozen=True, slots=True)
class Analysis:
    """The facts of all shots, and the films of which shots were lost.

    Attributes:
        shots: TRACKED_SHOT rows in the order of the films and their shots.
        lost: DUBBED_FILM rows with their `failure`: a stage failed on a shot, and again when it was tried anew.
    """

    shots: pa.Table
    lost: list[Row]


def analyse(films: pa.Table, config: DubConfig, listener: Listener) -> Analysis:
    """The facts of every shot of every film; films that storage knows are not looked at again.

    Args:
        films: FILM rows.
        config: how shots, sound and faces are found.
        listener: told of every shot.
    """
    store = ObjectStore(config.store_uri)
    rows = films.to_pylist()
    known = {film["dub_id"]: _stored_analysis(film, config, store) for film in rows}
    for film in rows:
        if known[film["dub_id"]] is not None:
            listener(_film_event(film, "faces", cached=True))
    missing = [film for film in rows if known[film["dub_id"]] is None]
    found = known | (_analyse_films(missing, config, store, listener) if missing else {})
    shots = [shot | _names(film) for film in rows for shot in found[film["dub_id"]] or []]
    lost = [_failed(film, ANALYSIS_FAILED) for film in rows if not found[film["dub_id"]]]
    for film in lost:
        listener(_film_event(film, "faces", message=ANALYSIS_FAILED))
    return Analysis(pa.Table.from_pylist(shots, schema=TRACKED_SHOT), lost)


def paint_and_stitch(
    planned: pa.Table, config: DubConfig, listener: Listener, *, code: Mapping[str, str] | None = None
) -> Iterator[Row]:
    """Paint what the plan wants and deliver each film as soon as its last shot is in.

    Args:
        planned: PLANNED_SHOT rows, whole films.
        config: model, sampler and blending.
        listener: told of every shot and film.
        code: commit and lock digest, for the manifests.

    Yields:
        DUBBED_FILM rows, one for each film, in the order in which they are done.
    """
    store = ObjectStore(config.store_uri)
    films = _Films(planned, config, listener, dict(code or {}))
    manifest, waiting = [], {}
    for row in planned.to_pylist():
        key = _shot_key(row, config)
        if row["reason"] is not None:
            yield from films.take(row | _untouched(row["reason"]))
        elif (done := _stored_shot(key, store)) is not None:
            listener(_event(row, "composite", cached=True))
            yield from films.take(done | _names(row))
        else:
            manifest.append(row)
            waiting[row["dub_id"], row["shot_index"]] = key
    if manifest:
        yield from _paint_shots(manifest, waiting, config, store, films, listener)
    yield from films.rest()


def _paint_shots(
    manifest: list[Row],
    waiting: dict[tuple[str, int], str],
    config: DubConfig,
    store: ObjectStore,
    films: "_Films",
    listener: Listener,
) -> Iterator[Row]:
    """The painting pass over the shots that storage does not hold; a shot that is lost keeps its picture."""
    table = pa.Table.from_pylist(manifest, schema=PLANNED_SHOT)
    store.put_table(content_key("manifest", VERSION, {"shots": sorted(waiting.values())}), table)
    configure_ray_data(MAX_STITCHES * PLACEMENTS["stitch"].cpus)
    for row in finished_rows(painting_pass(table, config)):
        _report(row.pop("timings"), row, listener)
        key = waiting.pop((row["dub_id"], row["shot_index"]))
        if row["reason"] not in RETRIED:
            store.put_json(key, row)
        yield from films.take(row)
    for row in manifest:
        if (row["dub_id"], row["shot_index"]) in waiting:
            yield from films.take(row | _untouched(Reason.WORKER_DIED))


class _Films:
    """Counts shots, starts stitches, and gives back what is delivered."""

    def __init__(self, planned: pa.Table, config: DubConfig, listener: Listener, code: dict[str, str]) -> None:
        self._planned, self._config, self._listener, self._code = planned, config, listener, code
        self._shots: dict[str, list[Row]] = defaultdict(list)
        self._stitching: dict[ray.ObjectRef[Any], tuple[Row, float]] = {}
        self._stitch = ray.remote(num_cpus=PLACEMENTS["stitch"].cpus, max_retries=2)(_stitched)

    def take(self, row: Row) -> Iterator[Row]:
        """One finished shot."""
        shots = self._shots[row["dub_id"]]
        shots.append(row)
        if len(shots) == row["num_shots"]:
            self._start(sorted(self._shots.pop(row["dub_id"]), key=lambda shot: int(shot["shot_index"])))
        yield from self._collect(block=len(self._stitching) >= MAX_STITCHES)

    def rest(self) -> Iterator[Row]:
        """The films whose stitch is still running."""
        assert not self._shots, f"films with missing shots: {sorted(self._shots)}"
        while self._stitching:
            yield from self._collect(block=True)

    def _start(self, shots: list[Row]) -> None:
        film = {name: shots[0][name] for name in FILM.names}
        mine = self._planned.filter(pa.compute.equal(self._planned["dub_id"], film["dub_id"]))
        plan = plan_table(mine, self._config.eligibility)
        extra = {"plan.parquet": _parquet(plan), "shots.parquet": _parquet(_composited(shots))}
        facts = {"model": self._config.model_digest} | self._config.painting_facts
        facts |= {"analysis": self._config.analysis_facts, "eligibility": plain(self._config.eligibility)}
        task = self._stitch.remote(film, shots, self._config.out_dir, facts=facts, extra_files=extra, code=self._code)
        self._stitching[task] = (film, time.monotonic())

    def _collect(self, *, block: bool) -> Iterator[Row]:
        if not self._stitching:
            return
        done, _ = ray.wait(list(self._stitching), num_returns=1, timeout=None if block else 0)
        for task in done:
            film, begin = self._stitching.pop(task)
            delivered, found = _delivered(task, film)
            seconds = time.monotonic() - begin
            self._listener(_film_event(film, "stitch", seconds=seconds, cached=found))
            yield delivered


def _stitched(film: Row, shots: list[Row], out_dir: str, facts: Row, extra_files: Row, code: Row) -> tuple[Row, bool]:
    """Runs on a worker: the film's row of DUBBED_FILM, and whether it was delivered before."""
    found = is_delivered(film, shots, out_dir, facts=facts)
    return stitch_film(film, shots, out_dir, facts=facts, extra_files=extra_files, code=code), found


def _delivered(task: "ray.ObjectRef[Any]", film: Row) -> tuple[Row, bool]:
    """What a stitch gave; a film whose stitch failed has a row that says so, and the others go on."""
    try:
        delivered: tuple[Row, bool] = ray.get(task)
    except RayError as error:
        return _failed(film, f"stitching failed: {str(error).strip().splitlines()[-1]}"), False
    return delivered


def _failed(film: Row, failure: str) -> Row:
    nothing = {"delivered_uri": None, "num_shots": 0, "num_shots_dubbed": 0, "num_frames_changed": 0}
    return film | nothing | {"failure": failure}


def _analyse_films(
    films: list[Row], config: DubConfig, store: ObjectStore, listener: Listener
) -> dict[str, list[Row] | None]:
    """The shots of films that came out whole; None for the others."""
    configure_ray_data()
    shots: dict[str, list[Row]] = {film["dub_id"]: [] for film in films}
    for row in finished_rows(analysis_pass(pa.Table.from_pylist(films, schema=FILM), config)):
        _report(row.pop("timings"), row, listener)
        shots[row["dub_id"]].append(row)
    whole: dict[str, list[Row] | None] = {}
    for film in films:
        rows = sorted(shots[film["dub_id"]], key=lambda shot: int(shot["shot_index"]))
        complete = bool(rows) and len(rows) == rows[0]["num_shots"]
        whole[film["dub_id"]] = rows if complete else None
        if complete and not any(row["picture_lost"] for row in rows):
            store.put_table(_analysis_key(film, config), pa.Table.from_pylist(rows, schema=TRACKED_SHOT))
    return whole


def _stored_analysis(film: Row, config: DubConfig, store: ObjectStore) -> list[Row] | None:
    key = _analysis_key(film, config)
    if not store.has(key):
        return None
    shots = read_table(store.uri(key)).to_pylist()
    return [relocated(row, store) for row in shots] if all(is_whole(row, store) for row in shots) else None


def _stored_shot(key: str, store: ObjectStore) -> Row | None:
    if not store.has(key):
        return None
    row: Row = store.get_json(key)
    return relocated(row, store) if is_whole(row, store) else None


def _names(row: Row) -> Row:
    """Names and places of this run."""
    return {name: row[name] for name in NAMES}


def _analysis_key(film: Row, config: DubConfig) -> str:
    facts = {name: value for name, value in film.items() if name not in NAMES}
    return content_key("analysis", VERSION, {"film": facts, "config": config.analysis_facts})


def _shot_key(row: Row, config: DubConfig) -> str:
    facts = {name: value for name, value in keyed(row).items() if name not in NAMES}
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
