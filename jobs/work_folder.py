"""Where intermediates are kept: a uri, or a folder."""

import shutil
from pathlib import Path

from pipelines.storage import file_digest, require_storage, whole_file

WORK_NAME, WEIGHTS_NAME = ".work", "weights"


def work_uri(work: str | None, out: str) -> str:
    """The store of a job: what a person named, else a folder in OUT.

    A path becomes absolute, since workers have current folders of their own.
    """
    return whole_place(work or f"{(out or '.').rstrip('/')}/{WORK_NAME}")


def whole_place(place: str) -> str:
    """A uri as it is, a folder with its whole path.

    Raises:
        UnknownStorageError: a uri that nothing here can read.
    """
    if "://" not in place:
        return str(Path(place).absolute())
    require_storage(place)
    return place.rstrip("/")


def seen_by_all(weights: Path, folder: Path) -> Path:
    """Weights as a file of a folder that all nodes see, under their digest; copied there once.

    What was fetched lies in the cache of this machine alone.
    """
    kept = folder.absolute() / WEIGHTS_NAME / f"{file_digest(weights)}{weights.suffix}"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(kept) as unfinished:
            shutil.copyfile(weights, unfinished)
    return kept


def forget_weights(folder: Path) -> None:
    """Take away the copies of `seen_by_all`: a night of a large model would leave a gigabyte."""
    shutil.rmtree(folder / WEIGHTS_NAME, ignore_errors=True)
