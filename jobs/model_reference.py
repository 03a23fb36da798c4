"""`--model REF`: which weights are meant, resolved once, at the start of a job."""

from dataclasses import dataclass
from pathlib import Path

from diff2lip.bundled import BUNDLED_PREFIX, bundled_path, is_bundled
from pipelines.storage import file_digest

DEFAULT_MODEL = "bundled:small"
REGISTERED_PREFIX = "models:/"


class ModelUnavailableError(Exception):
    """A model reference that leads to no weights; says what to write instead."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelReference:
    """Weights that are there."""

    reference: str  # as it was written
    path: Path
    digest: str  # SHA-256 of the file
    version: str = ""  # models:/NAME/VERSION, where it is registered: an alias may move, this does not


def resolve_model(reference: str, tracking_uri: str | None = None) -> ModelReference:
    """The weights that a reference names: a safetensors path, `bundled:small`, or a registered model.

    Args:
        reference: also `models:/diff2lip@champion` or `models:/diff2lip/3`; resolved here, once.
        tracking_uri: of the store where models are registered.

    Raises:
        ModelUnavailableError: there are none.
        TrackingError: the store cannot be reached.
    """
    if reference.startswith(REGISTERED_PREFIX):
        return _registered(reference, tracking_uri)
    path = bundled_path(reference.removeprefix(BUNDLED_PREFIX)) if is_bundled(reference) else Path(reference)
    if path.suffix != ".safetensors":
        raise ModelUnavailableError(
            f"{reference} is neither a .safetensors file nor {DEFAULT_MODEL} nor a registered models:/NAME@ALIAS"
        )
    if not path.is_file():
        raise ModelUnavailableError(f"there is no model {reference} (looked for {path.name})")
    return ModelReference(reference=reference, path=path.absolute(), digest=file_digest(path))


def _registered(reference: str, tracking_uri: str | None) -> ModelReference:
    from jobs.registry import fetch_weights, find_version

    if tracking_uri is None:
        raise ModelUnavailableError(f"{reference} is registered somewhere: say where with --tracking-uri")
    found = find_version(tracking_uri, reference)
    path = fetch_weights(tracking_uri, found)
    return ModelReference(reference=reference, path=path, digest=found.digest, version=found.reference)
