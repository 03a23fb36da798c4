"""What all tests share: one local Ray, one MLflow store, and no ERROR in our own log."""

import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.parts import ON_RAY, PART_NAME, is_of_part

OUR_PACKAGES = ("diff2lip", "jobs", "pipelines", "schemas")
PART = os.environ.get(PART_NAME, "")
WORKER_NICENESS = "RAY_worker_niceness"  # 15 of itself: whatever ran beside workers would keep them waiting

# Before anything imports Ray, torch or MLflow: they read these once.
os.environ["RAY_AUTH_MODE"] = "disabled"
os.environ["RAY_DATA_DISABLE_PROGRESS_BARS"] = "1"
os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
os.environ["RAY_TRAIN_ENABLE_PREEMPTION_WATCHER"] = "0"
os.environ["RAY_TRAIN_HEALTH_CHECK_INTERVAL_S"] = "0.5"  # a training of seconds need not wait two for its end
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ[WORKER_NICENESS] = "0"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # three parts on two cores: who waits shall not spin
os.environ.setdefault("MPLBACKEND", "agg")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Whatever uses the local Ray can be chosen or left out: `tests.parts` runs the rest beside it."""
    if "ray" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.ray)
        assert is_of_part(item.path, ON_RAY), f"{item.nodeid} uses Ray: its file must name `ray: ModuleType`"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """A part of the tests reads no file of the others."""
    is_file = collection_path.suffix == ".py" and collection_path.name != "conftest.py"
    return True if PART and is_file and not is_of_part(collection_path, PART) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Files that were named are read by all parts; one of them runs their tests."""
    if PART:
        others = [item for item in items if not is_of_part(item.path, PART)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if is_of_part(item.path, PART)]


@pytest.fixture(autouse=True)
def _no_error_in_our_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    records = [record for when in ("setup", "call") for record in caplog.get_records(when)]  # type: ignore[arg-type]
    ours = [f"{record.name}: {record.getMessage()}" for record in records if _is_our_error(record)]
    assert not ours, f"logged at ERROR: {ours}"


def _is_our_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR and record.name.split(".")[0] in OUR_PACKAGES


@pytest.fixture(scope="session")
def ray() -> Iterator[ModuleType]:
    """The one local Ray of the session, on four logical CPUs."""
    import ray
    import ray.data

    # Ray puts sockets below this folder, and the path of a socket may be 107 bytes long at most: no tmp_path.
    with tempfile.TemporaryDirectory(prefix="d2l", ignore_cleanup_errors=True) as folder:
        ray.init(
            address="local",  # whatever RAY_ADDRESS says
            num_cpus=4,
            include_dashboard=False,
            object_store_memory=300 << 20,
            log_to_driver=False,
            logging_level=logging.WARNING,
            _temp_dir=folder,
        )
        ray.data.DataContext.get_current().execution_no_progress_timeout_s = 60
        yield ray
        ray.shutdown()


@pytest.fixture(scope="session")
def mlflow_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the MLflow store of the session: its first use costs seconds of migrations."""
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(scope="session")
def whisper() -> None:
    """The weights by which words are heard; where they cannot be had, the test is skipped."""
    from pipelines.assets import AssetUnavailableError
    from pipelines.whisper_weights import whisper_form

    try:
        whisper_form()
    except AssetUnavailableError as error:
        pytest.skip(str(error))
