"""The cue sheet: the lines of a dub, each with its time, its character and the take that was recorded for it.

As CSV, the columns in any order, only `start` and `take` needed; times as seconds or HH:MM:SS.mmm after the first
frame:

    id,character,start,end,text,take
    17,Ana,00:01:02.480,00:01:04.200,No lo sé.,takes/017.wav

As JSON, a list of objects with the same names, or an object that holds it as `lines`. As SRT, where the rows of
a text may begin with the character (`srt_speaker.py`), and one names the take:

    17
    00:01:02,480 --> 00:01:04,200
    ANA: No lo sé.
    take: takes/017.wav

A flaw of a line costs its sound; only a sheet of which nothing can be placed, or whose rows cannot be told apart, is
refused.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePath
from typing import Any

from pipelines.cue_cells import Cells, CueSheetError, sheet_cells
from pipelines.storage import content_key, file_digest, read_table
from schemas.reason import LineFlaw

VERSION = 3
SHEET_NEEDS, SCRIPT_NEEDS = ("start", "take"), ("start", "text")  # columns
MAX_NAME_LETTERS = 80
MAX_FLAWS_TOLD = 20
MAX_TIME_S = 86_400  # no film lasts a day
_CLOCK = re.compile(r"(?:(\d{1,3}):)?([0-5]?\d):([0-5]?\d(?:[.,]\d{1,9})?)")
_SECONDS = re.compile(r"-?\d{1,9}(?:[.,]\d{1,9})?(?:[eE]-?\d{1,2})?")


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
    cells = sheet_cells(sheet, SHEET_NEEDS).lines
    return _placeable([_line(one, number, sheet.parent) for number, one in enumerate(cells, start=1)])


def script_lines(script: Path) -> list[CueLine]:
    """The lines of a script in its order: a cue sheet that needs no takes, such as the subtitles of the dub.

    Args:
        script: CSV, JSON or SRT, told by its suffix.

    Raises:
        CueSheetError: it cannot be read, or no line of it has a time.
    """
    cells = sheet_cells(script, SCRIPT_NEEDS).lines
    return _placeable([_line(one, number, None) for number, one in enumerate(cells, start=1)])


def _placeable(lines: list[CueLine]) -> list[CueLine]:
    if all(line.flaw for line in lines):
        flaws = [f"line {line.line_id}: {line.detail}" for line in lines[:MAX_FLAWS_TOLD]]
        more = [f"{len(lines) - len(flaws)} more lines likewise"] if len(lines) > len(flaws) else []
        raise CueSheetError("\n".join(["none of its lines can be placed", *flaws, *more]))
    return lines


def takes_of(sheet: Path, lines: Sequence[CueLine]) -> dict[str, Path]:
    """The takes that can be placed, each once, by the name that the sheet gives them."""
    named = dict.fromkeys(line.take for line in lines if line.take and not line.flaw)
    return {take: take_path(sheet.parent, take) for take in named}


def take_path(folder: Path, take: str) -> Path:
    """Where a take of a sheet lies in its folder, however its name is composed (Unicode NFC or NFD) and slashed."""
    names = (take, _slashed(take))
    forms = [folder / unicodedata.normalize(form, name) for name in names for form in ("NFC", "NFD")]
    return next((path for path in (folder / take, *forms) if _is_file(path)), folder / take)


def _slashed(take: str) -> str:
    return take.replace("\\", "/")  # Windows writes takes\\017.wav


def sheet_digest(sheet: Path, digest_of: Callable[[Path], str] = file_digest) -> str:
    """One digest of a sheet and of all takes that it names and that can be read.

    Raises:
        CueSheetError: it cannot be followed.
        OSError: it cannot be read.
    """
    takes = {name: _digest(path, digest_of) for name, path in takes_of(sheet, cue_lines(sheet)).items()}
    return content_key("cue-sheet", VERSION, {"sheet": digest_of(sheet), "takes": takes})


def _digest(take: Path, digest_of: Callable[[Path], str]) -> str | None:
    """None of a take that cannot be read, which costs its line alone."""
    try:
        return digest_of(take)
    except OSError:
        return None


def stored_lines(lines_uri: str | None) -> list[dict[str, Any]]:
    """The LINE rows that a film's row names; none of a dub without a cue sheet."""
    return read_table(lines_uri).to_pylist() if lines_uri else []


def flaws_in_words(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is wrong with lines, LINE rows, a sentence each; of many the first ones."""
    flawed = [line for line in lines if line["flaw"]]
    told = [f"line {line['line_id']}: {line['flaw']}, {line['detail']}" for line in flawed[:MAX_FLAWS_TOLD]]
    more = len(flawed) - len(told)
    return [*told, *([f"{more} more lines have flaws: see the manifest"] if more else [])]


def _line(cells: Cells, number: int, folder: Path | None) -> CueLine:
    """A line; of a script where there is no folder of takes."""
    start_s, end_s = (_time(cells.get(name, "")) for name in ("start", "end"))
    flaw, detail = _flaw(cells, start_s, end_s, folder)
    if flaw is LineFlaw.BAD_TIME:  # what of its times can be meant tells whose mouth has no sound
        start_s = start_s if start_s is not None and 0 <= start_s <= MAX_TIME_S else None
        end_s = None
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
    cells: Cells, start_s: Fraction | None, end_s: Fraction | None, folder: Path | None
) -> tuple[LineFlaw | None, str | None]:
    times = f"{cells.get('start', '')!r} to {cells.get('end', '')!r}"
    take = cells.get("take", "")
    if start_s is None or (cells.get("end") and end_s is None):
        return LineFlaw.BAD_TIME, f"times are seconds or HH:MM:SS.mmm, got {times}"
    if not 0 <= start_s <= MAX_TIME_S or (end_s is not None and not start_s < end_s <= MAX_TIME_S):
        return LineFlaw.BAD_TIME, f"a line begins at 0 or later and ends after that, got {times}"
    if folder is None:
        return None, None
    if not take:
        return LineFlaw.MISSING_TAKE, "no take is named"
    if PurePath(_slashed(take)).is_absolute() or ".." in PurePath(_slashed(take)).parts:
        return LineFlaw.MISSING_TAKE, f"takes lie in the folder of their sheet, and {take} does not"
    if any(ord(letter) < 32 for letter in take) or "://" in take or not _is_file(take_path(folder, take)):
        return LineFlaw.MISSING_TAKE, f"there is no file {take}"
    return None, None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long to be one, a folder that may not be read
        return False


def _time(cell: str) -> Fraction | None:
    """Seconds, exact."""
    if _SECONDS.fullmatch(cell):
        return Fraction(cell.replace(",", "."))
    clock = _CLOCK.fullmatch(cell)
    if clock is None:
        return None
    hours, minutes, seconds = clock.groups()
    return 3600 * int(hours or 0) + 60 * int(minutes) + Fraction(seconds.replace(",", "."))


def _named(cell: str | None) -> str | None:
    """A name for people: printable, not too long."""
    plain = "".join(letter for letter in cell or "" if letter.isprintable()).strip()
    return plain[:MAX_NAME_LETTERS] or None
