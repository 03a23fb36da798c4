"""Progress for people: a live display in a terminal, plain lines elsewhere, nothing when quiet.

Fed by events of finished work. Everything goes to stderr: stdout belongs to results.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
)
from rich.text import Text

from jobs.stage_progress import StageProgress
from pipelines.progress import Event, Listener, silent

LINE_EVERY_S = 10.0  # of a plain log: often enough to see life, seldom enough to read
STAGE_WORDS = {
    "admit": "looking at films",
    "takes": "placing takes",
    "conform": "conforming mixes",
    "watch": "watching films",
    "shots": "cutting into shots",
    "align": "listening",
    "faces": "who speaks",
    "plan": "planning",
    "crops": "cutting out faces",
    "paint": "painting mouths",
    "composite": "compositing",
    "judge": "judging",
    "stitch": "stitching films",
    "clips": "cutting clips",
    "challenge": "meeting the champion",
}


class RateColumn(ProgressColumn):
    """Frames per second since the stage began."""

    def render(self, task: Task) -> Text:
        rate = task.fields["rate"]
        return Text(f"{rate:.1f} frames/s" if rate else "")


class RemainingColumn(ProgressColumn):
    """Time to go at the pace so far, where it can be said."""

    def render(self, task: Task) -> Text:
        left = task.fields["remaining_s"]
        return Text("" if left is None else f"{timedelta(seconds=round(left))} to go")


class ProgressBoard:
    """One bar a stage, in the order in which stages first report. It is a Listener."""

    def __init__(self, progress: Progress, clock: Callable[[], float] = time.monotonic) -> None:
        self._progress, self._clock = progress, clock
        self._bars: dict[str, tuple[TaskID, StageProgress]] = {}

    def expect(self, stage: str, num_pieces: int, num_frames: int = 0) -> None:
        """So many films or shots, and frames where that is known, will come from this stage."""
        _, counted = self._bar(stage)
        counted.expected_pieces, counted.expected_frames = num_pieces, num_frames
        self._show(stage, "")

    def __call__(self, event: Event) -> None:
        self._bar(event.stage)[1].see(event)
        self._show(event.stage, event.title)
        if event.message:
            self._progress.console.print(f"{event.title}: {event.message}", markup=False, highlight=False)

    def _bar(self, stage: str) -> tuple[TaskID, StageProgress]:
        if stage not in self._bars:
            words = STAGE_WORDS.get(stage, stage)
            bar = self._progress.add_task(words, total=None, rate=0.0, remaining_s=None, title="")
            self._bars[stage] = bar, StageProgress(self._clock())
        return self._bars[stage]

    def _show(self, stage: str, title: str) -> None:
        bar, counted = self._bars[stage]
        now = self._clock()
        facts: dict[str, Any] = {"rate": counted.rate(now), "remaining_s": counted.remaining_s(now), "title": title}
        self._progress.update(bar, completed=counted.done, total=counted.expected or None, **facts)


class PlainLog:
    """A line for a stage now and then, and for every message. It is a Listener."""

    def __init__(self, write: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._clock = write, clock
        self._stages: dict[str, StageProgress] = {}
        self._expected: dict[str, tuple[int, int]] = {}
        self._spoke: dict[str, float] = {}

    def expect(self, stage: str, num_pieces: int, num_frames: int = 0) -> None:
        """So many films or shots, and frames where that is known, will come from this stage."""
        self._expected[stage] = num_pieces, num_frames

    def __call__(self, event: Event) -> None:
        now, stage = self._clock(), event.stage
        counted = self._stages.setdefault(stage, StageProgress(now - event.seconds))
        counted.expected_pieces, counted.expected_frames = self._expected.get(stage, (0, 0))
        counted.see(event)
        if event.message:
            self._write(f"{event.title}: {event.message}\n")
        last = counted.finished and not event.partial
        if last or now - self._spoke.get(stage, -LINE_EVERY_S) >= LINE_EVERY_S:
            self._spoke[stage] = now
            self._write(_line(event, counted, now))


def _line(event: Event, counted: StageProgress, now: float) -> str:
    words, rate, left = STAGE_WORDS.get(event.stage, event.stage), counted.rate(now), counted.remaining_s(now)
    parts = [f"{words}: {counted.done}" + (f" of {counted.expected}" if counted.expected else "") + counted.unit]
    parts += [f"{rate:.1f} frames/s"] if rate else []
    parts += [f"about {left:.0f} s to go"] if left is not None else []
    return f"{', '.join(parts)} ({event.title})\n"


class Silence:
    """Shows nothing. It is a Listener."""

    def expect(self, stage: str, num_pieces: int, num_frames: int = 0) -> None:
        """Nothing is shown."""

    def __call__(self, event: Event) -> None:
        silent(event)


Display = ProgressBoard | PlainLog | Silence


@contextmanager
def shown_progress(*, quiet: bool) -> Iterator[Display]:
    """The display that fits: none when quiet, live in a terminal, plain lines elsewhere."""
    if quiet:
        yield Silence()
    elif not sys.stderr.isatty():
        yield PlainLog(_to_stderr)
    else:
        with Progress(*_columns(), console=Console(stderr=True)) as progress:
            yield ProgressBoard(progress)


def several(*listeners: Listener) -> Listener:
    """A Listener that tells them all, one event at a time, from whatever thread it comes."""
    lock = Lock()

    def tell(event: Event) -> None:
        with lock:
            for listener in listeners:
                listener(event)

    return tell


def _columns() -> list[ProgressColumn]:
    words, title = TextColumn("{task.description:<18}"), TextColumn("{task.fields[title]}", markup=False)
    return [words, BarColumn(), MofNCompleteColumn(), RateColumn(), RemainingColumn(), title]


def _to_stderr(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
