"""A tracking server that is gone costs a training nothing: its figures and pictures wait for it."""

import json
import multiprocessing
import resource
from pathlib import Path

import pytest
import torch
import typer
from mlflow import MlflowClient

from jobs.lineage import default_tracking_uri, open_job
from jobs.train_command import seconds_of, workers_of
from jobs.train_record import PENDING_NAME, TrainRecord
from jobs.training_state import STATE_NAME, DiskFullError, read_state, write_state

NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens


def test_figures_wait_for_a_server_that_is_gone_and_keep_their_step_and_moment(
    tmp_path: Path, mlflow_folder: Path
) -> None:
    uri = default_tracking_uri(mlflow_folder)
    run = open_job(uri, "train test", {})
    gone = TrainRecord(NOWHERE, run.run_id, tmp_path, retry_s=3600)

    gone.log({"loss": 0.5}, 10)
    gone.log({"loss": 0.4}, 20)
    gone.log_document("grids/step20.png", b"png")

    assert "MLflow keeps no record" in gone.lost
    waiting = [json.loads(line) for line in (tmp_path / PENDING_NAME).read_text().splitlines()]
    assert [(line["step"], line["metrics"]["loss"]) for line in waiting] == [(10, 0.5), (20, 0.4)]
    assert (tmp_path / "grids" / "step20.png").read_bytes() == b"png"

    TrainRecord(uri, run.run_id, tmp_path).flush(force=True)

    history = MlflowClient(uri).get_metric_history(run.run_id, "loss")
    assert [(metric.step, metric.value) for metric in history] == [(10, 0.5), (20, 0.4)]
    assert [metric.timestamp for metric in history] == [round(line["time_s"] * 1000) for line in waiting]
    assert [file.path for file in MlflowClient(uri).list_artifacts(run.run_id, "grids")] == ["grids/step20.png"]
    assert not (tmp_path / PENDING_NAME).read_text()
    run.finish(failed=False)


def test_a_store_that_takes_no_pictures_keeps_no_figures_back(tmp_path: Path, mlflow_folder: Path) -> None:
    """As one without rights to write artifacts: here their folder is a file for a while."""
    uri, artifacts = default_tracking_uri(mlflow_folder), mlflow_folder / "mlartifacts"
    run = open_job(uri, "train test", {})
    artifacts.mkdir(exist_ok=True)
    artifacts.rename(mlflow_folder / "away")
    artifacts.touch()
    record = TrainRecord(uri, run.run_id, tmp_path, retry_s=3600)

    record.log_document("grids/step10.png", b"png")
    record.log({"loss": 0.5}, 10)

    assert record.lost
    assert [metric.value for metric in MlflowClient(uri).get_metric_history(run.run_id, "loss")] == [0.5]

    artifacts.unlink()
    (mlflow_folder / "away").rename(artifacts)
    record.flush(force=True)

    assert not record.lost
    assert [file.path for file in MlflowClient(uri).list_artifacts(run.run_id, "grids")] == ["grids/step10.png"]
    run.finish(failed=False)


def test_a_state_comes_back_as_it_was_written(tmp_path: Path) -> None:
    state = {"learner": {"weights": torch.arange(5.0)}, "step": 7, "learnt_s": 1.5}

    write_state(tmp_path, state)
    found = read_state(tmp_path, torch.device("cpu"))

    assert torch.equal(found["learner"]["weights"], state["learner"]["weights"])  # type: ignore[index]
    assert (found["step"], found["learnt_s"]) == (7, 1.5)


def _write_without_room(folder: Path) -> str:
    """In a process that may write no file over 4 KiB."""
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    try:
        write_state(folder, {"weights": torch.zeros(100_000)})
    except DiskFullError as error:
        return str(error)
    return ""


def test_a_full_disk_keeps_the_checkpoint_before_and_says_so(tmp_path: Path) -> None:
    write_state(tmp_path, {"step": 1})

    with multiprocessing.get_context("spawn").Pool(1) as pool:
        words = pool.apply(_write_without_room, (tmp_path,))

    assert "no room for a checkpoint" in words
    assert read_state(tmp_path, torch.device("cpu")) == {"step": 1}
    assert [path.name for path in tmp_path.iterdir()] == [STATE_NAME]


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("5m", 300), ("6h", 21_600), ("1.5h", 5400), (None, None)])
def test_times_are_read(text: str | None, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "6", "h", "0m", "-5m", "5 m", "5d"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="90s, 5m or 6h"):
        seconds_of(text)


def test_workers_are_a_number_or_a_range() -> None:
    assert workers_of("2") == (2, None)
    assert workers_of("2-8") == (2, 8)
    for text in ("0", "8-2", "two", "-1"):
        with pytest.raises(typer.BadParameter, match="2 or 2-8"):
            workers_of(text)
