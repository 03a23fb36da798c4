"""The MLflow record of a training, kept by one worker: a server that is gone is waited for, not trained without."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path

from jobs.ahead import begun
from jobs.lineage import Run, TrackingError, attach_run
from jobs.waiting_lines import WaitingLines

PENDING_NAME, DOCUMENTS_NAME = "pending_metrics.jsonl", "pending_documents.jsonl"
RETRY_S = 60.0
IMPATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}


class TrainRecord:
    """Writes metrics and pictures; what cannot be written is kept in files of the run and written later."""

    def __init__(self, tracking_uri: str, run_id: str, folder: Path, retry_s: float = RETRY_S) -> None:
        self._uri, self._run_id, self._folder, self._retry_s = tracking_uri, run_id, folder, retry_s
        self._metrics, self._documents = (WaitingLines(folder / name) for name in (PENDING_NAME, DOCUMENTS_NAME))
        self._run: Run | None = None
        self._next_try = self._next_document = 0.0
        self._lost = self._unkept = ""
        begun(partial(import_module, "mlflow"))  # seconds, which pass while the first windows are drawn

    @property
    def lost(self) -> str:
        """Why metrics or pictures are waiting; empty when none is."""
        return self._lost or self._unkept

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Figures of a step, now or later."""
        self._metrics.add({"step": step, "time_s": time.time(), "metrics": dict(metrics)})
        self.flush()

    def log_document(self, name: str, content: bytes) -> None:
        """A picture or a table as artifact, now or later; it lies in the run's folder too."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self._documents.add({"document": name})
        self.flush()

    def flush(self, *, force: bool = False) -> None:
        """Write what waits; after a failure not again for a while, unless it is forced."""
        now = time.monotonic()
        if now >= self._next_try or force:
            self._flush_metrics()
        if not self._lost and (now >= self._next_document or force):
            self._flush_documents()

    def _flush_metrics(self) -> None:
        lines, self._lost = self._metrics.read(), ""
        for place, line in enumerate(lines):
            try:
                self._attached(lambda run, line=line: run.log_metrics(line["metrics"], line["step"], line["time_s"]))  # type: ignore[misc]
            except TrackingError as error:
                self._lost, self._next_try = str(error), time.monotonic() + self._retry_s
                self._metrics.keep(lines[place:])
                return
        if lines:
            self._metrics.keep([])

    def _flush_documents(self) -> None:
        """Artifacts may lie elsewhere than figures: one that is not taken holds up nothing but itself."""
        lines, kept, self._unkept = self._documents.read(), [], ""
        for line in lines:
            path = self._folder / line["document"]
            try:
                if path.is_file():  # else somebody removed it
                    self._attached(lambda run, path=path: run.log_file(path, self._within(path)))  # type: ignore[misc]
            except Exception as error:  # stores of artifacts raise errors of their own
                kept.append(line)
                self._unkept, self._next_document = str(error), time.monotonic() + self._retry_s
        if lines:
            self._documents.keep(kept)

    def _within(self, path: Path) -> str:
        return str(path.relative_to(self._folder).parent)

    def _attached(self, write: Callable[[Run], None]) -> None:
        with impatient():
            self._run = self._run or attach_run(self._uri, self._run_id)
            write(self._run)


@contextmanager
def impatient() -> Iterator[None]:
    """MLflow asks a server that is gone once more, not for minutes: a training must not wait for each call."""
    before = {name: os.environ.get(name) for name in IMPATIENCE}
    os.environ.update({name: value for name, value in IMPATIENCE.items() if before[name] is None})
    try:
        yield
    finally:
        for name in [name for name, value in before.items() if value is None]:
            del os.environ[name]
