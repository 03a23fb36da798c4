"""A delivered folder: there whole or not at all, and left alone when it is what would be made again."""

import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.storage import file_digest

MANIFEST_NAME = "manifest.json"
HEX = "[0-9a-f]"


class OtherFilmError(RuntimeError):
    """The folder holds a delivery of another film, which is not ours to replace."""


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest that lies in a folder; None when none does."""
    path = folder / MANIFEST_NAME
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except ValueError:  # a disk that was full tore it
        return {}
    return found


class Delivery:
    """OUT/<title>/<language>, filled in a hidden folder beside it and published by one rename."""

    def __init__(self, out_dir: Path, title: str, language: str) -> None:
        self.folder = out_dir.absolute() / title / language
        if self.folder.parent.parent != out_dir.absolute() or title.startswith(".") or language.startswith("."):
            raise ValueError(f"title {title!r} and language {language!r} must each be one plain folder name")

    def manifest(self) -> dict[str, Any] | None:
        """The manifest of what lies there; None when nothing does."""
        return read_manifest(self.folder)

    def holds(self, key: str) -> bool:
        """Whether what lies there was made of the same things and is still what was written."""
        found = self.manifest()
        if found is None or found.get("key") != key:
            return False
        film = self.folder / found["film"]
        is_whole = film.is_file() and film.stat().st_size == found.get("film_size_bytes")
        return is_whole and bool(file_digest(film) == found["film_digest"])

    def check_replaceable(self, film_id: str) -> None:
        """Leave the deliveries of other films alone.

        Raises:
            OtherFilmError: one lies there.
        """
        found = self.manifest()
        if found is not None and found.get("film_id") != film_id:
            raise OtherFilmError(
                f"{self.folder} holds the delivery of another film; give this one another title, or move the folder"
            )

    def sweep(self) -> None:
        """Remove what stitches that were killed left of this delivery; bring back one that was being replaced."""
        for old in self.folder.parent.glob(f".{self.folder.name}.{HEX * 32}.old"):
            if not self.folder.exists():
                old.rename(self.folder)
            shutil.rmtree(old, ignore_errors=True)
        for hidden in self.folder.parent.glob(f".{self.folder.name}.{HEX * 32}.tmp"):
            with _locked(hidden) as is_stale:
                if is_stale:
                    shutil.rmtree(hidden, ignore_errors=True)

    @contextmanager
    def filling(self) -> Iterator[Path]:
        """A hidden folder to write into: the delivery when the block ends without an error, else gone."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        hidden = self.folder.parent / f".{self.folder.name}.{uuid.uuid4().hex}.tmp"
        hidden.mkdir()
        try:
            with _locked(hidden):
                yield hidden
                _sync(hidden)
                self._publish(hidden)
        finally:
            shutil.rmtree(hidden, ignore_errors=True)

    def _publish(self, hidden: Path) -> None:
        old = self.folder.parent / f".{self.folder.name}.{uuid.uuid4().hex}.old"
        if self.folder.exists():
            self.folder.rename(old)
        hidden.rename(self.folder)
        _sync_folder(self.folder.parent)
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Hold a folder against `sweep`, as long as this process lives; False when another process holds it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
