"""Frames of pieces that go on: counted by the workers, read by the driver now and then.

One long shot is one row, and may be painted for an hour: without this nobody could tell it from one that stands still.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import ray
from ray.exceptions import RayError

from pipelines.progress import Event, Listener
from pipelines.stage import Row

READ_EVERY_S = 2.0


class _Counter:
    """The actor: events without frames, and the frames since they were last read."""

    def __init__(self) -> None:
        self._frames: Counter[Event] = Counter()

    def add(self, piece: Event, num_frames: int) -> None:
        self._frames[piece] += num_frames

    def take(self) -> list[Event]:
        taken = [replace(piece, num_frames=frames) for piece, frames in self._frames.items()]
        self._frames.clear()
        return taken


@dataclass(frozen=True, slots=True)
class LiveFrames:
    """What a worker needs to be heard."""

    counter: Any  # handle of the actor

    def tell(self, stage: str, row: Row, num_frames: int) -> None:
        """So many frames more of a row are done. Never waits, and a counter that is gone costs nothing."""
        names = {
            "title": row["title"],
            "language": row.get("language", ""),
            "shot_index": row.get("shot_index", row.get("part_index")),
        }
        self.counter.add.remote(Event(stage=stage, partial=True, **names), num_frames)


@contextmanager
def live_frames(listener: Listener) -> Iterator[LiveFrames]:
    """A counter for workers; `listener` hears of it every two seconds, from another thread, until the block ends."""
    counter = ray.remote(num_cpus=0, max_restarts=1)(_Counter).remote()
    ended = threading.Event()
    thread = threading.Thread(target=_read, args=(counter, listener, ended), daemon=True)
    thread.start()
    try:
        yield LiveFrames(counter)
    finally:
        ended.set()
        thread.join(READ_EVERY_S)
        ray.kill(counter)


def _read(counter: Any, listener: Listener, ended: threading.Event) -> None:
    while not ended.wait(READ_EVERY_S) and ray.is_initialized():  # a call without Ray would start another one
        try:
            events: list[Event] = ray.get(counter.take.remote(), timeout=READ_EVERY_S)
        except RayError:  # progress is lost, the work is not
            continue
        for event in events:
            listener(event)
