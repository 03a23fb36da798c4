"""What a catalog lets in: FILM rows of the good rows, and every problem of the others, before anything runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from jobs.catalog import CatalogProblem, CatalogRow, read_catalog
from pipelines.admit import AdmitRequest, Refused, admit_films
from pipelines.stage import Row
from schemas.film import FILM

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
    rows, problems = read_catalog(catalog)
    films, refused = admit([_request(row) for row in rows])
    problems += [_problem(one) for one in refused]
    problems.sort(key=lambda problem: (problem.row, problem.column))
    return Intake(films=pa.Table.from_pylist(films, schema=FILM), problems=problems)


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
