"""The review pages answer on loopback only, show a run that was logged, and leave no process behind."""

import os
import socket
import urllib.request
from pathlib import Path

import pytest

from jobs.lineage import default_tracking_uri, open_job
from jobs.review import HOST, ReviewUnavailableError, review_server, store_of


def test_the_pages_answer_on_loopback_and_end_with_the_block(mlflow_folder: Path, tmp_path: Path) -> None:
    open_job(default_tracking_uri(mlflow_folder), "dub", {}).finish(failed=False)

    with review_server(store_of(mlflow_folder), 0, tmp_path / "server.log") as server:
        with urllib.request.urlopen(server.url) as page:
            assert page.status == 200
        port, process = int(server.url.rpartition(":")[2]), server.process
        assert server.url.startswith(f"http://{HOST}:")

    assert process.poll() is not None
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    with socket.socket() as probe:
        assert probe.connect_ex((HOST, port)) != 0


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        with (
            pytest.raises(ReviewUnavailableError, match="taken"),
            review_server("sqlite://", taken.getsockname()[1], tmp_path / "log"),
        ):
            pass


def test_a_folder_without_runs_is_said(tmp_path: Path) -> None:
    with pytest.raises(ReviewUnavailableError, match="dub something"):
        store_of(tmp_path)
