"""The cells of a plan that a person's spreadsheet has written its own way. What is unambiguous is read."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.csv_delimiter import DELIMITERS, csv_delimiter, without_separator
from schemas.reason import Reason, Verdict, closed_word
from schemas.shot import PLAN

NEEDED = ("dub_id", "shot_index", "track_index", "verdict")
MARKS = ("verdict", "reason")  # words of closed lists
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_MOST_TOLD = 20  # wrong cells: more are counted

Cells = Mapping[str, str]


class PlanUnreadableError(Exception):
    """A plan file that cannot be read; says what was expected."""


def read_csv_plan(path: Path) -> pa.Table:
    """PLAN of a CSV with commas, semicolons or tabs, in UTF-8 or UTF-16; columns that were left out are null.

    Of numbers that nobody reads back, such as scores, those that are none are null.

    Raises:
        PlanUnreadableError: not a plan, or cells of a needed column are none; names all of these.
    """
    rows, wrong = [], list[str]()
    for line, cells in _lines(path):
        row = _row(cells)
        wrong += [f"line {line}, column {name}: {cells.get(name, '')!r} {said}" for name, said in _wrong(row, cells)]
        rows.append(row)
    if wrong:
        more = [f"and {len(wrong) - _MOST_TOLD} cells more"] * (len(wrong) > _MOST_TOLD)
        raise PlanUnreadableError("\n".join([f"{path} is no plan:", *wrong[:_MOST_TOLD], *more]))
    return pa.Table.from_pylist(rows, schema=pa.schema([field.with_nullable(True) for field in PLAN]))


def check_columns(path: Path, names: Sequence[str]) -> None:
    """See that a plan has what it needs, and nothing of it twice.

    Raises:
        PlanUnreadableError: names the columns.
    """
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise PlanUnreadableError(f"{path} has no column {', '.join(missing)}")
    doubled = [name for name in PLAN.names if list(names).count(name) > 1]
    if doubled:
        raise PlanUnreadableError(f"{path} has two columns called {' and two '.join(doubled)}: leave one of them out")


def _lines(path: Path) -> Iterator[tuple[int, Cells]]:
    """Lines of the file with their numbers, without blank ones, which spreadsheets leave behind as commas alone."""
    text, above = without_separator(_text(path))
    delimiter = csv_delimiter(text, NEEDED)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    try:
        heads = [name.strip().lower() for name in next(reader, [])]
        check_columns(path, heads)
        for values in reader:
            if any(value.strip() for value in values[len(heads) :]):
                raise PlanUnreadableError(_too_many(path, above + reader.line_num, len(values), len(heads), delimiter))
            cells = {name: value.strip() for name, value in zip(heads, values, strict=False)}
            if any(cells.get(name) for name in NEEDED):
                yield above + reader.line_num, cells
    except csv.Error as error:
        raise PlanUnreadableError(f"{path} is no plan: line {above + reader.line_num}: {error}") from error


def _text(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise PlanUnreadableError(f"{path} is not UTF-8 text, nor UTF-16 with a byte order mark") from error


def _too_many(path: Path, line: int, num_cells: int, num_columns: int, delimiter: str) -> str:
    counted = f"{path} is no plan: line {line} has {num_cells} cells under {num_columns} columns"
    return f"{counted}: what holds a {DELIMITERS[delimiter]} stands in quotes"


def _row(cells: Cells) -> dict[str, Any]:
    return {field.name: _value(field, cells.get(field.name, "")) for field in PLAN}


def _value(field: pa.Field, cell: str) -> Any:
    if pa.types.is_integer(field.type):
        whole = re.fullmatch(r"(\d{1,9})(?:[.,]0+)?", cell)
        return int(whole[1]) if whole else None
    if pa.types.is_floating(field.type):
        number = re.fullmatch(r"-?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?", cell)
        return float(cell.replace(",", ".")) if number else None
    return (closed_word(cell) if field.name in MARKS else cell) or None


def _wrong(row: Mapping[str, Any], cells: Cells) -> Iterator[tuple[str, str]]:
    """The cells of a row that are read back and not what they must be, and what they must be."""
    if row["shot_index"] is None:
        yield "shot_index", "is no whole number"
    if row["track_index"] is None and cells.get("track_index"):
        yield "track_index", "is no whole number, and not empty as for a shot without a face"
    if row["verdict"] not in set(Verdict):
        yield "verdict", f"is none of {', '.join(Verdict)}"
    if row["reason"] not in {None, *Reason}:
        yield "reason", f"is no reason: write {Reason.BY_HAND}, or leave it empty or as it was"
