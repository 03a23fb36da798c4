"""What a training step of the `small` painter takes on this machine, plain and with what its workers do.

    python -m benchmarks.training_step [--steps 3]

Each variant runs in a process of its own, one after the other, on the same made-up batch; figures are ratios to the
plain one. Memory that is kept and threads that sleep are settings of the process (`jobs/train_fit.py`).
"""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import replace

MEASURE = "--measure"


def measure(steps: int, *, own_norm: bool) -> float:
    """Seconds of a step, without the first."""
    import torch

    from diff2lip import blocks
    from diff2lip.painter_learner import PainterLearner
    from diff2lip.training_config import PainterTraining
    from diff2lip.windows import Windows
    from jobs.recipes import small

    if not own_norm:
        blocks.trains_half_on_cpu = lambda x: False
    torch.set_num_threads(os.cpu_count() or 1)
    recipe = small()
    training: PainterTraining = recipe.painter
    size, batch = recipe.crop.size_px, recipe.run.batch
    windows = Windows(
        ids=torch.arange(batch),
        target=torch.rand(batch, 5, 3, size, size) * 2 - 1,
        reference=torch.rand(batch, 3, size, size) * 2 - 1,
        mel=torch.rand(batch, 5, 80, 16),
        sync_mel=torch.rand(batch, 1, 80, 16),
        other_mel=torch.rand(batch, 1, 80, 16),
    )
    without_expert = replace(training, weights=replace(training.weights, sync=0))
    learner = PainterLearner(without_expert, torch.device("cpu"))
    learner.learn(windows, 0, 0.0)
    begin = time.perf_counter()
    for step in range(1, steps + 1):
        learner.learn(windows, step, 0.0)
    return (time.perf_counter() - begin) / steps


def in_process(steps: int, environment: dict[str, str], *, own_norm: bool) -> float:
    """The same, measured in a process with other settings."""
    command = [sys.executable, "-m", "benchmarks.training_step", MEASURE, "--steps", str(steps)]
    command += ["--own-norm"] if own_norm else []
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Times training steps of the small painter.")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument(MEASURE, action="store_true", help="print the seconds of this process")
    parser.add_argument("--own-norm", action="store_true")
    chosen = parser.parse_args()
    if chosen.measure:
        print(measure(chosen.steps, own_norm=chosen.own_norm))
        return
    from jobs.train_fit import CPU_WORKER

    plain = in_process(chosen.steps, {}, own_norm=False)
    print(f"plain: {plain:.2f} s a step of 80 frames")
    for name, environment, own_norm in (
        ("own gradients of GroupNorm", {}, True),
        ("memory kept, threads asleep", CPU_WORKER, False),
        ("both, as workers train", CPU_WORKER, True),
    ):
        seconds = in_process(chosen.steps, environment, own_norm=own_norm)
        print(f"{name}: {seconds:.2f} s, {plain / seconds:.2f} times as fast")


if __name__ == "__main__":
    main()
