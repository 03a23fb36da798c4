"""The cells of a cue sheet as CSV, JSON or SRT holds them: text by column, whatever it says.

A CSV may be parted by commas, semicolons or tabs, as its header is, and be UTF-8 or UTF-16. Rows whose cells cannot be
told apart are refused, all of them at once.
"""

import codecs
import csv
import io
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from pipelines.csv_delimiter import DELIMITERS, csv_delimiter, without_separator
from pipelines.srt_speaker import names_in, spoken, take_of, untagged

COLUMNS = ("id", "character", "start", "end", "text", "take")
ALSO_CALLED = {"line_id": "id", "line id": "id", "take_file": "take", "take file": "take"}
MAX_SHEET_BYTES = 20_000_000
MAX_LINES = 20_000
MAX_ROWS_TOLD = 20
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SRT_TIMES = re.compile(r"\s*(\S+)\s*-->\s*(\S+)")

Cells = Mapping[str, str]


class CueSheetError(ValueError):
    """A cue sheet that cannot be followed at all; one problem a line."""


@dataclass(kw_only=True, slots=True)
class SheetCells:
    """What a sheet holds.

    Attributes:
        lines: the cells of each line, in order: stripped, what is no Unicode replaced.
        unread: columns that mean nothing here, and are passed over.
        wrong: rows whose cells cannot be told apart, in words.
    """

    lines: list[Cells] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Refuse the sheet where rows are wrong.

        Raises:
            CueSheetError: all of them, of many the first ones.
        """
        more = len(self.wrong) - MAX_ROWS_TOLD
        if self.wrong:
            told = self.wrong[:MAX_ROWS_TOLD]
            raise CueSheetError("\n".join([*told, *([f"{more} more rows are wrong"] if more > 0 else [])]))


def sheet_cells(sheet: Path, needed: Sequence[str]) -> SheetCells:
    """What a sheet holds, as text.

    Args:
        sheet: CSV, JSON or SRT.
        needed: columns that a CSV, or a line of a JSON, must have.

    Raises:
        CueSheetError: it cannot be read, or lacks columns, or has too many lines, or rows that cannot be told apart.
    """
    readers: dict[str, Callable[[SheetCells, str], Iterator[Cells]]] = {
        ".csv": partial(_csv_cells, needed),
        ".json": partial(_json_cells, needed),
        ".srt": _srt_cells,
    }
    read, found = readers.get(sheet.suffix.lower()), SheetCells()
    if read is None:
        raise CueSheetError(f"a cue sheet or a script is .csv, .json or .srt, got {sheet.name}")
    try:
        lines = list(islice(read(found, _text(sheet)), MAX_LINES + 1))
    except CueSheetError:
        raise
    except (ValueError, RecursionError, csv.Error) as error:
        raise CueSheetError(f"{sheet.name} cannot be read: {error}") from error
    if not lines:
        raise CueSheetError(f"{sheet.name} has no lines")
    if len(lines) > MAX_LINES:
        raise CueSheetError(f"{sheet.name} has more than {MAX_LINES:,} lines")
    found.lines = [{name: _plain(value) for name, value in cells.items()} for cells in lines]
    _check_ids(found, is_counted=sheet.suffix.lower() == ".srt")
    found.check()
    return found


def _check_ids(found: SheetCells, is_counted: bool) -> None:
    """Ids that are given twice are wrong; the counters of an SRT whose reels were joined name nothing."""
    places = defaultdict[str, list[int]](list)
    for place, cells in enumerate(found.lines, start=1):
        places[cells.get("id", "")].append(place)
    doubled = {name: lines for name, lines in places.items() if name and len(lines) > 1}
    if doubled and is_counted:
        found.lines = [{**cells, "id": ""} for cells in found.lines]
        return
    for name, (first, again, *more) in doubled.items():
        called = f"{2 + len(more)} lines have the id {name[:80]!r}, the {first}. and the {again}. among them"
        found.wrong.append(f"{called}: give each its own")


def _plain(value: str) -> str:
    """Text that any file can hold: half a surrogate pair, which JSON lets through, is replaced."""
    return value.encode("utf-8", "replace").decode().strip()


def _text(sheet: Path) -> str:
    """With line feeds alone."""
    try:
        if sheet.stat().st_size > MAX_SHEET_BYTES:
            raise CueSheetError(f"{sheet.name} is larger than {MAX_SHEET_BYTES:,} bytes")
        data = sheet.read_bytes()
        text = data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise CueSheetError(f"{sheet.name} is not UTF-8 text, nor UTF-16 with a byte order mark") from error
    except OSError as error:
        raise CueSheetError(f"{sheet.name} cannot be read: {error.strerror}") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _csv_cells(needed: Sequence[str], found: SheetCells, text: str) -> Iterator[Cells]:
    text, above = without_separator(text)
    delimiter = csv_delimiter(text, COLUMNS)
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True, strict=True, delimiter=delimiter)
    heads = [_column(name) for name in reader.fieldnames or ()]
    _check_columns(needed, heads)
    found.unread = [name for name in dict.fromkeys(heads) if name and name not in COLUMNS]
    reader.fieldnames = heads
    for row in reader:
        surplus: Any = row.get(None) or ()
        is_wrong = any(cell.strip() for cell in surplus)
        if is_wrong:
            found.wrong.append(_too_many(above + reader.line_num, len(heads), len(surplus), delimiter))
        cells = {name: value.strip() for name, value in row.items() if name in COLUMNS and isinstance(value, str)}
        if is_wrong or any(cells.values()):
            yield cells


def _column(name: str) -> str:
    """What a column is called here."""
    name = name.strip().lower()
    return ALSO_CALLED.get(name, name)


def _check_columns(needed: Sequence[str], heads: Sequence[str]) -> None:
    least = " and ".join(needed)
    if not set(needed) <= set(heads):
        raise CueSheetError(f"the columns are {', '.join(COLUMNS)}, {least} at least; got {', '.join(heads)}")
    doubled = [name for name in COLUMNS if heads.count(name) > 1]
    if doubled:
        raise CueSheetError(f"two columns are called {' and two '.join(doubled)}: leave one of them out")


def _too_many(line: int, num_columns: int, num_surplus: int, delimiter: str) -> str:
    counted = f"line {line} of the file has {num_columns + num_surplus} cells under {num_columns} columns"
    return f"{counted}: what holds a {DELIMITERS[delimiter]} stands in quotes"


def _json_cells(needed: Sequence[str], found: SheetCells, text: str) -> Iterator[Cells]:
    try:
        read: Any = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except json.JSONDecodeError as error:
        raise CueSheetError(f"no JSON: {error}") from error
    lines = read.get("lines") if isinstance(read, dict) else read
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise CueSheetError("a list of objects is needed, one a line")
    lines = [{_column(str(name)): value for name, value in line.items()} for line in lines]
    names = dict.fromkeys(name for line in lines for name in line)
    if lines:
        _check_columns(needed, list(names))
    found.unread = [name for name in names if name not in COLUMNS]
    for line in lines:
        yield {name: "" if line[name] is None else str(line[name]).strip() for name in COLUMNS if name in line}


def _srt_cells(found: SheetCells, text: str) -> Iterator[Cells]:
    blocks = [[untagged(row) for row in block.strip().split("\n")] for block in re.split(r"\n\s*\n", text.strip())]
    places = [next((place for place, row in enumerate(rows[:2]) if "-->" in row), None) for rows in blocks]
    texts = [[] if place is None else rows[place + 1 :] for rows, place in zip(blocks, places, strict=True)]
    names = names_in([[row for row in rows if take_of(row) is None] for rows in texts])
    for rows, place, words in zip(blocks, places, texts, strict=True):
        if place is None:
            yield {"id": rows[0], "text": " ".join(rows[1:])}
            continue
        if any("-->" in row for row in words):
            found.wrong.append(f"below {rows[place][:80]!r} stands another time: a blank line parts it from the next")
        times = _SRT_TIMES.match(rows[place])
        start, end = times.groups() if times else ("", "")
        takes = [take for row in words if (take := take_of(row)) is not None]
        character, said = spoken([row for row in words if take_of(row) is None], names)
        yield {
            "id": rows[0] if place else "",
            "character": character,
            "start": start,
            "end": end,
            "text": said,
            "take": takes[0] if takes else "",
        }
