"""The time of a training: how long it has learnt, and how much of that it waited for data."""

import itertools
import math
import time
from collections.abc import Iterator
from typing import Any


class StepClock:
    """Seconds learnt over all restarts, and how many of them were spent waiting for data.

    It begins with the first batch: until then processes start.
    """

    def __init__(self, learnt_s: float) -> None:
        self._before_s, self._begin = learnt_s, math.inf
        self._since, self._waited_s = math.inf, 0.0

    @property
    def learnt_s(self) -> float:
        """All in all."""
        return self._before_s + max(0.0, time.monotonic() - self._begin)

    def waiting(self, batches: Iterator[Any]) -> Iterator[Any]:
        """The same batches; the time until each but the first comes is counted."""
        for number in itertools.count():
            begin = time.monotonic()
            batch = next(batches, None)
            if batch is None:
                return
            if number:
                self._waited_s += time.monotonic() - begin
            else:
                self._begin = self._since = time.monotonic()
            yield batch

    def take_wait_share(self) -> float:
        """Share of the time since it was asked last that was spent waiting for data."""
        now = time.monotonic()
        share = self._waited_s / max(1e-9, now - self._since)
        self._since, self._waited_s = now, 0.0
        return share
