"""The driver: feeds both passes with what storage lacks, and stitches a film when its last shot is in."""

from collections.abc import Iterator, Mapping
from functools import partial

import pyarrow as pa

from pipelines.analysis import Analysis
from pipelines.covered_share import with_hidden
from pipelines.dub import DubConfig, analysis_pass
from pipelines.film_stitches import FilmStitches, failed_film, film_event
from pipelines.live_frames import LiveFrames, live_frames
from pipelines.preparing import prepared_films
from pipelines.progress import Event, Listener
from pipelines.references import UNSEEN, is_whole, keyed, nameless, relocated, scoreless
from pipelines.run_stage import BUILDING, configure_ray_data, finished_rows
from pipelines.stage import Row
from pipelines.stitch import Review
from pipelines.storage import ObjectStore, content_key, read_table
from pipelines.stored_sound import dub_facts
from pipelines.watching import watch_films
from pipelines.waves import painted_in_waves, painted_wave, untouched
from schemas.film import FILM
from schemas.reason import Reason
from schemas.shot import PLANNED_SHOT, TRACKED_SHOT

VERSION = 2
SHOT_VERSION = 3  # raised when a stored shot says more
NAMES = (  # no pixel depends on it: what the dub sounds like is in its digest
    *("film_uri", "dub_uri", "dub_place", "source_language", "me_uri", "cast_uri", "cast_digest", "title"),
    *(
        "me_digest",
        "sound_rate_hz",
        "sound_layout",
        "sound_place",
        "num_sounds",
        "num_gops",
        "whole",
        "colours",
        "notes",
    ),
    *("dub_channel", "sheet_uri", "sheet_digest", "lines_uri", "conform", "me_conform", "script_uri", "script_digest"),
)
JUDGED = ("verdicts", "tracks", *UNSEEN)  # of the plan of this run: no pixel depends on its words and scores
ANALYSIS_FAILED = "the analysis of a shot failed, and again when it was tried anew: see the log above"
DUB_FAILED = "its dub could not be made ready, and again when it was tried anew: see the log above"
ANALYSIS_STAGES, PAINTING_STAGES = ("watch", "shots", "align", "faces"), ("crops", "paint", "composite", "judge")
OF_FILMS = ("watch", "shots")  # a row of these is a film, or a part of one
RETRIED = (Reason.WORKER_DIED, Reason.UNDECODABLE)  # not kept: the next run tries such a shot again


def analyse(films: pa.Table, config: DubConfig, listener: Listener) -> Analysis:
    """The facts of every shot of every film; films that storage knows are not looked at again.

    Dubs that come as cue sheets are made, and mixes and music and effects conformed, first.

    Args:
        films: FILM rows.
        config: how shots, sound and faces are found.
        listener: told of every shot.
    """
    store = ObjectStore(config.store_uri)
    admitted = films.to_pylist()
    placed = prepared_films(admitted, config, listener)
    rows = [film for film in placed if film is not None]
    known = {film["dub_id"]: _stored_analysis(film, config, store) for film in rows}
    for shot in (shot for shots in known.values() for shot in shots or []):
        for stage in ANALYSIS_STAGES:
            _report([{"stage": stage}], shot, listener, cached=True)
    missing = [film for film in rows if known[film["dub_id"]] is None]
    watch_films(missing, config, listener)
    found = known | (_analyse_films(missing, config, store, listener) if missing else {})
    shots = [shot | _names(film) for film in rows for shot in found[film["dub_id"]] or []]
    unplaced = [film for film, row in zip(admitted, placed, strict=True) if row is None]
    lost = [failed_film(film, ANALYSIS_FAILED) for film in rows if not found[film["dub_id"]]]
    lost += [failed_film(film, DUB_FAILED) for film in unplaced]
    for film in lost:
        listener(film_event(film, "faces", message=film["failure"]))
    return Analysis(pa.Table.from_pylist(shots, schema=TRACKED_SHOT), lost)


def paint_and_stitch(
    planned: pa.Table,
    config: DubConfig,
    listener: Listener,
    *,
    code: Mapping[str, str] | None = None,
    review: Review | None = None,
) -> Iterator[Row]:
    """Paint what the plan wants and deliver each film as soon as its last shot is in.

    Args:
        planned: PLANNED_SHOT rows, whole films.
        config: model, sampler and blending.
        listener: told of every shot and film, and of frames in between, also from another thread.
        code: commit and lock digest, for the manifests.
        review: gives what writes a film's report and proxies; asked when its last shot is in.

    Yields:
        DUBBED_FILM rows, one for each film, in the order in which they are done.
    """
    store = ObjectStore(config.store_uri)
    with live_frames(listener) as live:
        films = FilmStitches(planned, config, listener, live, code or {}, review)
        manifest, waiting = [], {}
        for row in planned.to_pylist():
            key = _shot_key(row, config)
            if row["reason"] is not None:
                yield from films.take(untouched(row, row["reason"]))
            elif (done := _stored_shot(key, store)) is not None:
                for stage in PAINTING_STAGES:
                    _report([{"stage": stage}], done, listener, cached=True)
                yield from films.take(_as_planned(done, row))
            else:
                manifest.append(row)
                waiting[row["dub_id"], row["shot_index"]] = key
        if manifest:
            painted = _painted_shots(manifest, waiting, config, store, live)
            yield from (film for row in painted for film in films.take(_reported(row, listener)))
        yield from films.rest()


def _painted_shots(
    manifest: list[Row],
    waiting: dict[tuple[str, int], str],
    config: DubConfig,
    store: ObjectStore,
    live: LiveFrames,
) -> Iterator[Row]:
    """The shots that storage does not hold, painted; one that is lost, or held back, keeps its picture."""
    table = pa.Table.from_pylist(manifest, schema=PLANNED_SHOT)
    store.put_table(content_key("manifest", VERSION, {"shots": sorted(waiting.values())}), table)
    for row in painted_in_waves(manifest, config.gate.max_tries, partial(painted_wave, config, live)):
        if row["reason"] not in RETRIED:
            key = waiting[row["dub_id"], row["shot_index"]]
            store.put_json(key, {name: value for name, value in row.items() if name not in ("timings", *JUDGED)})
        yield row


def _reported(row: Row, listener: Listener) -> Row:
    _report(row.pop("timings"), row, listener)
    return row


def _analyse_films(
    films: list[Row], config: DubConfig, store: ObjectStore, listener: Listener
) -> dict[str, list[Row] | None]:
    """The shots of films that came out whole; None for the others."""
    shots: dict[str, list[Row]] = {film["dub_id"]: [] for film in films}
    with live_frames(listener) as live:
        with BUILDING:
            configure_ray_data()
            found = analysis_pass(pa.Table.from_pylist(films, schema=FILM), config, live)
        for row in finished_rows(found):
            shots[row["dub_id"]].append(_reported(row, listener))
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


def _as_planned(done: Row, row: Row) -> Row:
    """A stored shot with the words of this run's plan, and what was found when it was painted."""
    judged = {name: row[name] for name in JUDGED}
    return done | _names(row) | judged | {"verdicts": with_hidden(row["verdicts"], done["hidden_tracks"])}


def _names(row: Row) -> Row:
    """Names and places of this run."""
    return {name: row[name] for name in NAMES}


def _analysis_key(film: Row, config: DubConfig) -> str:
    facts = {name: value for name, value in film.items() if name not in NAMES}
    facts |= {"script": film["script_digest"]} if film["script_digest"] else {}
    facts |= {"sound_place": film["sound_place"]} if film["sound_place"] else {}
    facts |= dub_facts(film)
    facts |= {"me": film["me_digest"]} if film["me_conform"] else {}  # it is measured as it is heard
    return content_key("analysis", VERSION, {"film": facts, "config": config.analysis_facts})


def _shot_key(row: Row, config: DubConfig) -> str:
    seen = keyed(scoreless(row, config.eligibility))
    facts = {name: value for name, value in seen.items() if name not in NAMES}
    facts |= {"verdicts": nameless(row["verdicts"])} | dub_facts(row)
    return content_key("dubbed-shot", SHOT_VERSION, {"shot": facts, "config": config.painting_facts})


def _report(timings: list[Row], row: Row, listener: Listener, *, cached: bool = False) -> None:
    """An event for each stage that a shot went through; the whole film's frames for the one that cuts it."""
    names = {"title": row["title"], "language": row["language"]}
    for timing in timings:
        stage, facts = timing["stage"], {name: value for name, value in timing.items() if name != "stage"}
        if stage in OF_FILMS and row["shot_index"]:
            continue
        where = None if stage in OF_FILMS else row["shot_index"]
        frames = _num_frames(stage, row)
        listener(Event(stage=stage, shot_index=where, num_frames=frames, cached=cached, **names, **facts))


def _num_frames(stage: str, row: Row) -> int:
    if stage in ("crops", "paint"):
        return sum(track["num_frames"] for track in row["painted"])
    return int(row["num_frames"] if stage in OF_FILMS else row["shot_num_frames"])
