"""The lines of a film's dub, by the film's samples: of its cue sheet where it was made of one, else of its script."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from pipelines.cue_sheet import CueLine, script_lines, stored_lines
from pipelines.stage import Row
from pipelines.storage import file_digest
from schemas.line import STEM_RATE_HZ
from schemas.reason import LineDoubt
from schemas.timing import ANALYSIS_RATE_HZ

LONGEST_S = 15  # a line of which nothing says where it ends

_UNSAID = re.compile(r"<[^<>]{0,80}>|\{\\[^{}]{0,80}\}|\[[^\[\]]{0,200}\]|\([^()]{0,200}\)|[\u266a\u266b#]+")
STEP = STEM_RATE_HZ // ANALYSIS_RATE_HZ


class ScriptChangedError(RuntimeError):
    """The script is not what was admitted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpokenLine:
    """A line that is to be heard.

    Attributes:
        line_index: its place in the sheet, from 0.
        line_id: as the sheet names it.
        character: who says it; None where nothing tells.
        text: what is said, without markup and notes on sounds; None where the sheet does not say.
        start: sample at 16 kHz, 0 = first frame shown.
        end: first sample after it.
        doubt: why it cannot be listened to.
    """

    line_index: int
    line_id: str
    character: str | None
    text: str | None
    start: int
    end: int
    doubt: LineDoubt | None = None


def spoken_lines(lines_uri: str | None, script_uri: str | None, script_digest: str | None) -> list[SpokenLine]:
    """The lines that are to be heard, in the order of the sheet; none without cue sheet and script.

    Args:
        lines_uri: LINE table of a dub that was made of takes.
        script_uri: where the script of another dub lies.
        script_digest: its SHA-256 when the job began.

    Raises:
        ScriptChangedError: the script is not what was admitted.
    """
    if lines_uri:
        return _of_sheet(stored_lines(lines_uri))
    if not script_uri:
        return []
    script = Path(script_uri)
    if not script.is_file() or file_digest(script) != script_digest:
        raise ScriptChangedError(f"{script.name} is not the script that was admitted; start the job again")
    return _of_script(script_lines(script))


def _of_sheet(lines: Sequence[Row]) -> list[SpokenLine]:
    """Those that were placed, as long as they are heard."""
    return [
        SpokenLine(
            line_index=place,
            line_id=line["line_id"],
            character=line["character"],
            text=said(line["text"]),
            start=line["start_sample"] // STEP,
            end=line["heard_end_sample"] // STEP,
        )
        for place, line in enumerate(lines)
        if line["start_sample"] is not None and line["heard_end_sample"] is not None
    ]


def _of_script(lines: Sequence[CueLine]) -> list[SpokenLine]:
    """All of them; one without an end reaches to the next, and one that says nothing is left out."""
    starts = sorted({line.start_s for line in lines if line.start_s is not None and not line.flaw})
    following = dict(zip_longest(starts, starts[1:]))
    found = []
    for place, line in enumerate(lines):
        start = end = 0
        text = said(line.text)
        if line.start_s is not None and not line.flaw:
            least = line.start_s + LONGEST_S
            end_s = line.end_s or min(following[line.start_s] or least, least)
            start, end = (round(moment * ANALYSIS_RATE_HZ) for moment in (line.start_s, end_s))
        if text or not line.text:
            doubt = None if end else LineDoubt.BAD_TIME
            found.append(
                SpokenLine(
                    line_index=place,
                    line_id=line.line_id,
                    character=line.character,
                    text=text,
                    start=start,
                    end=end,
                    doubt=doubt,
                )
            )
    return found


def said(text: str | None) -> str | None:
    """What of a text is spoken: no tags of subtitles, no notes on sounds, no music signs; None where nothing is."""
    return " ".join(_UNSAID.sub(" ", text or "").split()) or None
