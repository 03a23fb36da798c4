"""Draws windows in a process of Ray: what it needs is loaded where it draws, not wherever the dataset is known."""

import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np

Batch = dict[str, Any]

BLOCKS_A_TASK = 16


class DrawFrom:
    """`DrawWindows` from where the training is: the first row is the first block that was not learnt yet."""

    def __init__(self, plan: bytes) -> None:
        """`plan`: a pickled `TrainPlan`; as bytes, for Ray unpacks arguments in processes that never draw."""
        from jobs.training_dataset import read_reached
        from pipelines.training_windows import DrawWindows

        told = pickle.loads(plan)
        self._draw = DrawWindows(told.learn_uri, told.windows, told.recipe.run.block)
        self._first = read_reached(told.folder)

    def __call__(self, batch: Batch) -> Iterator[Batch]:
        """The sample blocks of each task of a batch, one row after another."""
        for task in batch["id"].tolist():
            for place in range(BLOCKS_A_TASK):
                block = self._first + task * BLOCKS_A_TASK + place
                yield dict(self._draw({"block": np.array([block])}))
