"""The curves of trainings as they are in MLflow: a picture to look at, and the numbers beside it.

    python -m benchmarks.training_curves --tracking-uri URI --out training/small/curves RUN_ID [RUN_ID ...]

Writes OUT.csv (run, measure, step, value) and OUT.png. Losses are of single batches, so their steps up and down are
those of easy and hard ones; held-out figures are of the averaged weights.
"""

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from jobs.lineage import tracking_client

TERMS = ("loss", "simple", "l1", "gradient", "sync")
HELD = ("held_right_900_db", "held_shuffled_900_db", "held_right_400_db", "held_shuffled_400_db", "held_copied_db")


@dataclass(frozen=True, slots=True)
class Curve:
    """One measure of one run."""

    run: str
    measure: str
    points: list[tuple[int, float]]  # step, value


def curves(tracking_uri: str, run_ids: list[str]) -> Iterator[Curve]:
    """Of all measures that a run has."""
    client = tracking_client(tracking_uri)
    for run_id in run_ids:
        run = client.get_run(run_id)
        name = f"rate {run.data.params['painter.optimiser.learning_rate']}"
        for measure in (*TERMS, *HELD):
            if measure in run.data.metrics:
                history = client.get_metric_history(run_id, measure)
                yield Curve(name, measure, sorted({point.step: point.value for point in history}.items()))


def draw(axes: Axes, found: list[Curve], measures: tuple[str, ...]) -> None:
    """The curves of some measures into one plot."""
    for curve in found:
        if curve.measure in measures:
            axes.plot(*zip(*curve.points, strict=True), ".-", label=f"{curve.measure}, {curve.run}")
    axes.set_xlabel("step")
    axes.legend(fontsize=6)
    axes.grid(alpha=0.3)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracking-uri", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("runs", nargs="+", metavar="RUN_ID")
    args = parser.parse_args()
    found = list(curves(args.tracking_uri, args.runs))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with args.out.with_suffix(".csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["run", "measure", "step", "value"])
        rows.writerows((one.run, one.measure, step, f"{value:.5g}") for one in found for step, value in one.points)
    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 5), layout="constrained")
    draw(left, found, ("loss",))
    draw(right, found, HELD)
    left.set_ylabel("loss of one batch")
    right.set_ylabel("PSNR of one-step estimates, dB")
    figure.savefig(args.out.with_suffix(".png"), dpi=110)


if __name__ == "__main__":
    main()
