"""Submitting to a real local cluster through its Jobs API: our own id, once, with the log and the exit code."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from jobs.submit import SubmitError, follow, submission_id, submit

PYTHON = (sys.executable, "-c")
TOKEN = "a-token-of-this-test-alone-0123456789abcdef"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_dashboard(port: int, within_s: float = 90.0) -> None:
    """Its HTTP server listens some time after Ray itself, on a busy machine."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 2):
            return
        time.sleep(0.5)
    pytest.fail(f"no dashboard on port {port} within {within_s:g} s")


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The dashboard's address of a cluster in a process of its own, in a folder of its own, that asks for a token.

    A socket's path may be 107 bytes long, so the folder is not pytest's.
    """
    folder, port = tempfile.mkdtemp(prefix="d2l"), free_port()
    code = (
        "import ray, sys; "
        f"ray.init(num_cpus=1, include_dashboard=True, dashboard_host='127.0.0.1', dashboard_port={port}, "
        f"object_store_memory=100 << 20, _temp_dir={folder!r}, log_to_driver=False); "
        "print(ray.get_runtime_context().gcs_address, flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}
    environment.pop("RAY_ADDRESS", None)
    process = subprocess.Popen(
        [*PYTHON, code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline(), "the cluster did not start"
    wait_for_dashboard(port)
    yield f"http://127.0.0.1:{port}"
    process.stdin.close()
    process.wait(30)
    process.stdout.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)


def test_the_same_arguments_and_catalog_are_the_same_job(tmp_path: Path) -> None:
    catalog = tmp_path / "catalog.csv"
    catalog.write_text("film,language\n")
    arguments = ["dub", str(catalog), "--out", "/films/out"]
    first = submission_id(arguments)

    assert submission_id(arguments) == first
    assert submission_id([*arguments, "--skip-invalid"]) != first
    catalog.write_text("film,language\nother.mp4,de\n")
    assert submission_id(arguments) != first


def test_a_job_that_runs_is_found_and_one_that_ended_is_started_anew(cluster: str, tmp_path: Path) -> None:
    """The three ends of a job, and what is seen of it: its id, its log, its exit code."""
    log = tmp_path / "log"
    code = (
        "import os, pathlib, sys, time; time.sleep(1); print('ran' + 'as', os.environ['DIFF2LIP_SUBMISSION_ID']); "
        f"log = pathlib.Path({str(log)!r}); first = not log.exists(); log.touch(); sys.exit(3 if first else 0)"
    )
    words: list[str] = []
    failed = submit(cluster, [code], program=PYTHON)
    meanwhile = submit(cluster, [code], program=PYTHON)
    assert follow(cluster, failed.submission_id, words.append) == 1
    done = submit(cluster, [code], program=PYTHON)
    assert follow(cluster, done.submission_id, words.append) == 0
    again = submit(cluster, [code], program=PYTHON)

    base = failed.submission_id
    assert [one.submission_id for one in (meanwhile, done, again)] == [base, f"{base}-2", f"{base}-3"]
    assert [one.started for one in (failed, meanwhile, done, again)] == [True, False, True, True]
    assert [line for line in "".join(words).splitlines() if line.startswith("ranas")] == [
        f"ranas {base}",
        f"ranas {base}-2",
    ]


def test_a_refused_token_is_said_without_a_trace(cluster: str) -> None:
    command = [sys.executable, "-m", "jobs.cli", "submit", "--address", cluster, "--", "--help"]
    environment = {**os.environ, "RAY_AUTH_TOKEN": "another"}
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)

    assert answer.returncode == 1
    assert "RAY_AUTH_TOKEN" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_command_submits_and_follows(cluster: str) -> None:
    command = [
        sys.executable,
        "-m",
        "jobs.cli",
        "submit",
        "--address",
        cluster,
        "--no-follow",
        "--json",
        "--",
        "--help",
    ]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["submission_id"] == submission_id(["--help"])


def test_a_cluster_that_is_not_there_is_said() -> None:
    with pytest.raises(SubmitError, match="cannot reach"):
        submit(f"http://127.0.0.1:{free_port()}", ["dub"])
