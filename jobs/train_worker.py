"""The loop of one training worker: draws windows, learns, measures, keeps checkpoints, and stops when it is told to.

All workers take the same steps; the first one speaks for all.
"""

import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ray.train
import ray.train.torch
import torch
from ray.train import Checkpoint, CheckpointUploadMode
from torch import distributed, nn

from diff2lip.expert_learner import ExpertLearner
from diff2lip.learner import Learner, alone
from diff2lip.painter_learner import PainterLearner
from diff2lip.windows import Windows, draw_noise
from jobs.ahead import early
from jobs.expert_offsets import beside
from jobs.step_clock import StepClock
from jobs.term_means import TermMeans
from jobs.train_plan import TrainPlan
from jobs.train_record import TrainRecord
from jobs.training_dataset import write_reached
from jobs.training_grid import training_grid
from jobs.training_network import build_learner, save_network
from jobs.training_state import DiskFullError, read_state, require_room, write_state
from pipelines.run_stage import peak_mib
from pipelines.storage import read_table, write_whole
from pipelines.training_windows import WindowSource, as_windows

DATASET = "windows"
STOP_NAME, TOLD_NAME, HELD_NAME, MODEL_NAME = "stop", "told.json", "held.json", "model.safetensors"
ASK_EVERY_S = 5.0  # Ray whether a node is about to be taken away: it costs a call
FIRST = 0  # the worker that measures, logs and keeps checkpoints


def train_worker(plan: TrainPlan) -> None:
    """What Ray Train runs on each worker."""
    TrainWorker(plan).run()


class TrainWorker:
    """One worker."""

    def __init__(self, plan: TrainPlan) -> None:
        context = ray.train.get_context()
        self._plan, self._run = plan, plan.recipe.run
        self._rank, self._workers = context.get_world_rank(), context.get_world_size()
        self._device = ray.train.torch.get_device()
        torch.set_num_threads(plan.threads)
        torch.backends.cudnn.benchmark = self._device.type == "cuda"  # all batches are of one size
        self._folder = Path(plan.folder)
        self._record = TrainRecord(plan.tracking_uri, plan.run_id, self._folder) if self._rank == FIRST else None
        self._held: Windows | None = None
        self._step = self._block = self._measured_at = 0  # block: the first that was not learnt yet
        self._blocks_a_worker = self._run.batch // self._run.block // self._workers
        self._asks, self._asked_s, self._was_warned = False, time.monotonic(), False
        self._share = 0.0  # of the run that lies behind, by the first worker's clock
        self._clock, self._means = StepClock(0.0), TermMeans()
        self._notice = ""
        kept = self._kept_state()
        self._say_reached()
        self._batches = iter(()) if self._is_over() else early(self._drawn())  # while the network is built
        self._learner = self._built(kept)

    def run(self) -> None:
        """Learn until the steps, the time, or the data are at their end, or somebody says stop."""
        self._learn()
        if not self._is_stopped():  # whoever stops a training has little time: its checkpoint comes first
            self._measure()
        self._keep(last=True)
        if self._record is not None:
            self._record.flush(force=True)

    def _built(self, kept: dict[str, Any] | None) -> Learner:
        """The network in training, from where it was kept."""
        learner = build_learner(self._plan, self._device, self._shared if self._workers > 1 else alone)
        if kept is not None:
            learner.resume(kept["learner"])
            torch.set_rng_state(kept["rng"].cpu())
        return learner

    def _learn(self) -> None:
        for batch in self._clock.waiting(self._batches):
            windows = as_windows({name: values.to(self._device) for name, values in batch.items()})
            terms = self._learner.learn(windows, self._step, self._share)
            self._step += 1
            self._block += self._blocks_a_worker * self._workers
            self._after(terms)
            if self._is_over():
                break
            self._heed()
        self._batches = iter(())  # let go, so that drawers stop while figures and checkpoint are made

    def _drawn(self) -> Iterator[dict[str, torch.Tensor]]:
        """This worker's rows of one epoch after another; blocks that an epoch leaves over begin the next one."""
        shard = ray.train.get_dataset_shard(DATASET)
        while True:
            yield from shard.iter_torch_batches(
                batch_size=self._blocks_a_worker, prefetch_batches=2, drop_last=True, device="cpu"
            )
            self._say_reached()

    def _say_reached(self) -> None:
        """From where on windows are drawn next; all workers have come as far."""
        if self._rank == FIRST:
            write_reached(self._plan.folder, self._block)
        self._wait_for_all()

    def _heed(self) -> None:
        """Keep a checkpoint, once, where a node is about to be taken away; training goes on until it is."""
        if not self._asks or self._was_warned:
            return
        if ray.train.get_preemption_info() is not None:
            self._was_warned = True
            self._keep()

    def _kept_state(self) -> dict[str, Any] | None:
        """The checkpoint to go on from: the worker counts from there."""
        kept = ray.train.get_checkpoint()
        if kept is None:
            return None
        with kept.as_directory() as folder:
            state = read_state(Path(folder), self._device)
        self._step, self._block = state["step"], state["block"]
        self._clock = StepClock(state["learnt_s"])
        return state

    def _after(self, terms: dict[str, float]) -> None:
        self._means.add(terms)
        if self._step % self._run.log_every == 0:
            self._tell(self._means.take())
        if self._step % self._run.measure_every == 0:
            self._measure()
        if self._step % self._run.checkpoint_every == 0:
            self._keep()

    def _tell(self, terms: dict[str, float]) -> None:
        terms = self._of_all(terms)
        if self._record is None:
            return
        figures = {
            **terms,
            "data_wait_share": self._clock.take_wait_share(),
            "learnt_s": self._clock.learnt_s,
            "system/load_1m": os.getloadavg()[0],
            "system/peak_mib": peak_mib(),
        }
        self._log(figures)
        told = {"step": self._step, "figures": figures, "notice": self._notice or self._record.lost}
        told |= {"process": os.getpid(), "host": socket.gethostname()}
        self._note(TOLD_NAME, told)

    def _measure(self) -> None:
        if self._record is None or self._measured_at == self._step:
            return
        self._measured_at = self._step
        windows = self._held_windows()
        figures = self._learner.measure(windows)
        if isinstance(self._learner, ExpertLearner):
            others, histogram = beside(self._learner, windows, self._plan)
            figures |= others
            self._log_document(f"offsets/step{self._step:07d}.json", json.dumps(histogram).encode())
        self._log(figures)
        self._note(HELD_NAME, {"step": self._step, "figures": figures})
        if isinstance(self._learner, PainterLearner):
            noise = draw_noise(windows, self._learner.config.noise, self._learner.config.seed + 1)
            png = training_grid(self._learner.average, windows, noise)
            self._log_document(f"grids/step{self._step:07d}.png", png)

    def _held_windows(self) -> Windows:
        if self._held is None:
            source = WindowSource(read_table(self._plan.held_uri), self._plan.held_windows)
            drawn = source.draw(range(self._run.held_windows))
            self._held = as_windows({name: torch.from_numpy(values) for name, values in drawn.items()})
        return self._held.to(self._device)

    def _keep(self, *, last: bool = False) -> None:
        """A checkpoint by the first worker, and a report by all: Ray counts them."""
        kept = None
        if self._rank == FIRST:
            folder = Path(tempfile.mkdtemp(prefix="diff2lip-"))
            state = {
                "learner": self._learner.state(),
                "step": self._step,
                "block": self._block,
                "learnt_s": self._clock.learnt_s,
                "rng": torch.get_rng_state(),
            }
            try:
                written = write_state(folder, state)
                if last:
                    save_network(folder / MODEL_NAME, self._learner, self._plan, self._step)
                require_room(Path(self._plan.storage), 2 * written.stat().st_size)
                kept = Checkpoint.from_directory(folder)
                self._notice = ""
            except DiskFullError as error:
                shutil.rmtree(folder, ignore_errors=True)
                if last:
                    raise
                self._notice = str(error)
        mode = CheckpointUploadMode.SYNC if last else CheckpointUploadMode.ASYNC
        ray.train.report(
            {"step": self._step}, kept, checkpoint_upload_mode=mode, delete_local_checkpoint_after_upload=True
        )

    def _log(self, figures: dict[str, float]) -> None:
        """Figures to MLflow, or into the file where they wait; without room they are lost, and it is said."""
        assert self._record is not None
        try:
            self._record.log(figures, self._step)
        except OSError as error:
            self._notice = f"figures of step {self._step} are not kept: {error}"

    def _log_document(self, name: str, content: bytes) -> None:
        assert self._record is not None
        try:
            self._record.log_document(name, content)
        except OSError as error:
            self._notice = f"{name} is not kept: {error}"

    def _note(self, name: str, value: dict[str, Any]) -> None:
        try:
            write_whole(self._folder / name, json.dumps(value).encode())
        except OSError as error:
            self._notice = f"{name} is not kept: {error}"

    def _shared(self, network: nn.Module) -> nn.Module:
        """A network whose gradients all workers exchange; on GPUs its batch norms see the whole batch too."""
        if self._device.type == "cuda":
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        shared: nn.Module = ray.train.torch.prepare_model(network)
        return shared

    def _done_share(self) -> float:
        by_steps = self._step / self._run.max_steps
        return by_steps if self._plan.budget_s is None else max(by_steps, self._clock.learnt_s / self._plan.budget_s)

    def _is_over(self) -> bool:
        """Whether the first worker finds that it is time; all hear the same answer.

        Beside it how far the run is, and whether to ask Ray for a notice: all workers must ask equally often.
        """
        out_of_time = self._plan.budget_s is not None and self._clock.learnt_s >= self._plan.budget_s
        over = out_of_time or self._step >= self._run.max_steps or self._is_stopped()
        asks = time.monotonic() - self._asked_s >= ASK_EVERY_S
        said = [float(over), self._done_share(), float(asks)]
        answer = torch.tensor(said, dtype=torch.float64, device=self._device)
        if self._workers > 1:
            distributed.broadcast(answer, src=FIRST)
        self._share, self._asks = float(answer[1]), bool(answer[2])
        if self._asks:
            self._asked_s = time.monotonic()
        return bool(answer[0])

    def _is_stopped(self) -> bool:
        return (self._folder / STOP_NAME).exists()

    def _of_all(self, terms: dict[str, float]) -> dict[str, float]:
        """The means over all workers: the terms of the whole batch."""
        if self._workers == 1:
            return terms
        names = sorted(terms)
        values = torch.tensor([terms[name] for name in names], dtype=torch.float64, device=self._device)
        distributed.all_reduce(values)
        return dict(zip(names, (values / self._workers).tolist(), strict=True))

    def _wait_for_all(self) -> None:
        if self._workers > 1:
            distributed.barrier()
