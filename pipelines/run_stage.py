"""How a stage becomes a pool of Ray actors: the only place where stages and Ray meet."""

import logging
import resource
import time
import warnings
from collections.abc import Iterator, Mapping
from functools import partial
from threading import Lock
from typing import Any

import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy, DataContext, Dataset, ExecutionResources

from pipelines.live_frames import LiveFrames
from pipelines.placement import PLACEMENTS, Placement, Pool, check_fits, pool_of
from pipelines.stage import Row, Stage

BUILDING = Lock()  # Ray Data's settings belong to the process, and a dataset takes them when it is built
TIMINGS = pa.list_(pa.struct([("stage", pa.string()), ("seconds", pa.float64()), ("peak_mib", pa.float64())]))
NAMES = ("title", "language", "shot_index", "part_index")
TASK_RETRIES = 2  # a shot that ends its process is tried so often again, then its row is missing
NO_PROGRESS_S = 3 * 3600.0  # one long film is one row of the first stage


class TimedStage:
    """A stage, and beside its rows how long it took and how much memory its process held."""

    def __init__(self, name: str, stage: type[Stage], settings: dict[str, Any], live: LiveFrames | None) -> None:
        self._name, self._stage, self._live = name, stage(**settings), live

    def __call__(self, rows: pa.Table) -> pa.Table:
        before = rows.column("timings").to_pylist()
        begin = time.monotonic()
        if self._live:
            self._stage.tell = partial(self._live.tell, self._name, _names(rows))
        result = self._stage(rows.drop_columns(["timings"]))
        timing = {"stage": self._name, "seconds": time.monotonic() - begin, "peak_mib": peak_mib()}
        # A film that became several shots: its time goes to the first of them.
        timings = [(before[index] if index < len(before) else []) for index in range(result.num_rows)]
        timings = [[*timings[0], timing], *timings[1:]] if timings else []
        return result.append_column("timings", pa.array(timings, TIMINGS))


def _names(rows: pa.Table) -> Row:
    """Of the first row: a stage is given one at a time."""
    first: Row = rows.select([name for name in NAMES if name in rows.column_names]).slice(0, 1).to_pylist()[0]
    return first


def peak_mib() -> float:
    """The most memory that this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def rows_of(table: pa.Table) -> Dataset:
    """A dataset of one row a block: the unit of work, of retry and of progress."""
    empty = pa.array([[]] * table.num_rows, TIMINGS)
    timed = table.append_column("timings", empty)
    return ray.data.from_arrow([timed.slice(index, 1) for index in range(timed.num_rows)])


def apply(
    rows: Dataset,
    name: str,
    stage: type[Stage],
    placement: Placement,
    settings: dict[str, Any],
    live: LiveFrames | None = None,
) -> Dataset:
    """Append one stage to the lazy dataset; its frames are told to `live` as they are done."""
    pool = pool_here(placement)
    with warnings.catch_warnings():
        # Ray 2.60 has no other name for `max_task_retries` yet.
        warnings.filterwarnings("ignore", message=".*ray_remote_args.*", category=DeprecationWarning)
        return rows.map_batches(
            TimedStage,
            fn_constructor_kwargs={"name": name, "stage": stage, "settings": settings, "live": live},
            batch_format="pyarrow",
            batch_size=1,
            compute=ActorPoolStrategy(min_size=1, max_size=pool.actors),
            num_cpus=pool.cpus,
            num_gpus=pool.gpus,
            udf_modifying_row_count=True,
            max_task_retries=TASK_RETRIES,
        )


def pool_here(placement: Placement) -> Pool:
    """The actors of a stage on the cluster that this process is connected to."""
    return pool_of(placement, *_cpus_and_gpus())


def check_cluster(placed: Mapping[str, Placement] = PLACEMENTS) -> None:
    """Whether all stages will ever start on the cluster that this process is connected to.

    Raises:
        ClusterTooSmallError: some would not.
    """
    check_fits(placed, *_cpus_and_gpus())


def _cpus_and_gpus() -> tuple[float, float]:
    resources = ray.cluster_resources()
    return resources.get("CPU", 0.0), resources.get("GPU", 0.0)


def one_row_a_block(rows: Dataset) -> Dataset:
    """The same rows, each its own block; behind a fan-out."""
    return rows.repartition(target_num_rows_per_block=1, strict=True)


def finished_rows(rows: Dataset) -> Iterator[Row]:
    """The rows as they come out, in no order; one is missing where its stage failed: the caller must look."""
    yield from rows.iter_rows()


def configure_ray_data(reserved_cpus: float = 0.0) -> None:
    """Settings that a dataset takes with it when it is built: call this before.

    Args:
        reserved_cpus: kept free for tasks beside the dataset.

    Raises:
        ClusterTooSmallError: a pool of every stage would never fit.
    """
    check_cluster()
    cpus, _ = _cpus_and_gpus()
    context = DataContext.get_current()
    context.execution_options.resource_limits = ExecutionResources.for_limits(cpu=max(1.5, cpus - reserved_cpus))
    context.execution_no_progress_timeout_s = NO_PROGRESS_S
    context.max_errored_blocks = -1  # a row that is lost has a block of its own; the driver counts
    context.max_consecutive_actor_init_deaths = 3
    context.issue_detectors_config.detectors = []  # they advise on memory that no stage of ours comes near
    context.enable_progress_bars = False  # our own are shown
    logging.getLogger("ray.data").setLevel(logging.ERROR)
