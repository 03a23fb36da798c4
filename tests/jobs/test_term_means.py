"""What is told of some steps is their mean, and each step is in one of them."""

import math

from jobs.term_means import TermMeans


def test_each_mean_is_of_the_steps_since_the_last() -> None:
    means = TermMeans()
    means.add({"loss": 1.0, "sync": 4.0})
    means.add({"loss": 3.0, "sync": 2.0})
    first = means.take()
    means.add({"loss": 7.0})

    assert first == {"loss": 2.0, "sync": 3.0}
    assert means.take() == {"loss": 7.0}


def test_a_step_that_was_skipped_spoils_no_mean() -> None:
    means = TermMeans()
    for loss in (1.0, math.nan, 3.0):
        means.add({"loss": loss, "gradient_norm": math.inf})

    assert means.take() == {"loss": 2.0, "gradient_norm": math.inf}
