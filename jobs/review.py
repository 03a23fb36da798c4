"""`diff2lip review`: MLflow's pages on this machine alone, over the store that lies beside the deliveries."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jobs.lineage import default_tracking_uri

HOST = "127.0.0.1"
START_TIMEOUT_S = 120.0  # the first start migrates the store
STOP_TIMEOUT_S = 15.0


class ReviewUnavailableError(Exception):
    """The pages could not be started; says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewServer:
    """Pages that answer."""

    url: str
    process: "subprocess.Popen[bytes]"

    def wait(self) -> int:
        """Until the server ends by itself or Ctrl-C is pressed."""
        return self.process.wait()


def store_of(out: Path) -> str:
    """The store beside the deliveries of a folder.

    Raises:
        ReviewUnavailableError: no job has written there.
    """
    if not (out / "mlflow.db").is_file():
        raise ReviewUnavailableError(f"{out} holds no mlflow.db: dub something with --out {out} first")
    return default_tracking_uri(out)


@contextmanager
def review_server(store_uri: str, port: int, log: Path) -> Iterator[ReviewServer]:
    """Serve a store on the loopback address, and end the server with the block.

    Args:
        store_uri: of a database; a tracking server needs no other.
        port: 0 takes a free one.
        log: where the server's own words go.

    Raises:
        ReviewUnavailableError: it does not answer, or the port is taken.
    """
    port = port or _free_port()
    _check_free(port)
    with log.open("wb") as sink:
        process = subprocess.Popen(
            _command(store_uri, port), stdout=sink, stderr=sink, env=_environment(), start_new_session=True
        )
    try:
        url = f"http://{HOST}:{port}"
        _wait_until_healthy(url, process.poll, log)
        yield ReviewServer(url=url, process=process)
    finally:
        _end(process)


def _command(store_uri: str, port: int) -> list[str]:
    server = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store_uri]
    return [*server, "--host", HOST, "--port", str(port), "--workers", "1"]


def _environment() -> dict[str, str]:
    ours = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return {**os.environ, **ours}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex((HOST, port)) == 0:
            raise ReviewUnavailableError(f"port {port} is taken: choose another with --port, or 0 for a free one")


def _wait_until_healthy(url: str, ended: Callable[[], int | None], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if ended() is not None:
            raise ReviewUnavailableError(f"the MLflow server ended at once; its last words: {_last_words(log)}")
        if _answers(f"{url}/health"):
            return
        time.sleep(0.2)
    raise ReviewUnavailableError(f"the MLflow server did not answer within {START_TIMEOUT_S:g} s: {_last_words(log)}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def _last_words(log: Path) -> str:
    return log.read_text(errors="replace").strip()[-500:]


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the server and its workers, which are a process group of their own."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            try:
                os.killpg(process.pid, how)
                process.wait(STOP_TIMEOUT_S)
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue
