"""What a person should know of a cue sheet or a script as it is written, though nothing of it is refused."""

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path, PurePath

from pipelines.cue_cells import COLUMNS, Cells, CueSheetError, sheet_cells
from pipelines.cue_sheet import SCRIPT_NEEDS, SHEET_NEEDS, stored_lines
from pipelines.stage import Row
from schemas.line import STEM_RATE_HZ
from schemas.timing import fraction

MAX_COLUMNS_TOLD, MAX_NAME_LETTERS = 8, 40
MAX_OVERLAPS_TOLD = 5
LEAST_OVERLAP = STEM_RATE_HZ // 10  # samples: less is the rounding of times to frames
_CLOCK_FRACTION = re.compile(r"(?:\d{1,3}:)?\d{1,2}:\d{1,2}[.,](\d+)")


def sheet_notices(film: Row) -> list[str]:
    """Columns that are passed over, times whose last digits look like frames, and lines that are placed over others.

    Of a sheet that is gone only the last. Overlaps are told of one character, and of one take: two people who speak at
    once are nothing that would have to be told.

    Args:
        film: FILM or wider.
    """
    asked = [(film["sheet_uri"], SHEET_NEEDS), (film["script_uri"], SCRIPT_NEEDS)]
    rate = fraction(film["frame_rate"])
    told = [notice for uri, needed in asked if uri for notice in _notices(Path(uri), needed, rate)]
    lines = [line for line in stored_lines(film["lines_uri"]) if line["heard_end_sample"] is not None]
    return [*told, *(f"{PurePath(film['sheet_uri']).name}: {overlap}" for overlap in _overlaps(lines))]


def _notices(sheet: Path, needed: Sequence[str], frame_rate: Fraction) -> list[str]:
    try:
        found = sheet_cells(sheet, needed)
    except (CueSheetError, OSError):  # whoever places its lines says so
        return []
    return [*_unread(sheet.name, found.unread), *_frames(sheet.name, found.lines, frame_rate)]


def _unread(name: str, unread: Sequence[str]) -> list[str]:
    plain = ["".join(letter for letter in one if letter.isprintable())[:MAX_NAME_LETTERS] for one in unread]
    more = [f"{len(plain) - MAX_COLUMNS_TOLD} more"] if len(plain) > MAX_COLUMNS_TOLD else []
    told = ", ".join([*plain[:MAX_COLUMNS_TOLD], *more])
    return [f"{name}: these columns are passed over: {told}; those that are read are {', '.join(COLUMNS)}"] * bool(
        told
    )


def _frames(name: str, lines: Sequence[Cells], frame_rate: Fraction) -> list[str]:
    """Two digits after the seconds, never as many as a second has frames: 12 of them would be 0.12 s here."""
    clocks = (_CLOCK_FRACTION.fullmatch(cells.get(edge, "")) for cells in lines for edge in ("start", "end"))
    parts = [clock.group(1) for clock in clocks if clock]
    if not any(int(part) for part in parts) or any(len(part) != 2 or int(part) >= frame_rate for part in parts):
        return []
    seen = f"{name}: its times end in two digits, all below the {float(frame_rate):g} frames of a second"
    return [f"{seen}: they are read as hundredths; if they are frames, write HH:MM:SS.mmm"]


def _overlaps(lines: Sequence[Row]) -> list[str]:
    """Of LINE rows that are heard, those that lie over another take or place of the same kind; of many the first."""
    again = _over_others(lines, _take, lambda line: int(line["heard_end_sample"]))
    known = {line["line_id"] for _, line, _ in again}
    others = [line for line in lines if line["character"] and line["line_id"] not in known]
    both = _over_others(others, lambda line: str(line["character"]).casefold(), _place_end)
    told = [_same_take(earlier, line) for earlier, line, _ in again]
    told += [_same_character(earlier, line, overlap) for earlier, line, overlap in both]
    more = len(told) - MAX_OVERLAPS_TOLD
    return [*told[:MAX_OVERLAPS_TOLD], *([f"{more} more lines lie over others so"] if more > 0 else [])]


def _over_others(
    lines: Sequence[Row], kind_of: Callable[[Row], str], end_of: Callable[[Row], int]
) -> list[tuple[Row, Row, int]]:
    """Each line that begins before another of its kind is over, behind the one that ends last; samples of both."""
    last: dict[str, Row] = {}
    found = []
    for line in sorted(lines, key=lambda one: int(one["start_sample"])):
        earlier = last.setdefault(kind_of(line), line)
        overlap = min(end_of(earlier), end_of(line)) - line["start_sample"]
        if earlier is not line and overlap >= LEAST_OVERLAP:
            found.append((earlier, line, overlap))
        last[kind_of(line)] = max(earlier, line, key=end_of)
    return found


def _take(line: Row) -> str:
    return str(PurePath(line["take"].replace("\\", "/")))


def _place_end(line: Row) -> int:
    """Where the sheet lets it end, else where it ends."""
    return int(line["heard_end_sample"] if line["end_sample"] is None else line["end_sample"])


def _same_take(earlier: Row, line: Row) -> str:
    both = f"lines {earlier['line_id']} and {line['line_id']} are the same take"
    apart_s = (line["start_sample"] - earlier["start_sample"]) / STEM_RATE_HZ
    if apart_s or earlier["tempo"] != line["tempo"]:
        return f"{both}, {apart_s:.2f} s apart: it is heard over itself"
    return f"{both} at the same time: it is heard 6 dB too loud"


def _same_character(earlier: Row, line: Row, overlap: int) -> str:
    both = f"lines {earlier['line_id']} and {line['line_id']} of {line['character']}"
    return f"{both} overlap by {overlap / STEM_RATE_HZ:.2f} s: both are heard"
