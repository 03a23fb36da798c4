"""The catalog: which films are dubbed into which language, with which sound.

CSV, JSON Lines or Parquet. Every wrong row is reported at once, with its place, before anything runs.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from jobs.catalog_file import CatalogRecord, read_records
from jobs.language import language_tag
from schemas.reason import Refusal

MAX_TITLE_LETTERS = 64
DUB_KINDS = ("dub_stem", "dub_mix", "cue_sheet")  # the columns of which a row fills one


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogProblem:
    """One thing that is wrong with the catalog, and where."""

    row: int  # line of a text catalog (the header of a CSV is line 1); row from 1 of a Parquet file
    column: str  # empty when the row as a whole is meant
    reason: Refusal
    message: str


def _none_if_blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _plain_path(value: str) -> str:
    if any(ord(letter) < 32 for letter in value):
        raise ValueError("the path holds a control character")
    if "://" in value:
        raise ValueError("a path is needed: films and sound are read from mounted folders only, so far")
    return value.strip()


Place = Annotated[str, AfterValidator(_plain_path)]
OptionalPlace = Annotated[Place | None, BeforeValidator(_none_if_blank)]
OptionalLanguage = Annotated[Annotated[str, AfterValidator(language_tag)] | None, BeforeValidator(_none_if_blank)]
OptionalText = Annotated[str | None, BeforeValidator(_none_if_blank)]


class CatalogRow(BaseModel):
    """One film in one language. Paths are absolute."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_min_length=1)

    row: int
    film: Place
    language: Annotated[str, AfterValidator(language_tag)]
    dub_stem: OptionalPlace = None
    dub_mix: OptionalPlace = None
    cue_sheet: OptionalPlace = None
    me_stem: OptionalPlace = None
    title: OptionalText = None
    script: OptionalPlace = None
    cast: OptionalPlace = None
    source_language: OptionalLanguage = None

    @model_validator(mode="after")
    def _one_dub(self) -> "CatalogRow":
        if sum(bool(getattr(self, kind)) for kind in DUB_KINDS) != 1:
            raise ValueError(f"give the dub in one of the columns {', '.join(DUB_KINDS[:-1])} and {DUB_KINDS[-1]}")
        if self.me_stem and self.dub_mix:
            raise ValueError("me_stem goes with dub_stem or cue_sheet: a dub_mix holds music and effects already")
        return self

    @property
    def dub(self) -> str:
        """Where the dub's sound, or its cue sheet, lies."""
        return str(getattr(self, self.dub_kind))

    @property
    def dub_kind(self) -> str:
        """One of `DUB_KINDS`."""
        return next(kind for kind in DUB_KINDS if getattr(self, kind))


COLUMNS = tuple(name for name in CatalogRow.model_fields if name != "row")
LANGUAGES = ("language", "source_language")
_PATHS = ("film", *DUB_KINDS, "me_stem", "script", "cast")


@dataclass(frozen=True, kw_only=True, slots=True)
class DoubtfulRow:
    """A row that is refused. Those of its files that are there may be wrong too."""

    row: int
    places: dict[str, str]  # column: absolute path of a file that is there


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogReading:
    """What a catalog says, before any film was looked at."""

    rows: list[CatalogRow]  # well formed, with titles that are folder names
    doubtful: list[DoubtfulRow]
    problems: list[CatalogProblem]


def read_catalog(path: Path) -> tuple[list[CatalogRow], list[CatalogProblem]]:
    """The rows that can be begun, with titles that are folder names, and all problems of the others.

    Raises:
        CatalogUnreadableError: there is no such file, or its kind is none of the three.
    """
    reading = examine_catalog(path)
    return reading.rows, reading.problems


def examine_catalog(path: Path) -> CatalogReading:
    """As `read_catalog`, and the rows whose files may be wrong too.

    Raises:
        CatalogUnreadableError: there is no such file, or its kind is none of the three.
    """
    rows: list[CatalogRow] = []
    records, folder = read_records(path), path.absolute().parent
    problems = _unknown_columns(records, header_row=1 if path.suffix.lower() == ".csv" else None)
    if not records:
        problems.append(CatalogProblem(row=1, column="", reason=Refusal.EMPTY, message="the catalog has no rows"))
    for record in records:
        row, wrong = _read_row(record, folder)
        problems += wrong
        rows += [row] if row else []
    unique, clashes = _unique(rows)
    good = {row.row for row in unique}
    doubtful = [DoubtfulRow(row=one.row, places=_present(one, folder)) for one in records if one.row not in good]
    ordered = sorted(problems + clashes, key=lambda problem: (problem.row, problem.column))
    return CatalogReading(rows=unique, doubtful=doubtful, problems=ordered)


def folder_name(text: str) -> str:
    """A title as a folder name, `[A-Za-z0-9._-]{1,64}`: accents and other letters are replaced."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-.")[:MAX_TITLE_LETTERS].rstrip("-.")
    return name or "film"


def _read_row(record: CatalogRecord, folder: Path) -> tuple[CatalogRow | None, list[CatalogProblem]]:
    """The row where nothing is wrong with it, and what is wrong otherwise."""
    if record.broken:
        return None, [_problem(record.row, "", record.broken)]
    wrong = _missing(record, folder)
    cells = {name: value for name, value in record.cells.items() if name in COLUMNS} | {"row": record.row}
    try:
        row = CatalogRow.model_validate(cells)
    except ValidationError as error:
        return None, [_from_pydantic(record.row, detail) for detail in error.errors()] + wrong
    return (None if wrong else _placed(row, folder)), wrong


def _placed(row: CatalogRow, folder: Path) -> CatalogRow:
    places = {name: _place(getattr(row, name), folder) for name in _PATHS}
    return row.model_copy(update=places | {"title": folder_name(row.title or Path(row.film).stem)})


def _place(path: str | None, folder: Path) -> str | None:
    if path is None:
        return None
    return str(folder / Path(path).expanduser())


def _named(record: CatalogRecord, folder: Path) -> dict[str, str]:
    """Where the files of a row are said to lie, by column, also of a row that is wrong in another cell."""
    cells = {name: record.cells.get(name) for name in _PATHS}
    texts = {name: value.strip() for name, value in cells.items() if isinstance(value, str) and value.strip()}
    plain = {name: text for name, text in texts.items() if "\0" not in text and "://" not in text}
    return {name: _place(text, folder) or "" for name, text in plain.items()}


def _present(record: CatalogRecord, folder: Path) -> dict[str, str]:
    return {name: place for name, place in _named(record, folder).items() if Path(place).exists()}


def _missing(record: CatalogRecord, folder: Path) -> list[CatalogProblem]:
    there = _present(record, folder)
    return [
        CatalogProblem(row=record.row, column=name, reason=Refusal.MISSING_FILE, message=f"there is no file {place}")
        for name, place in _named(record, folder).items()
        if name not in there
    ]


def _from_pydantic(row: int, detail: Any) -> CatalogProblem:
    column = ".".join(str(part) for part in detail["loc"])
    if detail["type"] in ("missing", "string_too_short") or detail["input"] is None:
        return _problem(row, column, "a value is needed here")
    message = str(detail["msg"]).removeprefix("Value error, ")
    reason = Refusal.UNKNOWN_LANGUAGE if column in LANGUAGES else Refusal.BAD_ROW
    return CatalogProblem(row=row, column=column, reason=reason, message=message)


def _unknown_columns(records: Iterable[CatalogRecord], header_row: int | None) -> list[CatalogProblem]:
    """Each column that is not known, once, at the header or where it is first used. It makes no row wrong."""
    first: dict[str, int] = {}
    for record in records:
        for name in record.cells:
            if name not in COLUMNS:
                first.setdefault(name, header_row or record.row)
    message = f"unknown column; known are {', '.join(COLUMNS)}"
    return [_problem(row, name, message) for name, row in first.items()]


def _unique(rows: list[CatalogRow]) -> tuple[list[CatalogRow], list[CatalogProblem]]:
    """The first of rows that would be one delivery, and a problem for each of the others."""
    films: dict[tuple[str, str], int] = {}
    titles: dict[tuple[str, str], int] = {}
    kept, problems = [], []
    for row in rows:
        film, title = (row.film, row.language), ((row.title or "").lower(), row.language)
        if film in films:
            problems.append(_problem(row.row, "film", f"the same film and language as in row {films[film]}"))
        elif title in titles:
            message = f"row {titles[title]} is delivered under {row.title}/{row.language} too: give another title"
            problems.append(_problem(row.row, "title", message))
        else:
            films[film] = titles[title] = row.row
            kept.append(row)
    return kept, problems


def _problem(row: int, column: str, message: str) -> CatalogProblem:
    return CatalogProblem(row=row, column=column, reason=Refusal.BAD_ROW, message=message)
