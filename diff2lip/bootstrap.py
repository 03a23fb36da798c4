"""How sure a mean difference is, from people who were measured twice."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import bootstrap

RESAMPLES = 5000
FEWEST = 3  # people: of fewer no interval says anything


class TooFewError(ValueError):
    """Too few people for an interval."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and its confidence interval."""

    mean: float
    low: float
    high: float
    num_people: int


def mean_interval(values: Sequence[float], people: Sequence[str], confidence: float = 0.95) -> Interval:
    """The percentile bootstrap of a mean over people: clips of one person are averaged first, for they are alike.

    Efron & Tibshirani, "An Introduction to the Bootstrap" (1993), section 13.3.

    Args:
        values: one a clip, such as the difference of two models.
        people: who is seen in each.
        confidence: share of resamples that lie in the interval.

    Raises:
        TooFewError: fewer than three people.
    """
    means = [
        np.mean([value for value, name in zip(values, people, strict=True) if name == person])
        for person in sorted(set(people))
    ]
    if len(means) < FEWEST:
        raise TooFewError(f"{len(means)} people are too few to be sure of anything: {FEWEST} are needed")
    sample = np.array(means, np.float64)
    if np.ptp(sample) == 0:
        return Interval(float(sample[0]), float(sample[0]), float(sample[0]), len(sample))
    drawn = bootstrap(
        (sample,),
        np.mean,
        confidence_level=confidence,
        n_resamples=RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    low, high = drawn.confidence_interval
    return Interval(float(sample.mean()), float(low), float(high), len(sample))
