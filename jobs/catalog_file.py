"""The three kinds of catalog file, read into records that know their place. Nothing is judged here but the form."""

import csv
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.csv_delimiter import csv_delimiter, without_separator

NEEDED = ("film", "language")  # columns that every catalog has
MAX_CATALOG_BYTES = 256 << 20  # a catalog names films; one that is larger is not a catalog


class CatalogUnreadableError(Exception):
    """There is no catalog to read; the message says what was expected."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogRecord:
    """One row as the file has it."""

    row: int  # line of a text catalog, row from 1 of a Parquet file
    cells: dict[str, Any] = field(default_factory=dict)
    broken: str = ""  # what is wrong with its form; then there are no cells


def read_records(path: Path) -> list[CatalogRecord]:
    """All rows of the catalog, blank lines left out.

    Raises:
        CatalogUnreadableError: missing, too large, not text where text is needed, or of an unknown kind.
    """
    readers = {".csv": _read_csv, ".jsonl": _read_json_lines, ".ndjson": _read_json_lines, ".parquet": _read_parquet}
    if path.suffix.lower() not in readers:
        raise CatalogUnreadableError(f"{path} is none of {', '.join(readers)}")
    if not path.is_file():
        raise CatalogUnreadableError(f"there is no catalog {path}")
    if path.stat().st_size > MAX_CATALOG_BYTES:
        raise CatalogUnreadableError(f"{path} is larger than {MAX_CATALOG_BYTES >> 20} MiB; is it a catalog?")
    return readers[path.suffix.lower()](path)


def _text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CatalogUnreadableError(f"{path} is not UTF-8 text (byte {error.start})") from error
    if "\0" in text:
        raise CatalogUnreadableError(f"{path} holds a NUL byte and is not a text")
    return text


def _read_csv(path: Path) -> list[CatalogRecord]:
    text, above = without_separator(_text(path))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=csv_delimiter(text, NEEDED))
    try:
        header = [name.strip() for name in next(reader, [])]
        if len(set(header)) < len(header):
            raise CatalogUnreadableError(f"{path} names a column twice in its header")
        return [
            _csv_record(above + reader.line_num, header, cells)
            for cells in reader
            if any(cell.strip() for cell in cells)
        ]
    except csv.Error as error:
        raise CatalogUnreadableError(f"{path}, line {above + reader.line_num}: {error}") from error


def _csv_record(line: int, header: list[str], cells: list[str]) -> CatalogRecord:
    if len(cells) != len(header):
        return CatalogRecord(row=line, broken=f"{len(cells)} cells under {len(header)} columns")
    return CatalogRecord(row=line, cells=dict(zip(header, cells, strict=True)))


def _read_json_lines(path: Path) -> list[CatalogRecord]:
    lines = _text(path).split("\n")
    return [_json_record(number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def _json_record(number: int, line: str) -> CatalogRecord:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return CatalogRecord(row=number, broken=f"not JSON: {error}")
    if not isinstance(value, dict):
        return CatalogRecord(row=number, broken="a row must be a JSON object")
    return CatalogRecord(row=number, cells=value)


def _read_parquet(path: Path) -> list[CatalogRecord]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path).to_pylist()
    except (pa.ArrowInvalid, OSError) as error:
        raise CatalogUnreadableError(f"{path} is no Parquet file: {error}") from error
    return [CatalogRecord(row=number, cells=cells) for number, cells in enumerate(rows, start=1)]
