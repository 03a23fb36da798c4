"""The cells of a cue sheet as CSV, JSON or SRT holds them: text by column, whatever it says."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

COLUMNS = ("id", "character", "start", "end", "text", "take")
MAX_SHEET_BYTES = 20_000_000
MAX_LINES = 20_000
_SRT_TIMES = re.compile(r"\s*(\S+)\s*-->\s*(\S+)")
_SPEAKER = re.compile(r"((?:[A-Z\u00c0-\u00de][^\s:]*+\s?){1,4}):\s+(\S.*)", re.DOTALL)  # each word with a capital

Cells = Mapping[str, str]


class CueSheetError(ValueError):
    """A cue sheet that cannot be followed at all; one problem a line."""


def sheet_cells(sheet: Path, needed: Sequence[str]) -> list[Cells]:
    """The cells of each line, in order: stripped, what is no Unicode replaced.

    Args:
        sheet: CSV, JSON or SRT.
        needed: columns that a CSV must have.

    Raises:
        CueSheetError: it cannot be read, or has other columns, or too many lines.
    """
    readers: dict[str, Callable[[str], Iterator[Cells]]] = {
        ".csv": partial(_csv_cells, needed),
        ".json": _json_cells,
        ".srt": _srt_cells,
    }
    read = readers.get(sheet.suffix.lower())
    if read is None:
        raise CueSheetError(f"a cue sheet or a script is .csv, .json or .srt, got {sheet.name}")
    try:
        found = list(islice(read(_text(sheet)), MAX_LINES + 1))
    except CueSheetError:
        raise
    except (ValueError, RecursionError, csv.Error) as error:
        raise CueSheetError(f"{sheet.name} cannot be read: {error}") from error
    if not found:
        raise CueSheetError(f"{sheet.name} has no lines")
    if len(found) > MAX_LINES:
        raise CueSheetError(f"{sheet.name} has more than {MAX_LINES:,} lines")
    return [{name: _plain(value) for name, value in cells.items()} for cells in found]


def _plain(value: str) -> str:
    """Text that any file can hold: half a surrogate pair, which JSON lets through, is replaced."""
    return value.encode("utf-8", "replace").decode().strip()


def _text(sheet: Path) -> str:
    try:
        if sheet.stat().st_size > MAX_SHEET_BYTES:
            raise CueSheetError(f"{sheet.name} is larger than {MAX_SHEET_BYTES:,} bytes")
        return sheet.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CueSheetError(f"{sheet.name} is not UTF-8 text") from error
    except OSError as error:
        raise CueSheetError(f"{sheet.name} cannot be read: {error.strerror}") from error


def _csv_cells(needed: Sequence[str], text: str) -> Iterator[Cells]:
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True, strict=True)
    heads = [name.strip().lower() for name in reader.fieldnames or ()]
    unknown = [name for name in heads if name not in COLUMNS]
    if unknown or not set(needed) <= set(heads):
        least = " and ".join(needed)
        raise CueSheetError(f"the columns are {', '.join(COLUMNS)}, {least} at least; got {', '.join(heads)}")
    reader.fieldnames = heads
    for row in reader:
        cells = {name: value.strip() for name, value in row.items() if name in COLUMNS and isinstance(value, str)}
        if any(cells.values()):
            yield cells


def _json_cells(text: str) -> Iterator[Cells]:
    try:
        found: Any = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except json.JSONDecodeError as error:
        raise CueSheetError(f"no JSON: {error}") from error
    lines = found.get("lines") if isinstance(found, dict) else found
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise CueSheetError("a list of objects is needed, one a line")
    unknown = sorted({str(name) for line in lines for name in line} - set(COLUMNS))
    if unknown:
        raise CueSheetError(f"lines have {', '.join(COLUMNS)}; unknown: {', '.join(unknown)}")
    yield from ({name: "" if value is None else str(value).strip() for name, value in line.items()} for line in lines)


def _srt_cells(text: str) -> Iterator[Cells]:
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip()):
        rows = block.strip().split("\n")
        place = next((place for place, row in enumerate(rows[:2]) if "-->" in row), None)
        if place is None:
            yield {"id": rows[0].strip(), "text": " ".join(rows[1:])}
            continue
        times = _SRT_TIMES.match(rows[place])
        start, end = times.groups() if times else ("", "")
        takes = [row[5:].strip() for row in rows[place + 1 :] if row.lower().startswith("take:")]
        words = " ".join(row.strip() for row in rows[place + 1 :] if not row.lower().startswith("take:"))
        named = _SPEAKER.fullmatch(words)
        yield {
            "id": rows[0].strip() if place else "",
            "character": named.group(1) if named else "",
            "start": start,
            "end": end,
            "text": named.group(2) if named else words,
            "take": takes[0] if takes else "",
        }
