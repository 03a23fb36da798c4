"""What a catalog lets in: FILM rows of the good rows, and every problem of the others, before anything runs."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from jobs.catalog import DUB_KINDS, CatalogProblem, CatalogReading, CatalogRow, DoubtfulRow, examine_catalog
from pipelines.admit import AdmitRequest, Admitted, Refused, admit_films
from pipelines.cast_list import CastListError, cast_list
from pipelines.cue_cells import CueSheetError
from pipelines.cue_sheet import script_lines
from pipelines.known_films import KnownFilms
from pipelines.progress import Event, Listener, silent
from pipelines.stage import Row
from pipelines.storage import is_local
from schemas.film import FILM
from schemas.reason import Refusal


@dataclass(frozen=True, kw_only=True, slots=True)
class Intake:
    """What a catalog lets in."""

    films: pa.Table  # FILM
    problems: list[CatalogProblem]
    known: KnownFilms  # keeps what was found out, once it is decided that the job goes on


def take_in(catalog: Path, listener: Listener = silent, store_uri: str | None = None) -> Intake:
    """Read a catalog and look at every file that it names, also of rows that are wrong in another cell.

    Args:
        catalog: CSV, JSON Lines or Parquet.
        listener: told of every film that is admitted.
        store_uri: where facts of films that were admitted before are found; nothing is written there.

    Raises:
        CatalogUnreadableError: there is no such catalog, or it is none.
    """
    reading = examine_catalog(catalog)
    known = KnownFilms(store_uri)
    films: list[Row] = []
    problems = list(reading.problems)
    for admitted in admit_films([_request(row) for row in reading.rows], known):
        problems += [_problem(one) for one in admitted.refused]
        if admitted.film:
            films.append(admitted.film)
            listener(_event(admitted.film, admitted))
    problems += _doubts(reading)
    places = {(row.title, row.language): row.row for row in reading.rows}
    uncast = _list_problems(reading.rows) + _unplaceable(reading.rows, store_uri)
    refused = {problem.row for problem in uncast}
    films = [film for film in films if places[film["title"], film["language"]] not in refused]
    films, twins = _unique(films, places)
    problems += uncast
    problems = sorted(problems + twins, key=lambda problem: (problem.row, problem.column))
    return Intake(films=pa.Table.from_pylist(films, schema=FILM), problems=problems, known=known)


def _event(film: Row, admitted: Admitted) -> Event:
    return Event(
        stage="admit",
        title=film["title"],
        language=film["language"],
        num_frames=film["num_frames"],
        seconds=admitted.seconds,
        cached=admitted.found,
    )


def _doubts(reading: CatalogReading) -> list[CatalogProblem]:
    """What is wrong with the files of rows that are refused already, beside what is known of them."""
    requests = [request for row in reading.doubtful for request in _doubtful_requests(row)]
    refused = [one for admitted in admit_films(requests) for one in admitted.refused]
    there = {row.row: row.places for row in reading.doubtful}
    known = {(problem.row, problem.column) for problem in reading.problems}
    found = {(one.row_number, one.column): _problem(one) for one in refused if one.column in there[one.row_number]}
    return [problem for place, problem in found.items() if place not in known]


def _doubtful_requests(row: DoubtfulRow) -> list[AdmitRequest]:
    """One for each dub that the row names: it may name two, or none. Refusals of stand-ins are not reported."""
    film, me_stem = (Path(row.places.get(name, os.devnull)) for name in ("film", "me_stem"))
    kinds = [kind for kind in DUB_KINDS if kind in row.places] or (DUB_KINDS[:1] if row.places else ())
    return [
        AdmitRequest(
            row_number=row.row,
            title="",
            language="",
            film=film,
            dub=Path(row.places.get(kind, os.devnull)),
            dub_kind=kind,
            me_stem=me_stem if "me_stem" in row.places else None,
        )
        for kind in kinds
    ]


def _unique(films: list[Row], places: dict[tuple[str | None, str], int]) -> tuple[list[Row], list[CatalogProblem]]:
    """Films of different bytes: a copy under another name, with the same dub, would be one and the same dub."""
    first: dict[str, int] = {}
    kept, problems = [], []
    for film in films:
        place = places[film["title"], film["language"]]
        if film["dub_id"] in first:
            message = f"the same film, language and dub, byte by byte, as in row {first[film['dub_id']]}"
            problems.append(CatalogProblem(row=place, column="film", reason=Refusal.BAD_ROW, message=message))
        else:
            first[film["dub_id"]] = place
            kept.append(film)
    return kept, problems


def _request(row: CatalogRow) -> AdmitRequest:
    return AdmitRequest(
        row_number=row.row,
        title=row.title or "",
        language=row.language,
        film=Path(row.film),
        dub=Path(row.dub),
        dub_kind=row.dub_kind,
        me_stem=Path(row.me_stem) if row.me_stem else None,
        script=Path(row.script) if row.script else None,
        cast=Path(row.cast) if row.cast else None,
        source_language=row.source_language,
    )


def _unplaceable(rows: Sequence[CatalogRow], store_uri: str | None) -> list[CatalogProblem]:
    """Cue sheets whose stems would have no place in which a decoder opens files."""
    if store_uri is None or is_local(store_uri):
        return []
    message = f"takes are placed in a mounted folder only, so far, and {store_uri} is none: give another --work"
    sheets = [row for row in rows if row.cue_sheet]
    return [CatalogProblem(row=row.row, column="cue_sheet", reason=Refusal.BAD_ROW, message=message) for row in sheets]


def _list_problems(rows: Sequence[CatalogRow]) -> list[CatalogProblem]:
    """What is wrong with cast lists and scripts; each is looked at once."""
    casts, scripts = (
        {row.row: getattr(row, name) for row in rows if getattr(row, name)} for name in ("cast", "script")
    )
    return [
        *_problems_of("cast", casts, cast_list, CastListError),
        *_problems_of("script", scripts, script_lines, CueSheetError),
    ]


def _problems_of(
    column: str, places: Mapping[int, str], read: Callable[[Path], object], refused: type[Exception]
) -> Iterator[CatalogProblem]:
    """What is wrong with the lists that rows name in a column."""
    wrong: dict[str, list[str]] = {}
    for place in sorted(set(places.values())):
        try:
            read(Path(place))
        except refused as error:
            wrong[place] = [f"{Path(place).name}, {line}" for line in str(error).splitlines()]
    for row, place in places.items():
        for message in wrong.get(place, ()):
            yield CatalogProblem(row=row, column=column, reason=Refusal.BAD_ROW, message=message)


def _problem(refused: Refused) -> CatalogProblem:
    return CatalogProblem(
        row=refused.row_number, column=refused.column, reason=refused.refusal, message=refused.detail
    )
