"""Weights that are shipped with the package, by the names that people write."""

from pathlib import Path

BUNDLED_FOLDER = Path(__file__).parent / "weights"
BUNDLED_PREFIX = "bundled:"


def is_bundled(reference: str) -> bool:
    """Whether a reference names a model that is shipped."""
    return reference.startswith(BUNDLED_PREFIX)


def bundled_path(name: str) -> Path:
    """Where the bundled model of a name lies in this installation."""
    return BUNDLED_FOLDER / f"{name}.safetensors"


def expert_path(reference: str) -> Path:
    """Where an expert lies: a path, or `bundled:NAME` for the one that taught the model of that name."""
    name = f"{reference.removeprefix(BUNDLED_PREFIX)}_expert"
    return bundled_path(name) if is_bundled(reference) else Path(reference)
