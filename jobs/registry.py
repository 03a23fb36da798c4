"""Registered models: what a training made becomes a version, and a reference to one becomes a file.

Beside `jobs/lineage.py` the only file that imports mlflow. Weights are safetensors with their configuration, files of
a LoggedModel: nothing of them is a pickle, and no flavour of MLflow is needed to read them.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.lineage import MAX_TAG_LETTERS, TrackingError, tracking_client
from jobs.model_reference import REGISTERED_PREFIX, ModelUnavailableError
from pipelines.assets import cache_folder
from pipelines.storage import file_digest

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION = "champion"  # the alias of the version that `--model models:/NAME@champion` means
WEIGHTS_NAME = "model.safetensors"
DIGEST_TAG = "diff2lip.digest"  # SHA-256 of the weights, whole
REFERENCE = re.compile(r"models:/(?P<name>[\w.-]+)(?:@(?P<alias>[\w.-]+)|/(?P<version>\d+))")


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelVersion:
    """A registered version."""

    name: str
    version: str
    model_id: str  # of the LoggedModel that holds its files
    run_id: str  # that made it
    digest: str  # SHA-256 of its weights

    @property
    def reference(self) -> str:
        """What `--model` takes."""
        return f"{REGISTERED_PREFIX}{self.name}/{self.version}"


def register_model(
    tracking_uri: str, run_id: str, name: str, weights: Path, documents: Sequence[Path], tags: Mapping[str, str]
) -> ModelVersion:
    """Register a checkpoint that a run made as the next version of a model.

    Args:
        tracking_uri: of the store.
        run_id: of the run.
        name: of the model; it is made when there is none.
        weights: a safetensors file.
        documents: configuration, card: files beside it.
        tags: of the version, such as recipe and data digest.

    Raises:
        TrackingError: the store cannot be reached, or refuses.
    """
    from mlflow.entities import LoggedModelOutput
    from mlflow.exceptions import MlflowException

    client, digest = tracking_client(tracking_uri), file_digest(weights)
    own = {DIGEST_TAG: digest, **tags}
    try:
        run = client.get_run(run_id)
        model = client.create_logged_model(run.info.experiment_id, name, run_id, own, model_type="diff2lip")
        with tempfile.TemporaryDirectory() as folder:
            shutil.copyfile(weights, Path(folder) / WEIGHTS_NAME)
            for document in documents:
                shutil.copyfile(document, Path(folder) / document.name)
            client.log_model_artifacts(model.model_id, folder)
        client.finalize_logged_model(model.model_id, "READY")
        client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])
        if not client.search_registered_models(f"name = '{name}'"):
            client.create_registered_model(name)
        with _default_store(tracking_uri):
            source = f"{REGISTERED_PREFIX}{model.model_id}"
            version = client.create_model_version(name, source, run_id, own, model_id=model.model_id)
    except (MlflowException, OSError) as error:
        raise TrackingError(f"MLflow does not register {name}: {error}") from error
    return ModelVersion(name=name, version=str(version.version), model_id=model.model_id, run_id=run_id, digest=digest)


@contextmanager
def _default_store(tracking_uri: str) -> Iterator[None]:
    """MLflow's own default, for the one call that asks it where a LoggedModel lies whatever store it is made with."""
    import mlflow

    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(tracking_uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)


def find_version(tracking_uri: str, reference: str) -> ModelVersion:
    """The version that `models:/NAME@ALIAS` or `models:/NAME/VERSION` means now.

    Raises:
        ModelUnavailableError: it is no such reference, or leads to no version with weights of ours.
        TrackingError: the store cannot be reached.
    """
    from mlflow.exceptions import MlflowException

    found = REFERENCE.fullmatch(reference)
    if found is None:
        raise ModelUnavailableError(
            f"{reference} is no reference such as models:/diff2lip@champion or models:/diff2lip/3"
        )
    client, name = tracking_client(tracking_uri), found["name"]
    try:
        version = (
            client.get_model_version_by_alias(name, found["alias"])
            if found["alias"]
            else client.get_model_version(name, found["version"])
        )
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise ModelUnavailableError(f"there is no {reference} in {tracking_uri}: {error.message}") from error
        raise TrackingError(f"MLflow cannot be asked for {reference}: {error}") from error
    source = str(version.source)  # the LoggedModel: SQL stores keep its id nowhere else
    if DIGEST_TAG not in version.tags or not source.startswith(REGISTERED_PREFIX):
        raise ModelUnavailableError(f"{reference} was not registered by a training of ours: it names no digest")
    return ModelVersion(
        name=name,
        version=str(version.version),
        model_id=source.removeprefix(REGISTERED_PREFIX),
        run_id=str(version.run_id),
        digest=version.tags[DIGEST_TAG],
    )


def find_champion(tracking_uri: str, name: str) -> ModelVersion | None:
    """The version that carries the alias `champion`; None where none does.

    Raises:
        TrackingError: the store cannot be reached.
        ModelUnavailableError: it was not registered by a training of ours.
    """
    from mlflow.exceptions import MlflowException

    try:
        models = tracking_client(tracking_uri).search_registered_models(f"name = '{name}'")
    except (MlflowException, OSError) as error:
        raise TrackingError(f"MLflow cannot be asked for {name}: {error}") from error
    if not models or CHAMPION not in models[0].aliases:
        return None
    return find_version(tracking_uri, f"{REGISTERED_PREFIX}{name}@{CHAMPION}")


def crown(tracking_uri: str, version: ModelVersion) -> None:
    """Give a version the alias `champion`; whoever had it loses it in the same call.

    Raises:
        TrackingError: the store cannot be reached.
    """
    _write(tracking_uri, lambda client: client.set_registered_model_alias(version.name, CHAMPION, version.version))


def tag_version(tracking_uri: str, version: ModelVersion, tags: Mapping[str, str]) -> None:
    """Write tags on a version.

    Raises:
        TrackingError: the store cannot be reached.
    """
    for name, value in tags.items():
        _write(tracking_uri, partial(_tag, version=version, name=name, value=value[:MAX_TAG_LETTERS]))


def _tag(client: "MlflowClient", version: ModelVersion, name: str, value: str) -> None:
    client.set_model_version_tag(version.name, version.version, name, value)


def _write(tracking_uri: str, write: Callable[["MlflowClient"], None]) -> None:
    from mlflow.exceptions import MlflowException

    try:
        write(tracking_client(tracking_uri))
    except (MlflowException, OSError) as error:
        raise TrackingError(f"MLflow does not keep what was decided: {error}") from error


def versions_of(tracking_uri: str, digest: str) -> list[str]:
    """References of all versions whose weights have a digest; newest first.

    Raises:
        TrackingError: the store cannot be reached.
    """
    from mlflow.exceptions import MlflowException

    try:
        found = tracking_client(tracking_uri).search_model_versions(f"tags.`{DIGEST_TAG}` = '{digest}'")
    except (MlflowException, OSError) as error:
        raise TrackingError(f"MLflow cannot be asked for models: {error}") from error
    ordered = sorted(found, key=lambda one: -int(one.version))
    return [f"{REGISTERED_PREFIX}{one.name}/{one.version}" for one in ordered]


def fetch_weights(tracking_uri: str, version: ModelVersion) -> Path:
    """The weights of a version as a file of the cache, under their digest; fetched once, and verified.

    Raises:
        ModelUnavailableError: what the store holds has another digest.
        TrackingError: the store cannot be reached.
    """
    path = cache_folder() / "models" / f"{version.digest}.safetensors"
    if path.is_file():
        return path
    import mlflow
    from mlflow.exceptions import MlflowException

    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        try:
            location = tracking_client(tracking_uri).get_logged_model(version.model_id).artifact_location
            uri = f"{location}/{WEIGHTS_NAME}"
            got = Path(mlflow.artifacts.download_artifacts(uri, dst_path=folder, tracking_uri=tracking_uri))
        except (MlflowException, OSError) as error:
            raise TrackingError(f"MLflow does not hand out {version.reference}: {error}") from error
        if file_digest(got) != version.digest:
            raise ModelUnavailableError(f"the weights of {version.reference} are not those that were registered")
        got.replace(path)
    return path
