"""Progress for people: a live display in a terminal, plain lines elsewhere, nothing when quiet.

Fed by events of finished work. Everything goes to stderr: stdout belongs to results.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from pipelines.progress import Event, Listener, silent

LINE_EVERY_S = 10.0  # of a plain log: often enough to see life, seldom enough to read
STAGE_WORDS = {
    "admit": "looking at films",
    "shots": "finding cuts",
    "align": "listening",
    "faces": "following faces",
    "plan": "planning",
    "paint": "painting mouths",
    "composite": "compositing",
    "stitch": "stitching films",
}


class FrameRateColumn(ProgressColumn):
    """Frames per second since the stage began."""

    def render(self, task: Task) -> Text:
        frames, elapsed = task.fields["num_frames"], task.elapsed or 0.0
        return Text(f"{frames / elapsed:.1f} frames/s" if frames and elapsed else "")


class ProgressBoard:
    """One bar a stage, in the order in which stages first report. It is a Listener."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bars: dict[str, int] = {}

    def expect(self, stage: str, num_pieces: int) -> None:
        """So many films or shots will come from this stage."""
        self._progress.update(self._bar(stage), total=num_pieces)  # type: ignore[arg-type]

    def __call__(self, event: Event) -> None:
        bar = self._bar(event.stage)
        frames = self._progress.tasks[bar].fields["num_frames"] + (0 if event.cached else event.num_frames)
        self._progress.update(bar, advance=1, num_frames=frames, title=event.title)  # type: ignore[arg-type]
        if event.message:
            self._progress.console.print(f"{event.title}: {event.message}", markup=False, highlight=False)

    def _bar(self, stage: str) -> int:
        if stage not in self._bars:
            words = STAGE_WORDS.get(stage, stage)
            self._bars[stage] = self._progress.add_task(words, total=None, num_frames=0, title="")
        return self._bars[stage]


class PlainLog:
    """A line for a stage now and then, and for every message. It is a Listener."""

    def __init__(self, write: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._clock = write, clock
        self._pieces: dict[str, int] = {}
        self._expected: dict[str, int] = {}
        self._frames: dict[str, int] = {}
        self._began: dict[str, float] = {}
        self._spoke: dict[str, float] = {}

    def expect(self, stage: str, num_pieces: int) -> None:
        """So many films or shots will come from this stage."""
        self._expected[stage] = num_pieces

    def __call__(self, event: Event) -> None:
        now, stage = self._clock(), event.stage
        self._began.setdefault(stage, now - event.seconds)
        self._pieces[stage] = self._pieces.get(stage, 0) + 1
        self._frames[stage] = self._frames.get(stage, 0) + (0 if event.cached else event.num_frames)
        last = self._pieces[stage] == self._expected.get(stage)
        if event.message:
            self._write(f"{event.title}: {event.message}\n")
        if last or now - self._spoke.get(stage, -LINE_EVERY_S) >= LINE_EVERY_S:
            self._spoke[stage] = now
            self._write(self._line(event, now))

    def _line(self, event: Event, now: float) -> str:
        stage, pieces = event.stage, self._pieces[event.stage]
        expected = self._expected.get(stage)
        elapsed = now - self._began[stage]
        parts = [f"{STAGE_WORDS.get(stage, stage)}: {pieces}" + (f" of {expected}" if expected else "")]
        if self._frames[stage] and elapsed > 0:
            parts.append(f"{self._frames[stage] / elapsed:.1f} frames/s")
        if expected and pieces < expected and elapsed > 0:
            parts.append(f"about {elapsed / pieces * (expected - pieces):.0f} s to go")
        return f"{', '.join(parts)} ({event.title})\n"


class Silence:
    """Shows nothing. It is a Listener."""

    def expect(self, stage: str, num_pieces: int) -> None:
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
    """A Listener that tells them all."""

    def tell(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return tell


def _columns() -> list[ProgressColumn]:
    words, title = TextColumn("{task.description:<18}"), TextColumn("{task.fields[title]}", markup=False)
    return [words, BarColumn(), MofNCompleteColumn(), FrameRateColumn(), TimeRemainingColumn(), title]


def _to_stderr(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
