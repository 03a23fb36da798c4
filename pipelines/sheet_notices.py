"""What a person should know of a cue sheet or a script as it is written, though nothing of it is refused."""

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from pipelines.cue_cells import COLUMNS, Cells, CueSheetError, sheet_cells
from pipelines.cue_sheet import SCRIPT_NEEDS, SHEET_NEEDS
from pipelines.stage import Row
from schemas.timing import fraction

MAX_COLUMNS_TOLD, MAX_NAME_LETTERS = 8, 40
_CLOCK_FRACTION = re.compile(r"(?:\d{1,3}:)?\d{1,2}:\d{1,2}[.,](\d+)")


def sheet_notices(film: Row) -> list[str]:
    """Columns that are passed over, and times whose last digits look like frames; nothing of a sheet that is gone.

    Args:
        film: FILM or wider.
    """
    asked = [(film["sheet_uri"], SHEET_NEEDS), (film["script_uri"], SCRIPT_NEEDS)]
    rate = fraction(film["frame_rate"])
    return [notice for uri, needed in asked if uri for notice in _notices(Path(uri), needed, rate)]


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
