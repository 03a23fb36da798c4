"""A stem that is late as a whole is seen by where it begins to speak; one in time, and one of another film, is not."""

import numpy as np
import pytest

from pipelines.speech import SampleSpan
from pipelines.stem_lag import stem_lag
from schemas.timing import ANALYSIS_RATE_HZ as RATE


def lines(rng: np.random.Generator, number: int) -> list[SampleSpan]:
    """Lines as people talk: one to three seconds, with pauses of half a second to ten."""
    spans, at = [], 1.0
    for _ in range(number):
        length = rng.uniform(1, 3)
        spans.append((round(at * RATE), round((at + length) * RATE)))
        at += length + 0.5 + rng.exponential(2.5)
    return spans


def dubbed(spans: list[SampleSpan], rng: np.random.Generator, lag_s: float, kept: float = 0.9) -> list[SampleSpan]:
    """The same lines in another language: some are left out, none begins to the frame, each has its own length."""
    late = [
        (start + (lag_s + rng.normal(0, 0.06)) * RATE, end + (lag_s + rng.normal(0, 0.4)) * RATE)
        for start, end in spans
        if rng.random() < kept
    ]
    return [(max(0, round(start)), round(end)) for start, end in late if end > 0]


@pytest.mark.parametrize("lag_s", [-1.6, -0.5, 0.4, 1.2])
@pytest.mark.parametrize("seed", range(4))
def test_a_stem_that_is_late_as_a_whole_is_seen(lag_s: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    original = lines(rng, 60)

    found = stem_lag(original, dubbed(original, rng, lag_s), 2.0)

    assert found is not None
    assert found.lag_s == pytest.approx(lag_s, abs=0.06)
    assert found.share > 0.5


@pytest.mark.parametrize("seed", range(40))
def test_a_stem_in_time_and_one_of_another_film_are_not_called_late(seed: int) -> None:
    rng = np.random.default_rng(1000 + seed)
    original = lines(rng, int(rng.integers(12, 200)))

    assert stem_lag(original, dubbed(original, rng, float(rng.uniform(-0.2, 0.2))), 2.0) is None
    assert stem_lag(original, lines(rng, len(original)), 2.0) is None


def test_a_few_lines_say_nothing() -> None:
    rng = np.random.default_rng(0)
    original = lines(rng, 8)

    assert stem_lag(original, dubbed(original, rng, 1.0, kept=1.0), 2.0) is None
    assert stem_lag([], [], 2.0) is None
