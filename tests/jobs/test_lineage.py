"""What a job writes into MLflow is read back with MLflow's own client."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from jobs.lineage import JobRun, default_tracking_uri, lineage_tags, open_job, submission_id
from jobs.revision import Revision

REVISION = Revision(commit="c" * 40, dirty=True, lock_digest="d" * 64, versions={"ray": "2.60.0"})
CATALOG_DIGEST = "a" * 64


@pytest.fixture(scope="module")
def store(mlflow_folder: Path) -> str:
    return default_tracking_uri(mlflow_folder)


@pytest.fixture
def job(store: str) -> JobRun:
    return open_job(store, "dub", lineage_tags(REVISION, {"catalog": CATALOG_DIGEST}))


def test_a_film_is_a_child_of_its_job_and_carries_its_lineage(job: JobRun, store: str) -> None:
    film = job.open_film("harbour", "de", {"diff2lip.dub_id": "e" * 64})
    run = MlflowClient(store).get_run(film.run_id)

    assert run.data.tags["mlflow.parentRunId"] == job.run_id
    assert run.data.tags["mlflow.source.git.commit"] == REVISION.commit
    assert run.data.tags["diff2lip.dirty"] == "true"
    assert run.data.tags["diff2lip.catalog_digest"] == CATALOG_DIGEST
    assert run.data.tags["diff2lip.version.ray"] == "2.60.0"


def test_params_metrics_and_files_are_there_afterwards(job: JobRun, store: str, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    sheet.write_bytes(b"png")
    job.log_params({"sampler": {"steps": 6}, "long": "x" * 7000})
    job.log_metrics({f"shots.reason_{index}": index for index in range(1200)})
    job.log_file(sheet, "contact_sheets")
    job.log_json("config.json", {"steps": 6})
    job.finish(failed=False)

    client = MlflowClient(store)
    run = client.get_run(job.run_id)
    assert run.data.params["sampler.steps"] == "6"
    assert run.data.metrics["shots.reason_1199"] == 1199
    assert run.info.status == "FINISHED"
    assert {file.path for file in client.list_artifacts(job.run_id)} == {"config.json", "contact_sheets"}


def test_artifacts_lie_beside_the_deliveries(job: JobRun, store: str, mlflow_folder: Path) -> None:
    run = MlflowClient(store).get_run(job.run_id)
    assert run.info.artifact_uri.startswith((mlflow_folder / "mlartifacts").as_uri())


def test_the_whole_digest_of_the_catalog_is_kept(job: JobRun, store: str) -> None:
    job.log_input("catalog.csv", "catalog.csv", CATALOG_DIGEST, "dub")
    dataset = MlflowClient(store).get_run(job.run_id).inputs.dataset_inputs[0].dataset
    assert CATALOG_DIGEST in dataset.source


def test_a_run_of_a_killed_driver_is_closed_by_the_next_job(job: JobRun, store: str) -> None:
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    client = MlflowClient(store)
    client.set_tag(job.run_id, "diff2lip.driver", f"{socket.gethostname()}:{gone.stdout.strip()}")
    living = open_job(store, "dub", {})
    open_job(store, "dub", {})

    assert client.get_run(job.run_id).info.status == "KILLED"
    assert client.get_run(living.run_id).info.status == "RUNNING"
    assert client.get_run(living.run_id).data.tags["diff2lip.driver"].endswith(f":{os.getpid()}")


def test_whoever_submitted_a_job_to_ray_is_found_in_its_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """KubeRay submits without a variable of ours; Ray tells every job its own configuration."""
    monkeypatch.delenv("DIFF2LIP_SUBMISSION_ID", raising=False)
    monkeypatch.delenv("RAY_JOB_CONFIG_JSON_ENV_VAR", raising=False)
    assert submission_id() == ""
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", json.dumps({"metadata": {"job_submission_id": "night-7"}}))
    assert lineage_tags(REVISION, {})["diff2lip.submission_id"] == "night-7"
    monkeypatch.setenv("DIFF2LIP_SUBMISSION_ID", "dub-1")
    assert submission_id() == "dub-1"
