"""Submitting to a real local cluster through its Jobs API: our own id, once, with the log and the exit code."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.submit import SubmitError, follow, submission_id, submit

PYTHON = (sys.executable, "-c")
START_TIMEOUT_S = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The dashboard's address of a cluster in a process of its own, in a folder of its own.

    A socket's path may be 107 bytes long, so the folder is not pytest's.
    """
    folder, port = tempfile.mkdtemp(prefix="d2l"), free_port()
    code = (
        "import ray, sys; "
        f"ray.init(num_cpus=1, include_dashboard=True, dashboard_host='127.0.0.1', dashboard_port={port}, "
        f"object_store_memory=100 << 20, _temp_dir={folder!r}, log_to_driver=False); "
        "print(ray.get_runtime_context().gcs_address, flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "RAY_AUTH_MODE": "disabled"}
    environment.pop("RAY_ADDRESS", None)
    process = subprocess.Popen(
        [*PYTHON, code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline(), "the cluster did not start"
    yield f"http://127.0.0.1:{port}"
    process.stdin.close()
    process.wait(30)
    process.stdout.close()
    shutil.rmtree(folder, ignore_errors=True)


def test_the_same_arguments_and_catalog_are_the_same_job(tmp_path: Path) -> None:
    catalog = tmp_path / "catalog.csv"
    catalog.write_text("film,language\n")
    arguments = ["dub", str(catalog), "--out", "/films/out"]
    first = submission_id(arguments)

    assert submission_id(arguments) == first
    assert submission_id([*arguments, "--skip-invalid"]) != first
    catalog.write_text("film,language\nother.mp4,de\n")
    assert submission_id(arguments) != first


def test_a_job_runs_once_and_its_log_and_exit_code_come_back(cluster: str) -> None:
    code = "import os, time; time.sleep(2); print('ran' + 'as', os.environ['DIFF2LIP_SUBMISSION_ID'])"
    started = submit(cluster, [code], program=PYTHON)
    meanwhile = submit(cluster, [code], program=PYTHON)
    words: list[str] = []
    assert follow(cluster, started.submission_id, words.append) == 0
    afterwards = submit(cluster, [code], program=PYTHON)

    assert "".join(words).count(f"ranas {started.submission_id}") == 1
    assert [one.submission_id for one in (meanwhile, afterwards)] == [started.submission_id] * 2
    assert [one.started for one in (started, meanwhile, afterwards)] == [True, False, False]
    assert afterwards.status == "SUCCEEDED"


def test_a_job_that_failed_is_started_again_under_the_next_number(cluster: str, tmp_path: Path) -> None:
    done = tmp_path / "done"
    code = f"import pathlib, sys; p = pathlib.Path({str(done)!r}); sys.exit(0 if p.exists() else 3)"
    first = submit(cluster, [code], program=PYTHON)
    assert follow(cluster, first.submission_id, lambda words: None) == 1

    done.write_text("")
    second = submit(cluster, [code], program=PYTHON)
    assert second.submission_id == f"{first.submission_id}-2"
    assert follow(cluster, second.submission_id, lambda words: None) == 0


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
