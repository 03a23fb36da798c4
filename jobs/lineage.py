"""What made this: one MLflow run a job, one child run a film and language. Beside `registry.py` all that knows mlflow.

Written by the driver alone, so that SQLite is enough for one machine. Every call names the store: nothing
depends on MLflow's own idea of a default, which is a file in the current folder.
"""

import json
import logging
import os
import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from jobs.revision import Revision

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "diff2lip"
SUBMISSION_VARIABLE = "DIFF2LIP_SUBMISSION_ID"  # set by `diff2lip submit`
RAY_JOB_VARIABLE = "RAY_JOB_CONFIG_JSON_ENV_VAR"  # set by Ray for whatever was submitted to it, as by KubeRay
DRIVER_TAG = "diff2lip.driver"
MAX_PARAM_LETTERS, MAX_TAG_LETTERS, MAX_DIGEST_LETTERS = 6000, 5000, 36  # MLflow's limits
LOCAL_STORE = "sqlite:///"
Given = ParamSpec("Given")
Result = TypeVar("Result")


class TrackingError(Exception):
    """The tracking store cannot be reached, or refuses; says so."""


def _told(call: Callable[Given, Result]) -> Callable[Given, Result]:
    """MLflow's errors under a name that can be caught without importing MLflow."""

    @wraps(call)
    def told(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        from mlflow.exceptions import MlflowException

        try:
            return call(*args, **kwargs)
        except (MlflowException, OSError) as error:  # its HTTP errors are OSErrors
            raise TrackingError(f"MLflow keeps no record of this job: {error}") from error

    return told


def whole_uri(tracking_uri: str) -> str:
    """The same store whatever the current folder is: workers have folders of their own."""
    path = tracking_uri.removeprefix(LOCAL_STORE)
    is_relative = tracking_uri.startswith(LOCAL_STORE) and not path.startswith("/")
    return f"{LOCAL_STORE}{Path(path).absolute()}" if is_relative else tracking_uri


def default_tracking_uri(out: Path) -> str:
    """The store that lies beside the deliveries."""
    return f"{LOCAL_STORE}{out.absolute()}/mlflow.db"


def lineage_tags(revision: Revision, digests: Mapping[str, str]) -> dict[str, str]:
    """The tags that every run carries.

    Args:
        revision: the code.
        digests: of what else went in, such as catalog and model.
    """
    tags = {
        "mlflow.source.git.commit": revision.commit,
        "diff2lip.dirty": str(revision.dirty).lower(),
        "diff2lip.lock_digest": revision.lock_digest,
        "diff2lip.submission_id": submission_id(),
    }
    tags |= {f"diff2lip.{name}_digest": digest for name, digest in digests.items()}
    return tags | {f"diff2lip.version.{name}": version for name, version in revision.versions.items()}


def submission_id() -> str:
    """Under which name Ray's Jobs know this process; empty where nobody submitted it."""
    config = json.loads(os.environ.get(RAY_JOB_VARIABLE, "{}"))
    return os.environ.get(SUBMISSION_VARIABLE) or str(config.get("metadata", {}).get("job_submission_id", ""))


class Run:
    """One MLflow run that is open."""

    def __init__(self, client: "MlflowClient", run_id: str) -> None:
        self._client = client
        self.run_id = run_id

    @_told
    def log_params(self, params: Mapping[str, Any]) -> None:
        """Parameters; nested ones get dotted names, long values are cut."""
        for name, value in _flat(params).items():
            self._client.log_param(self.run_id, name, str(value)[:MAX_PARAM_LETTERS])

    @_told
    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Tags; those of the same names are replaced."""
        for name, value in tags.items():
            self._client.set_tag(self.run_id, name, value)

    @_told
    def log_metrics(self, metrics: Mapping[str, float], step: int = 0, time_s: float | None = None) -> None:
        """Numbers of one step and moment; now, unless a moment is given."""
        from mlflow.entities import Metric

        moment_ms = round((time.time() if time_s is None else time_s) * 1000)
        entities = [Metric(name, float(value), moment_ms, step) for name, value in metrics.items()]
        for first in range(0, len(entities), 500):
            self._client.log_batch(self.run_id, metrics=entities[first : first + 500])

    @_told
    def log_file(self, path: Path, folder: str = "") -> None:
        """A file as artifact, in a folder of the run."""
        self._client.log_artifact(self.run_id, str(path), folder or None)

    @_told
    def log_bytes(self, name: str, data: bytes) -> None:
        """An artifact that is in memory; `name` may hold folders."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(name).name
            path.write_bytes(data)
            self.log_file(path, str(Path(name).parent))

    @_told
    def log_json(self, name: str, value: Any) -> None:
        """A JSON artifact."""
        self._client.log_dict(self.run_id, value, name)

    @_told
    def log_input(self, name: str, source: str, digest: str, context: str) -> None:
        """A data set that went in. MLflow takes 36 letters of a digest; the whole one is in the source."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        text = json.dumps({"uri": source, "sha256": digest})
        dataset = Dataset(name=name, digest=digest[:MAX_DIGEST_LETTERS], source_type="local", source=text)
        tag = InputTag("mlflow.data.context", context)
        self._client.log_inputs(self.run_id, [DatasetInput(dataset, [tag])])

    @_told
    def finish(self, *, failed: bool) -> None:
        """Close the run."""
        self._client.set_terminated(self.run_id, "FAILED" if failed else "FINISHED")


class JobRun(Run):
    """The run of a job: the parent of its films' runs."""

    def __init__(self, client: "MlflowClient", run_id: str, experiment_id: str, tags: Mapping[str, str]) -> None:
        super().__init__(client, run_id)
        self._experiment_id = experiment_id
        self._tags = dict(tags)

    @_told
    def open_film(self, title: str, language: str, tags: Mapping[str, str]) -> Run:
        """The child run of one film in one language."""
        own = {"mlflow.parentRunId": self.run_id, "mlflow.runName": f"{title} {language}", **tags}
        return Run(self._client, _create(self._client, self._experiment_id, self._tags | own))

    @_told
    def is_recorded(self, tags: Mapping[str, str]) -> bool:
        """Whether the run of a film with these tags came to its end, in this job or another."""
        wanted = [f"tags.`{name}` = '{value}'" for name, value in tags.items()]
        query = " and ".join([*wanted, "attributes.status = 'FINISHED'"])
        return bool(self._client.search_runs([self._experiment_id], query, max_results=1))


@_told
def open_job(tracking_uri: str, job: str, tags: Mapping[str, str]) -> JobRun:
    """Begin the run of a job; runs that a killed driver of this machine left open are closed first.

    Args:
        tracking_uri: of the store; see `default_tracking_uri`.
        job: dub, train, ...
        tags: from `lineage_tags`.

    Raises:
        TrackingError: the store cannot be reached; so do the methods of a run.
    """
    client = tracking_client(tracking_uri)
    experiment_id = _experiment(client, tracking_uri)
    _close_abandoned(client, experiment_id)
    own = {"mlflow.runName": f"{job} {time.strftime('%Y-%m-%d %H:%M:%S')}", "diff2lip.job": job}
    return JobRun(client, _create(client, experiment_id, {**tags, **own}), experiment_id, tags)


@_told
def reopen_run(tracking_uri: str, run_id: str) -> Run:
    """A run that was left, open again and in the hands of this process.

    Raises:
        TrackingError: the store cannot be reached, or knows no such run.
    """
    client = tracking_client(tracking_uri)
    client.update_run(run_id, "RUNNING")
    client.set_tag(run_id, DRIVER_TAG, _driver())
    return Run(client, run_id)


@_told
def attach_run(tracking_uri: str, run_id: str) -> Run:
    """A run that another process holds open, to write more into it.

    Raises:
        TrackingError: the store cannot be reached, or knows no such run.
    """
    client = tracking_client(tracking_uri)
    client.get_run(run_id)
    return Run(client, run_id)


def describe(revision: Revision, settings: Any) -> dict[str, Any]:
    """What the config artifact of a run holds."""
    return {"revision": asdict(revision), "settings": settings}


def tracking_client(tracking_uri: str) -> "MlflowClient":
    """MLflow's client of a store."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient

    for name in ("mlflow", "alembic"):  # migrations of a fresh store are no news
        logging.getLogger(name).setLevel(logging.WARNING)
    return MlflowClient(tracking_uri=tracking_uri)


def _experiment(client: "MlflowClient", tracking_uri: str) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    return str(client.create_experiment(EXPERIMENT, artifact_location=_artifact_location(tracking_uri)))


def _artifact_location(tracking_uri: str) -> str | None:
    """Beside a store that is a local file; a server says itself where."""
    if not tracking_uri.startswith(LOCAL_STORE):
        return None
    return (Path(tracking_uri.removeprefix(LOCAL_STORE)).absolute().parent / "mlartifacts").as_uri()


def _create(client: "MlflowClient", experiment_id: str, tags: Mapping[str, str]) -> str:
    own = {DRIVER_TAG: _driver()}
    cut = {name: value[:MAX_TAG_LETTERS] for name, value in {**tags, **own}.items()}
    return str(client.create_run(experiment_id, tags=cut).info.run_id)


def _driver() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _close_abandoned(client: "MlflowClient", experiment_id: str) -> None:
    for run in client.search_runs([experiment_id], "attributes.status = 'RUNNING'"):
        host, _, pid = run.data.tags.get(DRIVER_TAG, "").rpartition(":")
        if host == socket.gethostname() and pid.isdigit() and not _alive(int(pid)):
            client.set_terminated(run.info.run_id, "KILLED")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _flat(params: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in params.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat
