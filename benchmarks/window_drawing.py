"""How many training windows a second Ray hands out with one drawer and with several, in one run.

    python -m benchmarks.window_drawing --data DIR [--recipe small] [--drawers 1 2] [--windows 2000] [KEY=VALUE ...]
    python -m benchmarks.window_drawing --data DIR --drawers 12 --wait-ms 25 --windows 8000 run.block=8 run.batch=64

The windows are drawn as in `diff2lip train diff2lip` and not learnt from: this is what drawing can feed at most. The
time begins with the first window, so that processes have started. With `--wait-ms` drawers wait so long for each
window instead of drawing it: what order, store and hand-over leave of many drawers, on a machine of few cores.
"""

import argparse
import pickle
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from diff2lip.mel import NUM_MELS, STEPS_PER_WINDOW
from diff2lip.syncnet import WINDOW_FRAMES
from jobs.cluster import prepare_ray, ray_cluster
from jobs.recipes import Kind
from jobs.train_request import TrainRequest


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recipe", default="small")
    parser.add_argument("--drawers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--windows", type=int, default=2000)
    parser.add_argument("--wait-ms", type=float, help="a window, instead of drawing it")
    parser.add_argument("settings", nargs="*", help="of the recipe, as after --set")
    args = parser.parse_args()
    prepare_ray()
    if args.wait_ms is not None:
        wait_instead(args.wait_ms / 1000)
    first = None
    for drawers in args.drawers:
        with tempfile.TemporaryDirectory() as folder:
            request = TrainRequest(
                kind=Kind.DIFF2LIP,
                recipe=args.recipe,
                data=str(args.data),
                out=Path(folder),
                settings=("painter.weights.sync=0", f"run.drawers={drawers}", *args.settings),
            )
            rate = windows_a_second(request, args.windows)
        first = first or rate
        print(f"{drawers} drawers: {rate:.1f} windows/s, {rate / first:.2f} times", flush=True)


def wait_instead(seconds: float) -> None:
    """Let drawers wait, on hardly any CPU."""
    from jobs import training_dataset
    from jobs.draw_from import BLOCKS_A_TASK

    class Waits:
        """As `DrawFrom`; a class of this function travels to Ray's processes by what it says."""

        def __init__(self, plan: bytes) -> None:
            recipe = pickle.loads(plan).recipe
            size, self._block = recipe.crop.size_px, recipe.run.block
            self._pictures = (1, self._block, WINDOW_FRAMES + 1, 3, size, size)
            self._sounds = (1, self._block, WINDOW_FRAMES + 2, NUM_MELS, STEPS_PER_WINDOW)

        def __call__(self, batch: dict[str, Any]) -> Iterator[dict[str, Any]]:
            for _ in range(len(batch["id"]) * BLOCKS_A_TASK):
                time.sleep(seconds * self._block)
                yield {
                    "ids": np.zeros((1, self._block), np.int64),
                    "pictures": np.ones(self._pictures, np.uint8),
                    "sounds": np.ones(self._sounds, np.float32),
                }

    training_dataset.DrawFrom = Waits  # type: ignore[assignment, misc]
    training_dataset.DRAWER_CPUS = 0.05


def windows_a_second(request: TrainRequest, count: int) -> float:
    """What one consumer gets."""
    from jobs.train_material import gather
    from jobs.train_plan import TrainPlan
    from jobs.training_dataset import store_bytes, window_dataset

    material = gather(request)
    run = replace(material.recipe.run, max_steps=10 * count // material.recipe.run.batch)
    recipe = replace(material.recipe, run=run)
    plan = TrainPlan(
        recipe=recipe,
        picture=material.picture,
        learn_uri=material.learn_uri,
        held_uri=material.held_uri,
        expert=None,
        perceptual=None,
        parent=None,
        rival=None,
        folder=str(request.out),
        storage=str(request.out),
        budget_s=None,
        threads=1,
        tracking_uri="",
        run_id="",
    )
    with ray_cluster(store_bytes=store_bytes(recipe)):
        dataset = window_dataset(plan)
        dataset.context.execution_options.preserve_order = True
        seen, begin = 0, 0.0
        for row in dataset.iter_batches(batch_size=1, batch_format="numpy"):
            seen += row["ids"].size
            begin = begin or time.monotonic()
            if seen >= count:
                break
        return (seen - run.block) / (time.monotonic() - begin)


if __name__ == "__main__":
    main()
