"""From films to planned shots: the analysis pass, verdicts, and what a person changed of them."""

import time
from collections import Counter
from dataclasses import dataclass
from itertools import groupby

import pyarrow as pa
import pyarrow.compute

from jobs.dub_notices import dub_notices
from jobs.passes import DubPipeline
from jobs.progress import Display
from pipelines.progress import Event, Listener
from pipelines.stage import Row
from schemas.film import FILM
from schemas.reason import Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedFilms:
    """What is to be done with films."""

    shots: pa.Table  # PLANNED_SHOT
    lost: list[Row]  # DUBBED_FILM with their failure: analysed without an answer, so they have no shots here
    notices: list[str]  # flaws of dubs, and what was left out of an edited plan, in words


def expect_analysis(display: Display, films: pa.Table) -> None:
    """Say how much the analysis will come to."""
    frames = int(pa.compute.sum(films["num_frames"]).as_py() or 0)
    for stage in ("watch", "shots", "align", "faces"):
        display.expect(stage, films.num_rows if stage == "shots" else 0, frames)


def plan_films(
    pipeline: DubPipeline,
    films: pa.Table,
    listener: Listener,
    edited: pa.Table | None = None,
    *,
    skipping: bool = False,
) -> PlannedFilms:
    """Analyse films and plan their shots.

    Args:
        pipeline: what analyses and plans.
        films: FILM.
        listener: told of every shot that is analysed and every film that is planned.
        edited: PLAN rows whose verdicts are to be followed.
        skipping: rows of the catalog were skipped, so the edited plan may know films that are not here.

    Raises:
        PlanUnreadableError: the edited plan does not fit.
    """
    analysis = pipeline.analyse(films, listener)
    begin = time.monotonic()
    gone = {film["dub_id"] for film in analysis.lost}
    here = [film for film in films.to_pylist() if film["dub_id"] not in gone]
    planned = pipeline.plan(analysis.shots)
    notices = _flaws(analysis.shots)
    if edited is not None:
        kept, ignored = _sorted_out(edited, here, analysis.lost, skipping=skipping)
        notices += ignored
        planned = pipeline.edit(planned, kept)
        notices += [*pipeline.shared_lines(planned), *_unpainted(pipeline.plan_table(planned))]
    for film in here:
        names = {"title": film["title"], "language": film["language"]}
        seconds = (time.monotonic() - begin) / len(here)
        listener(Event(stage="plan", num_frames=film["num_frames"], seconds=seconds, **names))
    return PlannedFilms(shots=planned, lost=analysis.lost, notices=notices)


def _unpainted(plan: pa.Table) -> list[str]:
    """Faces that a person wants painted, and of which nothing is."""
    return [
        f"{_name(row)}: shot {row['shot_index']} at {row['start']}: {row['verdict']} of face {row['track_index']} "
        f"changes no picture: {row['measured']}"
        for row in plan.to_pylist()
        if row["verdict"] != Verdict.LEAVE and not row["frames_to_paint"]
    ]


def _flaws(shots: pa.Table) -> list[str]:
    """What a person must know of films' dubs."""
    rows = shots.select([*FILM.names, "sounds_uri", "dub_lines"]).to_pylist()
    films = groupby(sorted(rows, key=_name), key=_name)
    return [f"{name}: {notice}" for name, own in films for notice in dub_notices(list(own))]


def _name(row: Row) -> str:
    return f"{row['title']} {row['language']}"


def _sorted_out(edited: pa.Table, here: list[Row], lost: list[Row], *, skipping: bool) -> tuple[pa.Table, list[str]]:
    """The edited rows without those of films that are skipped or lost, and words about these.

    Rows that name a film that is here stay, also under a dub_id that has changed since: they are to be refused
    loudly, as a person's decisions would be lost.
    """
    gone = {film["dub_id"] for film in lost}
    dubs = {film["dub_id"] for film in here}
    names = {(film["title"], film["language"]) for film in here}
    kept: list[Row] = []
    left: list[Row] = []
    for row in edited.to_pylist():
        concerns = row["dub_id"] in dubs or (row["title"], row["language"]) in names
        ignored = row["dub_id"] in gone or (skipping and not concerns)
        (left if ignored else kept).append(row)
    return pa.Table.from_pylist(kept, schema=edited.schema), _words(left)


def _words(rows: list[Row]) -> list[str]:
    counts = Counter(
        f"{row['title']} {row['language']}" if row["title"] else f"dub {str(row['dub_id'])[:12]}" for row in rows
    )
    remark = "row(s) of the edited plan are ignored: this film is not planned here"
    return [f"{name}: {count} {remark}" for name, count in counts.items()]
