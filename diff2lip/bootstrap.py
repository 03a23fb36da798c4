"""How sure a mean difference is, from people who were measured twice."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 5000
FEWEST = 6  # people: of fewer the interval is as wide as all that can happen
Floats = NDArray[np.float64]


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
    """The bootstrap-t of a mean over people: clips of one person are averaged first, for they are alike.

    Resamples are measured in their own standard errors: over a dozen people the percentile bootstrap is too narrow and
    would call twice as many differences sure as it says. Efron & Tibshirani, "An Introduction to the Bootstrap"
    (1993), section 12.5.

    Args:
        values: one a clip, such as the difference of two models.
        people: who is seen in each.
        confidence: share of the intervals that hold the true mean.

    Raises:
        TooFewError: fewer than six people.
    """
    means = [
        np.mean([value for value, name in zip(values, people, strict=True) if name == person])
        for person in sorted(set(people))
    ]
    if len(means) < FEWEST:
        raise TooFewError(f"{len(means)} people are too few to be sure of anything: {FEWEST} are needed")
    sample = np.array(means, np.float64)
    mean, error = float(sample.mean()), float(_standard_error(sample))
    if np.ptp(sample) == 0:
        return Interval(mean, mean, mean, len(sample))
    outside = (1 - confidence) / 2
    low_t, high_t = np.quantile(_resampled_t(sample), [outside, 1 - outside], method="nearest")
    return Interval(mean, mean - float(high_t) * error, mean - float(low_t) * error, len(sample))


def _resampled_t(sample: Floats) -> Floats:
    """[RESAMPLES] how far the means of resamples lie from the sample's, in standard errors of their own."""
    drawn = sample[np.random.default_rng(0).integers(0, len(sample), (RESAMPLES, len(sample)))]
    beside, errors = drawn.mean(1) - sample.mean(), _standard_error(drawn)
    flat = np.ptp(drawn, axis=1) == 0  # one person, drawn every time: as far off as can be
    t: Floats = np.where(flat, np.copysign(np.inf, beside), beside / np.where(flat, 1, errors))
    return t


def _standard_error(samples: Floats) -> Floats:
    """Of the mean, along the last axis."""
    return np.asarray(samples.std(-1, ddof=1) / np.sqrt(samples.shape[-1]))
