"""What a catalog lets in: FILM rows of the good rows, and every problem of the others, before anything runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from jobs.catalog import CatalogProblem, CatalogRow, examine_catalog
from pipelines.admit import AdmitRequest, Refused, admit_films
from pipelines.stage import Row
from schemas.film import FILM
from schemas.reason import Refusal

Admit = Callable[[Sequence[AdmitRequest]], tuple[list[Row], list[Refused]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Intake:
    """What a catalog lets in."""

    films: pa.Table  # FILM
    problems: list[CatalogProblem]


def take_in(catalog: Path, admit: Admit = admit_films) -> Intake:
    """Read a catalog and look at every file that it names.

    Raises:
        CatalogUnreadableError: there is no such catalog, or it is none.
    """
    reading = examine_catalog(catalog)
    rows, problems = reading.rows, list(reading.problems)
    films, refused = admit([_request(row) for row in rows])
    refused += admit([_request(row) for row in reading.doubtful])[1]
    problems += [_problem(one) for one in refused]
    films, twins = _unique(films, {(row.title, row.language): row.row for row in rows})
    problems += twins
    problems.sort(key=lambda problem: (problem.row, problem.column))
    return Intake(films=pa.Table.from_pylist(films, schema=FILM), problems=problems)


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
    )


def _problem(refused: Refused) -> CatalogProblem:
    return CatalogProblem(
        row=refused.row_number, column=refused.column, reason=refused.refusal, message=refused.detail
    )
