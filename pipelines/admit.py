"""Stage 0: films and dubs looked at in a disposable child process; facts or all problems at once."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pipelines.known_films import DubKind, KnownFilms
from pipelines.stage import Row
from pipelines.storage import content_key
from schemas.reason import Refusal

VERSION = 1
START_TIMEOUT_S = 60.0  # a loaded machine imports slowly; no film is to blame for it
PROBE_TIMEOUT_S = 60.0  # without a sign of life; a healthy child speaks every 250 frames


@dataclass(frozen=True, kw_only=True, slots=True)
class AdmitRequest:
    """One catalog row that is well formed: a film and its dub."""

    row_number: int
    title: str
    language: str
    film: Path
    dub: Path
    dub_kind: str  # the catalog column that names the dub: dub_stem, dub_mix or cue_sheet
    me_stem: Path | None = None
    script: Path | None = None  # lines with times; `cue_sheet.py` looks at it
    cast: Path | None = None  # names and pictures; `cast_list.py` looks at it
    source_language: str | None = None  # of the film's own sound; None where nobody said it


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """One thing that is wrong with a catalog row."""

    row_number: int
    column: str
    refusal: Refusal
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Admitted:
    """What became of one request."""

    film: Row | None  # FILM; None when it is refused
    refused: list[Refused]
    seconds: float
    found: bool = False  # the same bytes were admitted before


class _SilentChildError(Exception):
    """The child stood still or ended without an answer."""

    def __init__(self, refusal: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.refusal = refusal
        self.detail = detail


def admit_films(
    requests: Sequence[AdmitRequest], known: KnownFilms | None = None, timeout_s: float = PROBE_TIMEOUT_S
) -> Iterator[Admitted]:
    """FILM rows of the good requests, and everything that is wrong with the others, in their order.

    Args:
        requests: what to look at.
        known: films that need not be looked at, as they were admitted before.
        timeout_s: how long the child may go without a sign of life before it is killed; only the film
            that it looked at is refused.
    """
    known = known or KnownFilms()
    with _Examiner(timeout_s) as examiner:
        for request in requests:
            begin = time.monotonic()
            kind = DubKind(request.dub_kind, request.language, request.source_language)
            facts = known.facts(request.film, request.dub, kind, request.me_stem)
            found, refused = facts is not None, list[Refused]()
            if facts is None:
                facts, refused = _examined(examiner, request)
            film = None if refused else _film_row(request, facts, known)
            yield Admitted(film=film, refused=refused, seconds=time.monotonic() - begin, found=found)


def _examined(examiner: "_Examiner", request: AdmitRequest) -> tuple[Row, list[Refused]]:
    question = {
        "film": str(request.film),
        "dub": str(request.dub),
        "dub_kind": request.dub_kind,
        "language": request.language,
        "source_language": request.source_language,
        "me_stem": str(request.me_stem) if request.me_stem else None,
    }
    try:
        answer = examiner.ask(question)
    except _SilentChildError as error:
        return {}, [_refused(request, "film", error.refusal, error.detail)]
    problems = [
        _refused(request, problem["column"], Refusal(problem["refusal"]), problem["detail"])
        for problem in answer["problems"]
    ]
    return answer["facts"] or {}, problems


def _refused(request: AdmitRequest, column: str, refusal: Refusal, detail: str) -> Refused:
    return Refused(row_number=request.row_number, column=column, refusal=refusal, detail=detail)


def _film_row(request: AdmitRequest, facts: Row, known: KnownFilms) -> Row:
    film_id, dub_digest = known.digest(request.film), known.dub_digest(request.dub, request.dub_kind)
    is_sheet = request.dub_kind == "cue_sheet"
    place = str(request.dub.absolute() if is_sheet else request.dub.resolve())  # takes lie beside the sheet
    made_of = {
        "film_id": film_id,
        "language": request.language,
        "dub_digest": dub_digest,
        "dub_kind": request.dub_kind,
        "sheet_digest": dub_digest if is_sheet else None,
        "me_digest": known.digest(request.me_stem) if request.me_stem else None,
    }
    return {
        **made_of,
        "dub_id": dub_id(made_of),
        "source_language": request.source_language,
        "title": request.title,
        "film_uri": str(request.film.resolve()),
        "dub_uri": place,
        "sheet_uri": place if is_sheet else None,
        "lines_uri": None,  # they are not placed yet
        "conform": None,
        "me_conform": None,
        "script_uri": str(request.script.resolve()) if request.script else None,
        "script_digest": _list_digest(request.script, known),
        "me_uri": str(request.me_stem.resolve()) if request.me_stem else None,
        "cast_uri": str(request.cast.resolve()) if request.cast else None,
        "cast_digest": _list_digest(request.cast, known),
        **facts,
    }


def _list_digest(path: Path | None, known: KnownFilms) -> str | None:
    """Of a cast list or script; none of what cannot be read, which is refused when it is looked at."""
    try:
        return known.digest(path) if path else None
    except OSError:
        return None


def dub_id(made_of: Row) -> str:
    """The id of one film in one language.

    Args:
        made_of: film_id, language, dub_digest, sheet_digest, dub_kind and me_digest; a row of FILM has them all.
    """
    facts = {name: made_of[name] for name in ("film_id", "language", "dub_digest", "dub_kind")}
    if made_of["sheet_digest"]:  # the stem of its takes is made by this project
        facts["dub_digest"] = made_of["sheet_digest"]
    if made_of["me_digest"]:
        facts["me_digest"] = made_of["me_digest"]
    return content_key("dub", VERSION, facts)


class _Examiner:
    """A child process that is asked, watched, killed when it stands still, and then replaced."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._child: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> "_Examiner":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """The child's answer to one question.

        Raises:
            _SilentChildError: it gave none; the next question goes to a new child.
        """
        try:
            child = self._child or self._start()
            assert child.stdin is not None
            child.stdin.write(json.dumps(question) + "\n")
            child.stdin.flush()
            while True:
                answer: dict[str, Any] = json.loads(self._line(self._timeout_s))
                if "problems" in answer:
                    return answer
        except (BrokenPipeError, _SilentChildError) as error:
            self._end()
            if isinstance(error, _SilentChildError):
                raise
            raise _SilentChildError(Refusal.DAMAGED, "the decoder ended without an answer") from error

    def _line(self, timeout_s: float) -> str:
        try:
            line = self._lines.get(timeout=timeout_s)
        except queue.Empty as error:
            detail = f"no sign of life for {timeout_s:g} s while it was decoded"
            raise _SilentChildError(Refusal.PROBE_TIMEOUT, detail) from error
        if not line:
            raise _SilentChildError(Refusal.DAMAGED, "the decoder crashed on it")
        return line

    def _start(self) -> "subprocess.Popen[str]":
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._child = subprocess.Popen(
            [sys.executable, "-m", "pipelines.admission"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self._lines = queue.Queue()
        threading.Thread(target=_pour, args=(self._child.stdout, self._lines), daemon=True).start()
        self._line(START_TIMEOUT_S)
        return self._child

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            if self._child.stdin and not self._child.stdin.closed:
                _close(self._child.stdin)
            self._child = None


def _pour(source: IO[str] | None, lines: "queue.Queue[str]") -> None:
    assert source is not None
    with source:
        for line in source:
            lines.put(line)
    lines.put("")


def _close(pipe: IO[str]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return  # what it had not read is lost with it
