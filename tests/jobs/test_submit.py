"""Submitting to a real local cluster through its Jobs API: our own id, once, with the log and the exit code."""

import inspect
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import ray
from ray.dashboard.modules.job.job_head import JobHead

from jobs.submit import Submission, SubmitError, follow, submission_id, submit
from tests.jobs.local_cluster import local_cluster

PYTHON = (sys.executable, "-c")
TOKEN = "a-token-of-this-test-alone-0123456789abcdef"


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with local_cluster(TOKEN) as address:
        yield address


@contextmanager
def dashboard(answers: list[tuple[int, str]]) -> Iterator[str]:
    """The address of a server that knows no jobs and gives these answers, in turn, to who submits one."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(200, "[]" if self.path == "/api/jobs/" else json.dumps({"ray_version": ray.__version__}))

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(*answers.pop(0))

        def answer(self, status: int, words: str) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(words.encode())

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cluster's token, and the address of another cluster, as in every pod of one."""
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")


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
    go = tmp_path / "go"
    code = f"""
import os, pathlib, sys, time
print('ran' + 'as', os.environ['DIFF2LIP_SUBMISSION_ID'])
go = pathlib.Path({str(go)!r})
while not go.exists():
    time.sleep(0.1)
sys.exit(int(go.read_text()))
"""
    words: list[str] = []
    failed = submit(cluster, [code], program=PYTHON)
    meanwhile = submit(cluster, [code], program=PYTHON)
    go.write_text("3")
    assert follow(cluster, failed.submission_id, words.append) == 1
    go.write_text("0")
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
    answer = subprocess.run(command, capture_output=True, text=True, timeout=150, env=environment)

    assert answer.returncode == 1
    assert "RAY_AUTH_TOKEN" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_command_submits_and_says_the_id(cluster: str) -> None:
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
    answer = subprocess.run(command, capture_output=True, text=True, timeout=150)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["submission_id"] == submission_id(["--help"])


def test_a_cluster_that_is_not_there_is_said() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # taken, and nobody listens
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(SubmitError, match="cannot reach"):
            submit(address, ["dub"])


def test_a_cluster_whose_agent_comes_late_is_waited_for() -> None:
    """A stand-in for a dashboard that is up before its agent; its words are Ray's."""
    refusal = "No available agent to submit job, please try again later."
    assert refusal in inspect.getsource(JobHead.submit_job)
    answers = [(500, refusal), (200, json.dumps({"job_id": "", "submission_id": submission_id(["--help"])}))]
    with dashboard(answers) as address:
        submission = submit(address, ["--help"])

    assert not answers
    assert submission == Submission(submission_id=submission_id(["--help"]), status="PENDING", started=True)
