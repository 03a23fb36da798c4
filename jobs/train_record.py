"""The MLflow record of a training, kept by one worker: a server that is gone is waited for, not trained without."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from jobs.ahead import begun
from jobs.lineage import Run, TrackingError, attach_run
from pipelines.storage import write_whole

PENDING_NAME = "pending_record.jsonl"
RETRY_S = 60.0
IMPATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}


class TrainRecord:
    """Writes metrics and pictures; what cannot be written is kept in a file of the run and written later."""

    def __init__(self, tracking_uri: str, run_id: str, folder: Path, retry_s: float = RETRY_S) -> None:
        self._uri, self._run_id, self._folder, self._retry_s = tracking_uri, run_id, folder, retry_s
        self._run: Run | None = None
        self._next_try = 0.0
        self.lost = ""  # why metrics are waiting
        begun(partial(import_module, "mlflow"))  # seconds, which pass while the first windows are drawn

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Figures of a step, now or later."""
        self._wait_for({"step": step, "time_s": time.time(), "metrics": dict(metrics)})
        self.flush()

    def log_document(self, name: str, content: bytes) -> None:
        """A picture or a table as artifact, now or later; it lies in the run's folder too."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self._wait_for({"document": name})
        self.flush()

    def flush(self, *, force: bool = False) -> None:
        """Write what waits; after a failure not again for a while, unless it is forced."""
        if (time.monotonic() < self._next_try and not force) or not self._pending.exists():
            return
        lines = [line for text in self._pending.read_text().splitlines() if (line := _parsed(text))]
        for place, line in enumerate(lines):
            if not self._try(partial(_write_line, line=line, folder=self._folder)):
                self._keep(lines[place:])
                return
        self._keep([])

    @property
    def _pending(self) -> Path:
        return self._folder / PENDING_NAME

    def _wait_for(self, line: dict[str, object]) -> None:
        with self._pending.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def _keep(self, lines: list[dict[str, object]]) -> None:
        write_whole(self._pending, "".join(json.dumps(line) + "\n" for line in lines).encode())

    def _try(self, write: Callable[[Run], None]) -> bool:
        try:
            with _impatient():
                self._run = self._run or attach_run(self._uri, self._run_id)
                write(self._run)
        except TrackingError as error:
            self.lost, self._next_try = str(error), time.monotonic() + self._retry_s
            return False
        self.lost = ""
        return True


@contextmanager
def _impatient() -> Iterator[None]:
    """MLflow asks a server that is gone once more, not for minutes: a training must not wait for each call."""
    before = {name: os.environ.get(name) for name in IMPATIENCE}
    os.environ.update({name: value for name, value in IMPATIENCE.items() if before[name] is None})
    try:
        yield
    finally:
        for name in [name for name, value in before.items() if value is None]:
            del os.environ[name]


def _parsed(text: str) -> dict[str, Any] | None:
    """A line that waits; None for one that was cut off when a process died."""
    try:
        return dict(json.loads(text))
    except json.JSONDecodeError:
        return None


def _write_line(run: Run, line: dict[str, Any], folder: Path) -> None:
    if "document" in line:
        path = folder / line["document"]
        if path.is_file():  # else somebody removed it, and nothing else shall wait for it
            run.log_file(path, str(Path(line["document"]).parent))
    else:
        run.log_metrics(line["metrics"], line["step"], line["time_s"])
