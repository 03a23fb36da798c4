"""A real Ray cluster of one node on this machine, in a process and a folder of its own, that asks for a token.

It can stand beside any other Ray. A head starts its agent on port 52365 unless told otherwise; when another Ray
holds that port, the agent lives on without its HTTP server, and the cluster never takes a job. Here every port
that matters is 0, which is any free one, taken by who listens on it.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

START_WITHIN_S = 150.0
SHOWN_LINES = 15
LOGS = ("dashboard_agent.log", "dashboard.log", "dashboard_JobHead.log", "raylet.out", "raylet.err", "gcs_server.out")

# Prints where the dashboard and the agent listen (-1: nowhere) and lives until its input ends.
CODE = """
import sys
from ray.cluster_utils import Cluster

cluster = Cluster(
    initialize_head=True,
    head_node_args={
        "num_cpus": 1,
        "object_store_memory": 100 << 20,
        "include_dashboard": True,
        "dashboard_port": 0,
        "dashboard_agent_listen_port": 0,
        "include_log_monitor": False,
        "no_monitor": True,
    },
)
print(cluster.webui_url, cluster.head_node.dashboard_agent_listen_port, flush=True)
sys.stdin.read()
cluster.shutdown()
"""


@contextmanager
def local_cluster(token: str) -> Iterator[str]:
    """The address of the cluster's dashboard, once its Jobs API answers and its agent listens.

    Ray gives up on a node that takes more than 30 s, as happens on a machine with much else to do: try again.
    """
    end = time.monotonic() + START_WITHIN_S
    while True:
        with _process(token) as (process, folder):
            if address := _address(process, folder, token, end):
                yield address
                return
            words = _last_words(folder)
        if time.monotonic() > end:
            pytest.fail(f"no cluster that takes jobs within {START_WITHIN_S:g} s\n{words}")


@contextmanager
def _process(token: str) -> "Iterator[tuple[subprocess.Popen[bytes], Path]]":
    """The process that starts the cluster, and the folder with all that is the cluster's.

    A socket's path may be 107 bytes long, so the folder is not pytest's.
    """
    with tempfile.TemporaryDirectory(prefix="d2l", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with (folder / "started").open("w") as started, (folder / "errors").open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, "-c", CODE],
                stdin=subprocess.PIPE,
                stdout=started,
                stderr=errors,
                env=_environment(folder, token),
            )
        try:
            yield process, folder
        finally:
            process.communicate(timeout=60)


def _environment(folder: Path, token: str) -> dict[str, str]:
    """Ours, without what the Ray of this process or of a shell has put there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return kept | {
        "RAY_TMPDIR": str(folder),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": token,
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DASHBOARD_STARTUP_TIMEOUT_S": str(int(START_WITHIN_S)),
        "RAY_DASHBOARD_SUBPROCESS_MODULE_WAIT_READY_TIMEOUT": str(START_WITHIN_S),
    }


def _address(process: "subprocess.Popen[bytes]", folder: Path, token: str, end: float) -> str | None:
    """Where the dashboard answers; None if that does not come."""
    while process.poll() is None and time.monotonic() < end:
        address, _, agent_port = (folder / "started").read_text().strip().partition(" ")
        if agent_port and int(agent_port) > 0 and _answers(f"http://{address}", token):
            return f"http://{address}"
        time.sleep(0.2)
    return None


def _answers(address: str, token: str) -> bool:
    jobs = Request(f"{address}/api/jobs/", headers={"Authorization": f"Bearer {token}"})
    with suppress(OSError), urlopen(jobs, timeout=10):
        return True
    return False


def _last_words(folder: Path) -> str:
    """The ends of the cluster's own logs."""
    logs = [folder / "started", folder / "errors"]
    logs += [folder / "ray" / "session_latest" / "logs" / name for name in LOGS]
    ends = {log.name: log.read_text(errors="replace").splitlines()[-SHOWN_LINES:] for log in logs if log.exists()}
    return "\n".join(line for name, lines in ends.items() for line in (f"== {name}", *lines))
