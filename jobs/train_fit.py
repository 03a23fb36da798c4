"""A training on Ray Train: starts the workers, tells people how far they are, and hands a stop on to them."""

import json
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import ray
from ray.exceptions import RayError
from ray.train import CheckpointConfig, FailureConfig, Result, RunConfig, ScalingConfig, TrainingFailedError
from ray.train.torch import TorchTrainer

from jobs.progress import Display
from jobs.train_plan import TrainPlan
from jobs.train_worker import DATASET, STOP_NAME, TOLD_NAME, train_worker
from jobs.training_dataset import in_order, window_dataset
from jobs.training_errors import TrainingBrokenError
from pipelines.progress import Event

STAGE = "train"
FRAMES_A_WINDOW = 5
ASK_EVERY_S = 1.0
WORKER_CPUS = 0.25  # booked beside what draws; a worker without a GPU takes its threads from the machine
MAX_FAILURES, CHECKPOINTS_KEPT = 3, 2
# A step gives back gigabytes of activations and asks for them again: kept, they need not be mapped anew, which halves
# the time of a step on CPUs. Threads that wait sleep, for what draws the next windows shares their cores.
CPU_WORKER = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(16 << 30),
    "MALLOC_ARENA_MAX": "2",
    "OMP_WAIT_POLICY": "PASSIVE",
}


def fit(plan: TrainPlan, name: str, storage: Path, workers: int | tuple[int, int], display: Display) -> Result:
    """Run a training to its end, or go on with the run of this name.

    Args:
        plan: what each worker is told.
        name: of the run; storage that knows it resumes.
        storage: folder of checkpoints, seen by all nodes.
        workers: how many, or the least and the most.
        display: shows steps.

    Raises:
        TrainingBrokenError: it failed more often than it is tried again, or Ray Train's own processes ended.
    """
    for noisy in ("ray.train", "ray.data"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    trainer = TorchTrainer(
        train_worker,
        train_loop_config=plan,
        scaling_config=scaling(workers),
        run_config=RunConfig(
            name=name,
            storage_path=str(storage.absolute()),
            failure_config=FailureConfig(max_failures=MAX_FAILURES),
            checkpoint_config=CheckpointConfig(num_to_keep=CHECKPOINTS_KEPT),
            worker_runtime_env=worker_env(),
        ),
        datasets={DATASET: window_dataset(plan)},
        dataset_config=in_order(),
    )
    folder = Path(plan.folder)
    (folder / STOP_NAME).unlink(missing_ok=True)
    with _stoppable(folder), _told(folder, plan, display):
        try:
            return _in_thread(trainer.fit)
        except TrainingFailedError as error:
            raise TrainingBrokenError(
                f"the workers failed {MAX_FAILURES + 1} times, last: {_cause(error)}; checkpoints are in "
                f"{storage / name}: the same command goes on from there"
            ) from error
        except RayError as error:  # not a worker: what starts them again
            raise TrainingBrokenError(
                f"a process of Ray Train itself ended: {_cause(error)}; checkpoints are in {storage / name}: the same "
                "command goes on from there"
            ) from error


def scaling(workers: int | tuple[int, int]) -> ScalingConfig:
    """A GPU for each worker where the cluster has them."""
    if has_gpus():
        return ScalingConfig(num_workers=workers, use_gpu=True)
    return ScalingConfig(num_workers=workers, resources_per_worker={"CPU": WORKER_CPUS})


def worker_env() -> dict[str, dict[str, str]]:
    """The runtime environment of processes that learn or paint."""
    return {} if has_gpus() else {"env_vars": CPU_WORKER}


def has_gpus() -> bool:
    """Whether the cluster that this process is connected to has any."""
    return bool(ray.cluster_resources().get("GPU", 0))


@contextmanager
def _stoppable(folder: Path) -> Iterator[None]:
    """SIGTERM and Ctrl-C become a stop that every worker hears after its step: it keeps a checkpoint and ends."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        (folder / STOP_NAME).touch()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _told(folder: Path, plan: TrainPlan, display: Display) -> Iterator[None]:
    """What the first worker writes down is shown."""
    display.expect(STAGE, 1, plan.recipe.run.max_steps * _frames(plan) if plan.budget_s is None else 0)
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(folder / TOLD_NAME, _frames(plan), display, over), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _watch(path: Path, frames_a_step: int, display: Display, over: threading.Event) -> None:
    seen, noticed = read_told(path).get("step", 0), ""
    while not over.wait(ASK_EVERY_S):
        told = read_told(path)
        notice = told.get("notice", "")
        if told.get("step", 0) > seen:
            title = f"step {told['step']}, loss {told['figures']['loss']:.4f}"
            frames = (told["step"] - seen) * frames_a_step
            message = notice if notice != noticed else ""
            display(Event(stage=STAGE, title=title, num_frames=frames, partial=True, message=message))
            seen, noticed = told["step"], notice


def read_told(path: Path) -> dict[str, Any]:
    """What the first worker said last; empty before it spoke."""
    if not path.is_file():
        return {}
    told: dict[str, Any] = json.loads(path.read_text())
    return told


def _in_thread(call: Callable[[], Result]) -> Result:
    """The result of a call; signals are heard meanwhile, which a call that waits for Ray would keep off."""
    found: list[Result] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(call())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.5)
    if failed:
        raise failed[0]
    return found[0]


def _frames(plan: TrainPlan) -> int:
    return plan.recipe.run.batch * FRAMES_A_WINDOW


def _cause(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def cpu_threads(workers: int) -> int:
    """Threads of each worker on this machine."""
    return max(1, (os.cpu_count() or 1) // workers)
