"""The cue sheet: the lines of a dub, each with its time, its character and the take that was recorded for it.

As CSV, the columns in any order, only `start` and `take` needed; times as seconds or HH:MM:SS.mmm after the first
frame:

    id,character,start,end,text,take
    17,Ana,00:01:02.480,00:01:04.200,No lo sé.,takes/017.wav

As JSON, a list of objects with the same names, or an object that holds it as `lines`. As SRT, where the first line of
a text may begin with the character, and one names the take:

    17
    00:01:02,480 --> 00:01:04,200
    ANA: No lo sé.
    take: takes/017.wav

A flaw of a line costs its sound; only a sheet of which nothing can be placed is refused.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from pipelines.storage import content_key, file_digest, read_table
from schemas.reason import LineFlaw

VERSION = 1
COLUMNS = ("id", "character", "start", "end", "text", "take")
SUFFIXES = (".csv", ".json", ".srt")
MAX_SHEET_BYTES = 20_000_000
MAX_LINES = 20_000
MAX_NAME_LETTERS = 80
MAX_FLAWS_TOLD = 20
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)")
_SECONDS = re.compile(r"-?\d+(?:\.\d+)?")
_SRT_TIMES = re.compile(r"\s*(\S+)\s*-->\s*(\S+)")
_SPEAKER = re.compile(r"([^\W\d_][^:]{0,40}):\s+(\S.*)", re.DOTALL)

Cells = Mapping[str, str]


class CueSheetError(ValueError):
    """A cue sheet that cannot be followed at all; one problem a line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CueLine:
    """A line of the sheet, as it is written.

    Attributes:
        line_id: as the sheet names it, else its number.
        character: who says it.
        text: what is said.
        start_s: after the first frame shown; None where the sheet says nothing that can be meant.
        end_s: where its place ends; None where nothing is said of it.
        take: the recording, relative to the sheet.
        flaw: why it has no sound.
        detail: the flaw in words.
    """

    line_id: str
    character: str | None
    text: str | None
    start_s: Fraction | None
    end_s: Fraction | None
    take: str | None
    flaw: LineFlaw | None = None
    detail: str | None = None


def cue_lines(sheet: Path) -> list[CueLine]:
    """The lines of a sheet in its order.

    Args:
        sheet: CSV, JSON or SRT, told by its suffix.

    Raises:
        CueSheetError: it cannot be read, or holds no line that could be placed.
    """
    read = {".csv": _csv_cells, ".json": _json_cells, ".srt": _srt_cells}.get(sheet.suffix.lower())
    if read is None:
        raise CueSheetError(f"a cue sheet is {', '.join(SUFFIXES)}, got {sheet.name}")
    lines = [_line(cells, number, sheet.parent) for number, cells in enumerate(read(_text(sheet)), start=1)]
    if not lines:
        raise CueSheetError(f"{sheet.name} has no lines")
    if len(lines) > MAX_LINES:
        raise CueSheetError(f"{sheet.name} has {len(lines):,} lines, at most {MAX_LINES:,} are followed")
    if all(line.flaw for line in lines):
        flaws = (f"line {line.line_id}: {line.detail}" for line in lines[:5])
        raise CueSheetError("\n".join(["none of its lines can be placed", *flaws]))
    return lines


def takes_of(sheet: Path, lines: Sequence[CueLine]) -> dict[str, Path]:
    """The takes that can be placed, each once, by the name that the sheet gives them."""
    return {line.take: sheet.parent / line.take for line in lines if line.take and not line.flaw}


def sheet_digest(sheet: Path, digest_of: Callable[[Path], str] = file_digest) -> str:
    """One digest of a sheet and of all takes that it names and that are there.

    Raises:
        CueSheetError: it cannot be read.
        OSError: a take cannot.
    """
    takes = {name: digest_of(path) for name, path in takes_of(sheet, cue_lines(sheet)).items()}
    return content_key("cue-sheet", VERSION, {"sheet": digest_of(sheet), "takes": takes})


def stored_lines(lines_uri: str | None) -> list[dict[str, Any]]:
    """The LINE rows that a film's row names; none of a dub without a cue sheet."""
    return read_table(lines_uri).to_pylist() if lines_uri else []


def flaws_in_words(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is wrong with lines, LINE rows, a sentence each; of many the first ones."""
    flawed = [line for line in lines if line["flaw"]]
    told = [f"line {line['line_id']}: {line['flaw']}, {line['detail']}" for line in flawed[:MAX_FLAWS_TOLD]]
    more = len(flawed) - len(told)
    return [*told, *([f"{more} more lines have flaws: see the manifest"] if more else [])]


def _text(sheet: Path) -> str:
    try:
        if sheet.stat().st_size > MAX_SHEET_BYTES:
            raise CueSheetError(f"{sheet.name} is larger than {MAX_SHEET_BYTES:,} bytes")
        return sheet.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CueSheetError(f"{sheet.name} is not UTF-8 text") from error
    except OSError as error:
        raise CueSheetError(f"{sheet.name} cannot be read: {error.strerror}") from error


def _csv_cells(text: str) -> Iterator[Cells]:
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    heads = [name.strip().lower() for name in reader.fieldnames or ()]
    unknown = [name for name in heads if name not in COLUMNS]
    if unknown or not {"start", "take"} <= set(heads):
        raise CueSheetError(f"the columns are {', '.join(COLUMNS)}, start and take at least; got {', '.join(heads)}")
    reader.fieldnames = heads
    try:
        for row in reader:
            cells = {name: value.strip() for name, value in row.items() if name in COLUMNS and isinstance(value, str)}
            if any(cells.values()):
                yield cells
    except csv.Error as error:
        raise CueSheetError(f"line {reader.line_num}: {error}") from error


def _json_cells(text: str) -> Iterator[Cells]:
    try:
        found: Any = json.loads(text)
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


def _line(cells: Cells, number: int, folder: Path) -> CueLine:
    start_s, end_s = (_time(cells.get(name, "")) for name in ("start", "end"))
    flaw, detail = _flaw(cells, start_s, end_s, folder)
    return CueLine(
        line_id=_named(cells.get("id")) or str(number),
        character=_named(cells.get("character")),
        text=cells.get("text") or None,
        start_s=start_s,
        end_s=end_s,
        take=cells.get("take") or None,
        flaw=flaw,
        detail=detail,
    )


def _flaw(
    cells: Cells, start_s: Fraction | None, end_s: Fraction | None, folder: Path
) -> tuple[LineFlaw | None, str | None]:
    times = f"{cells.get('start', '')!r} to {cells.get('end', '')!r}"
    take = cells.get("take", "")
    if start_s is None or (cells.get("end") and end_s is None):
        return LineFlaw.BAD_TIME, f"times are seconds or HH:MM:SS.mmm, got {times}"
    if start_s < 0 or (end_s is not None and end_s <= start_s):
        return LineFlaw.BAD_TIME, f"a line begins at 0 or later and ends after that, got {times}"
    if not take:
        return LineFlaw.MISSING_TAKE, "no take is named"
    if not take.isprintable() or "://" in take or not (folder / take).is_file():
        return LineFlaw.MISSING_TAKE, f"there is no file {take}"
    return None, None


def _time(cell: str) -> Fraction | None:
    """Seconds, exact."""
    if _SECONDS.fullmatch(cell):
        return Fraction(cell)
    clock = _CLOCK.fullmatch(cell)
    if clock is None:
        return None
    hours, minutes, seconds = clock.groups()
    return 3600 * int(hours or 0) + 60 * int(minutes) + Fraction(seconds.replace(",", "."))


def _named(cell: str | None) -> str | None:
    """A name for people: printable, not too long."""
    plain = "".join(letter for letter in cell or "" if letter.isprintable()).strip()
    return plain[:MAX_NAME_LETTERS] or None
