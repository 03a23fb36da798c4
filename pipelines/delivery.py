"""A delivered folder: there whole or not at all, and left alone when it is what would be made again."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MANIFEST_NAME = "manifest.json"


class Delivery:
    """OUT/<title>/<language>, filled in a hidden folder beside it and published by one rename."""

    def __init__(self, out_dir: Path, title: str, language: str) -> None:
        self.folder = out_dir.absolute() / title / language
        if self.folder.parent.parent != out_dir.absolute() or title.startswith(".") or language.startswith("."):
            raise ValueError(f"title {title!r} and language {language!r} must each be one plain folder name")

    def manifest(self) -> dict[str, Any] | None:
        """The manifest of what lies there; None when nothing does."""
        path = self.folder / MANIFEST_NAME
        if not path.is_file():
            return None
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    @contextmanager
    def filling(self) -> Iterator[Path]:
        """A hidden folder to write into: the delivery when the block ends without an error, else gone."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        hidden = self.folder.parent / f".{self.folder.name}.{uuid.uuid4().hex}.tmp"
        hidden.mkdir()
        try:
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


def _sync(folder: Path) -> None:
    for path in folder.iterdir():
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
