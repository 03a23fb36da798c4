"""Content-keyed storage: the only file that knows a URI scheme.

An object is written under the digest of what made it: temp name, fsync, rename without
replacing. So the same key is the same bytes, a crash leaves nothing that could be taken
for a result, and two workers that make the same object agree.
"""

import hashlib
import json
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

CHUNK_BYTES = 1 << 20


def content_key(stage: str, version: int, facts: Mapping[str, Any]) -> str:
    """The digest under which a stage stores what it made of `facts`.

    Args:
        stage: name of the stage, lower case.
        version: raised by hand when the stage's result changes for the same facts.
        facts: everything that the result depends on; JSON values only.

    Returns:
        64 hex digits.
    """
    text = json.dumps({"stage": stage, "version": version, "facts": facts}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, 64 hex digits."""
    with path.open("rb") as file:
        return _digest_of(file)


def object_digest(uri: str) -> str:
    """SHA-256 of the object behind a uri, 64 hex digits."""
    with open_object(uri) as file:
        return _digest_of(file)


def _digest_of(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


class ObjectStore:
    """Write-once objects by key, in a local folder or any fsspec URI."""

    def __init__(self, root_uri: str) -> None:
        self._fs, self._root = fsspec.core.url_to_fs(root_uri)
        self._local = is_local(root_uri)
        self.root_uri = root_uri

    def uri(self, key: str) -> str:
        """Where the object of this key lies or will lie."""
        return self._fs.unstrip_protocol(self._path(key)) if not self._local else self._path(key)

    def has(self, key: str) -> bool:
        """Whether the object is there, whole."""
        return bool(self._fs.exists(self._path(key)))

    def get(self, key: str) -> bytes:
        """The object's bytes.

        Raises:
            FileNotFoundError: there is no such object.
        """
        return bytes(self._fs.cat_file(self._path(key)))

    def put(self, key: str, data: bytes) -> str:
        """Commit bytes under a key and return their uri; the first commit wins."""
        path = self._path(key)
        temp = f"{path}.{uuid.uuid4().hex}.tmp"
        self._fs.makedirs(os.path.dirname(path), exist_ok=True)
        if self._local:
            _commit_local(temp, path, data)
        elif not self._fs.exists(path):
            self._fs.pipe_file(temp, data)
            self._fs.mv(temp, path)
        return self.uri(key)

    @contextmanager
    def draft(self) -> Iterator["Draft"]:
        """An object that is written piece by piece, and whose key may be known only at its end.

        What was not committed when the block ends leaves nothing behind.
        """
        temp = f"{self._root}/objects/{uuid.uuid4().hex}.tmp"
        self._fs.makedirs(os.path.dirname(temp), exist_ok=True)
        file: BinaryIO = self._fs.open(temp, "wb")
        try:
            yield Draft(self, file, temp)
        finally:
            file.close()
            with suppress(FileNotFoundError):
                self._fs.rm_file(temp)

    def adopt(self, file: BinaryIO, temp: str, key: str) -> str:
        """Commit what was written into a temp file of this store under a key and return its uri."""
        path = self._path(key)
        self._fs.makedirs(os.path.dirname(path), exist_ok=True)
        if self._local:
            _sync(file)
            file.close()
            _name_local(temp, path)
        else:
            file.close()  # this is what uploads the last piece
            if not self._fs.exists(path):
                self._fs.mv(temp, path)
        return self.uri(key)

    def put_blocks(self, key: str, blocks: Iterable[bytes]) -> str:
        """Commit bytes that come in blocks, of which one is in memory at a time, and return their uri."""
        with self.draft() as draft:
            for block in blocks:
                draft.file.write(block)
            return draft.commit(key)

    def size(self, key: str) -> int:
        """Bytes of an object.

        Raises:
            FileNotFoundError: there is no such object.
        """
        return int(self._fs.size(self._path(key)))

    def get_part(self, key: str, start: int, end: int) -> bytes:
        """The object's bytes [start, end), which lie within it; nothing else is read."""
        return bytes(self._fs.cat_file(self._path(key), start=start, end=end)) if start < end else b""

    def get_json(self, key: str) -> Any:
        """An object that `put_json` wrote."""
        return json.loads(self.get(key))

    def find_facts(self, key: str, object_field: str) -> dict[str, Any] | None:
        """Facts that `put_json` wrote; None when they, or the object that their field names by key, are gone."""
        if not self.has(key):
            return None
        facts: dict[str, Any] = self.get_json(key)
        return facts if facts[object_field] is None or self.has(facts[object_field]) else None

    def put_json(self, key: str, value: Any) -> str:
        """Commit a JSON value under a key and return its uri."""
        return self.put(key, json.dumps(value, sort_keys=True).encode())

    def put_table(self, key: str, table: pa.Table) -> str:
        """Commit a table as one Parquet file (zstd) under a key and return its uri."""
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        return self.put(key, sink.getvalue().to_pybytes())

    def _path(self, key: str) -> str:
        return f"{self._root}/objects/{key[:2]}/{key}"


class Draft:
    """An object on its way into a store."""

    def __init__(self, store: ObjectStore, file: BinaryIO, temp: str) -> None:
        self.file = file
        self._store, self._temp = store, temp

    def commit(self, key: str) -> str:
        """Give what was written a key and return its uri; nothing can be written after. The first commit wins."""
        return self._store.adopt(self.file, self._temp, key)


def open_object(uri: str) -> BinaryIO:
    """The object behind a uri that a row names, to be read piece by piece."""
    fs, path = fsspec.core.url_to_fs(uri)
    file: BinaryIO = fs.open(path, "rb")
    return file


def read_object(uri: str) -> bytes:
    """The bytes behind a uri that a row names."""
    fs, path = fsspec.core.url_to_fs(uri)
    return bytes(fs.cat_file(path))


def read_table(uri: str) -> pa.Table:
    """The table behind a uri that a row names."""
    return pq.read_table(pa.BufferReader(read_object(uri)))


def write_object(uri: str, data: bytes) -> None:
    """Write what lies behind a uri so that it is there whole or not at all, replacing what was there."""
    fs, path = fsspec.core.url_to_fs(uri)
    if is_local(uri):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_whole(Path(path), data)
    else:
        fs.pipe_file(path, data)  # object stores show an object when all of it has come


class UnknownStorageError(ValueError):
    """A uri of a file system that is not known here, or whose package is not installed."""


def require_storage(uri: str) -> None:
    """Look whether the file system of a uri can be reached from here at all.

    Raises:
        UnknownStorageError: it cannot.
    """
    try:
        fsspec.core.url_to_fs(uri)
    except (ImportError, ValueError) as error:
        raise UnknownStorageError(f"{uri} cannot be read or written: {error}") from error


def is_local(uri: str) -> bool:
    """Whether a uri, or a path, is of this machine's file system."""
    fs, _ = fsspec.core.url_to_fs(uri)
    return "file" in (fs.protocol if isinstance(fs.protocol, tuple) else (fs.protocol,))


def write_whole(path: Path, data: bytes) -> None:
    """Write a local file so that it is there whole or not at all, replacing what was there."""
    with whole_file(path) as temp:
        _write_synced(str(temp), data)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A name to write a local file under; it takes the place of `path` when the block ends without an error."""
    temp = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield temp
        os.replace(temp, path)
    finally:
        temp.unlink(missing_ok=True)


def _commit_local(temp: str, path: str, data: bytes) -> None:
    _write_synced(temp, data)
    _name_local(temp, path)


def _name_local(temp: str, path: str) -> None:
    """Give a whole temp file its name, without replacing."""
    with suppress(FileExistsError):
        os.link(temp, path)
    os.unlink(temp)
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write_synced(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        _sync(file)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
