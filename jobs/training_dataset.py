"""The windows of a training as a Ray dataset: in one order, whoever draws them and however many learn from them."""

import json
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray
from ray.data import ActorPoolStrategy, DataContext, Dataset
from ray.train import DataConfig

from diff2lip.mel import NUM_MELS, STEPS_PER_WINDOW
from diff2lip.syncnet import WINDOW_FRAMES
from jobs.draw_from import BLOCKS_A_TASK, DrawFrom
from jobs.recipes import Recipe
from jobs.train_plan import TrainPlan
from pipelines.storage import write_whole

TASKS_AN_EPOCH = 2048  # each is an object of Ray from the beginning: more of them begin later
DRAWER_CPUS = 0.5
TASKS_A_DRAWER = 8  # in the store: Ray lets a dataset take half of it, and starts no task that may not fit
ONE_ROW_A_BLOCK = 1  # byte: every row is larger
REACHED_NAME = "reached.json"


def window_dataset(plan: TrainPlan) -> Dataset:
    """Sample blocks from the one that the training has reached on, in order, each row a block of its own.

    One task draws many of them, for each that Ray hands out costs it as much as drawing two. Ray gives a drawer whole
    blocks of its input: so each task is one. When an epoch of them is at its end, whoever learns begins the next one
    at the block that it has reached by then.
    """
    run = plan.recipe.run
    count = min(TASKS_AN_EPOCH, -(-run.max_steps * run.batch // (run.block * BLOCKS_A_TASK)))
    with _one_row_a_block():
        # Not `ray.data.range`: its reading tasks want a whole CPU each, which drawers and workers may have taken.
        tasks = ray.data.from_items([{"id": task} for task in range(count)], override_num_blocks=count)
    return tasks.map_batches(
        DrawFrom,
        fn_constructor_kwargs={"plan": pickle.dumps(plan)},
        batch_size=1,
        batch_format="numpy",
        compute=ActorPoolStrategy(size=run.drawers),
        num_cpus=DRAWER_CPUS,
    )


def store_bytes(recipe: Recipe) -> int:
    """Of the object store: enough that no drawer waits for room.

    Tasks are drawn beside one another and learnt in order: those that are early wait there. With room for two tasks a
    drawer, twelve drew no more than four would; `benchmarks/window_drawing.py`.
    """
    crop, run = recipe.crop.size_px, recipe.run
    pictures = 3 * crop * crop * (WINDOW_FRAMES + 1)
    sound = 4 * NUM_MELS * STEPS_PER_WINDOW * (WINDOW_FRAMES + 2)
    return TASKS_A_DRAWER * run.drawers * BLOCKS_A_TASK * run.block * (pictures + sound)


@contextmanager
def _one_row_a_block() -> Iterator[None]:
    """Settings that a dataset takes with it when it is made; those of the process are as before."""
    context = DataContext.get_current()
    before = context.target_max_block_size, context.enable_progress_bars
    context.target_max_block_size, context.enable_progress_bars = ONE_ROW_A_BLOCK, False
    try:
        yield
    finally:
        context.target_max_block_size, context.enable_progress_bars = before


def in_order() -> DataConfig:
    """Rows go to the workers in turn: worker r of W has rows r, r + W, r + 2 W, ..."""
    options = DataConfig.default_ingest_options()
    options.preserve_order = True
    return DataConfig(execution_options=options)


def write_reached(folder: str, block: int) -> None:
    """Say from which block on a training goes on; before its dataset is begun."""
    write_whole(Path(folder) / REACHED_NAME, json.dumps({"block": block}).encode())


def read_reached(folder: str) -> int:
    """The block that `write_reached` named; 0 before anything was learnt."""
    path = Path(folder) / REACHED_NAME
    return int(json.loads(path.read_text())["block"]) if path.is_file() else 0
