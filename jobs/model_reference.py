"""`--model REF`: which weights are meant, resolved once, at the start of a job."""

from dataclasses import dataclass
from pathlib import Path

from pipelines.storage import file_digest

BUNDLED_FOLDER = Path(__file__).parent.parent / "diff2lip" / "weights"
BUNDLED_PREFIX = "bundled:"
DEFAULT_MODEL = "bundled:small"


class ModelUnavailableError(Exception):
    """A model reference that leads to no weights; says what to write instead."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelReference:
    """Weights that are there."""

    reference: str  # as it was written
    path: Path
    digest: str  # SHA-256 of the file


def resolve_model(reference: str) -> ModelReference:
    """The weights that a reference names: a safetensors path, or `bundled:small`.

    Raises:
        ModelUnavailableError: there are none.
    """
    path = bundled_path(reference.removeprefix(BUNDLED_PREFIX)) if is_bundled(reference) else Path(reference)
    if path.suffix != ".safetensors":
        raise ModelUnavailableError(f"{reference} is neither a .safetensors file nor {DEFAULT_MODEL}")
    if not path.is_file():
        raise ModelUnavailableError(f"there is no model {reference} (looked for {path.name})")
    return ModelReference(reference=reference, path=path.absolute(), digest=file_digest(path))


def bundled_path(name: str) -> Path:
    """Where the bundled model of a name lies in this installation."""
    return BUNDLED_FOLDER / f"{name}.safetensors"


def is_bundled(reference: str) -> bool:
    """Whether a reference names a model that is shipped."""
    return reference.startswith(BUNDLED_PREFIX)
