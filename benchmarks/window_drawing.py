"""How many training windows a second Ray hands out with one drawer and with several, in one run.

    python -m benchmarks.window_drawing --data DIR [--recipe small] [--drawers 1 2] [--windows 2000] [KEY=VALUE ...]

The windows are drawn as in `diff2lip train diff2lip` and not learnt from: this is what drawing can feed at most. The
time begins with the first window, so that processes have started.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

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
    parser.add_argument("settings", nargs="*", help="of the recipe, as after --set")
    args = parser.parse_args()
    prepare_ray()
    first = None
    for drawers in args.drawers:
        with tempfile.TemporaryDirectory() as folder:
            request = TrainRequest(
                kind=Kind.DIFF2LIP,
                recipe=args.recipe,
                data=args.data,
                out=Path(folder),
                settings=("painter.weights.sync=0", f"run.drawers={drawers}", *args.settings),
            )
            rate = windows_a_second(request, args.windows)
        first = first or rate
        print(f"{drawers} drawers: {rate:.1f} windows/s, {rate / first:.2f} times", flush=True)


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
