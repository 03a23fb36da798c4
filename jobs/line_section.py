"""The lines of a dub in a report: what became of each, what of it is heard, and what is where there are none."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from jobs.html_table import html_table
from pipelines.stage import Row
from schemas.line import STEM_RATE_HZ
from schemas.timing import ANALYSIS_RATE_HZ, clock, fraction

HEADS = (
    *("line", "character", "text", "start", "take", "tempo"),
    *("heard", "words wrong", "starts late, s", "to be looked at", "flaw", ""),
)
RECOGNISED_HEADS = ("shot", "start", "heard")


def line_section(lines: Sequence[Row], manifest: Mapping[str, Any], film: Mapping[str, Any]) -> str:
    """HTML; nothing where the dub has neither cue sheet nor script, and nothing of it was recognised.

    Args:
        lines: LINE rows of the film's cue sheet.
        manifest: of the delivery, which says what is heard.
        film: FILM, from whose first frame times are told.
    """
    heard = {line["line_index"]: line for line in manifest.get("heard_lines", [])}
    if not lines and not heard:
        return _recognised(manifest)
    rows = [_cells(line, heard.get(place, {})) for place, line in enumerate(lines)]
    rows = rows or [_cells(_of_script(line, film), line) for line in heard.values()]
    flawed = sum(line["flaw"] is not None for line in lines)
    doubtful = sum(line["doubt"] is not None for line in heard.values())
    told = f"{len(rows)} lines, {flawed} with flaws, {doubtful} to be looked at.{_words(manifest.get('words'))}"
    return f'<h2>Lines</h2><p>{told}</p><div class="wide">{html_table(HEADS, rows)}</div>{_recognised(manifest)}'


def _cells(line: Row, heard: Mapping[str, Any]) -> list[object]:
    named = [line["line_id"], line["character"], line["text"], _start(line), line["take"], line["tempo"]]
    rate = heard.get("word_error_rate")
    wrong = None if rate is None else f"{rate:.0%}"
    return [
        *named,
        heard.get("heard"),
        wrong,
        heard.get("start_error_s"),
        heard.get("doubt"),
        line["flaw"],
        line["detail"],
    ]


def _start(line: Row) -> str | None:
    at = line["start_sample"]
    return None if at is None else clock(Fraction(at, STEM_RATE_HZ))


def _of_script(line: Row, film: Mapping[str, Any]) -> Row:
    """A line of a script as if it stood in a sheet."""
    begin_s = film["start_pts"] * fraction(film["time_base"])
    after_s = max(Fraction(0), Fraction(line["start"], ANALYSIS_RATE_HZ) - begin_s)
    missing = dict.fromkeys(("character", "take", "tempo", "flaw", "detail"))
    return missing | line | {"start_sample": round(after_s * STEM_RATE_HZ)}


def _recognised(manifest: Mapping[str, Any]) -> str:
    """What is heard of a dub whose text nobody gave."""
    found = manifest.get("recognised")
    if not found:
        return ""
    starts = {shot["shot_index"]: shot["start"] for shot in manifest["shots"]}
    rows = [[one["shot_index"], starts[one["shot_index"]], one["text"]] for one in found["shots"]]
    told = "This is no script: nobody gave a text. It is what Whisper base hears, perhaps wrong."
    told = f"{told} {found['words_timed']} of its words have times."
    return f'<h2>Recognised</h2><p>{told}</p><div class="wide">{html_table(RECOGNISED_HEADS, rows)}</div>'


def _words(words: Mapping[str, Any] | None) -> str:
    """How the film's words are heard, in words."""
    if not words:
        return ""
    rate = words["word_error_rate"]
    wrong = (
        "" if rate is None else f" Of {words['words_expected']} words {rate:.0%} are not heard as they are written."
    )
    return f"{wrong} {words['speech_outside_lines_s']:.1f} s of speech lie outside all lines."
