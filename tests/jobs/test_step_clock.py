"""What of a training's time was spent waiting for data: the first batch is start-up, each later one counts."""

from collections.abc import Iterator

import pytest

from jobs import step_clock
from jobs.step_clock import StepClock


class Time:
    """A clock that others move."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


def test_waiting_is_what_passes_between_asking_for_a_batch_and_having_it(monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time()
    monkeypatch.setattr(step_clock, "time", time)

    def batches() -> Iterator[int]:
        for number, wait_s in enumerate((30, 1, 3)):
            time.now_s += wait_s
            yield number

    clock, shares = StepClock(learnt_s=50.0), []
    for _ in clock.waiting(batches()):
        time.now_s += 4.0  # of learning
        shares.append(clock.take_wait_share())

    assert shares == pytest.approx([0.0, 1 / 5, 3 / 7])
    assert clock.learnt_s == pytest.approx(50 + 4 + 5 + 7), "without the 30 s before there was anything to learn"
