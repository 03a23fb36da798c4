"""What this machine has and lacks for the dub."""

import os
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from jobs.model_reference import DEFAULT_MODEL, ModelUnavailableError, resolve_model
from jobs.revision import UNKNOWN, package_version
from pipelines.assets import Asset, cache_folder, list_assets

PACKAGES = ("av", "mlflow", "pyarrow", "ray", "torch", "whisperx")
MIN_CORES = 2
MIN_MEMORY_GIB = 6.0  # one actor of every stage, Ray's store and the driver; see pipelines/placement.py
MIN_DISK_GIB = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    found: str
    ok: bool
    needed: bool = True  # False: good to have
    remedy: str = ""


def examine_machine(folder: Path) -> list[Finding]:
    """All findings; `folder` is where deliveries would go."""
    return [
        _python(),
        *_size(folder),
        _gpu(),
        *[_package(name) for name in PACKAGES],
        _cache(),
        _model(),
        *[_asset(asset) for asset in list_assets()],
    ]


def healthy(findings: list[Finding]) -> bool:
    """Whether everything that is needed is there."""
    return all(finding.ok for finding in findings if finding.needed)


def _python() -> Finding:
    right = sys.version_info[:2] == (3, 11)
    return Finding(name="python", found=platform.python_version(), ok=right, remedy="make setup")


def _size(folder: Path) -> list[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = _memory_gib()
    free = shutil.disk_usage(_existing(folder)).free / (1 << 30)
    return [
        Finding(name="cores", found=str(cores), ok=cores >= MIN_CORES, needed=False, remedy=f"{MIN_CORES} or more"),
        Finding(
            name="memory", found=f"{memory:.1f} GiB", ok=memory >= MIN_MEMORY_GIB, remedy=f"{MIN_MEMORY_GIB:g} GiB"
        ),
        Finding(name="disk", found=f"{free:.1f} GiB free", ok=free >= MIN_DISK_GIB, remedy=f"{MIN_DISK_GIB:g} GiB"),
    ]


def _memory_gib() -> float:
    """What this process may use: the machine's memory, or what a container is limited to."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.is_file() else "max"
    return min(machine, int(text) / (1 << 30)) if text.isdigit() else machine


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    return folder if folder.exists() else _existing(folder.parent)


def _gpu() -> Finding:
    import torch

    if not torch.cuda.is_available():
        return Finding(name="gpu", found="none", ok=False, needed=False, remedy="none is needed; painting is slower")
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return Finding(name="gpu", found=", ".join(names), ok=True, needed=False)


def _package(name: str) -> Finding:
    version = package_version(name)
    return Finding(name=name, found=version, ok=version != UNKNOWN, remedy="make setup")


def _cache() -> Finding:
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return Finding(name="asset cache", found=str(folder), ok=True)
    except OSError as error:
        return Finding(
            name="asset cache", found=str(error), ok=False, remedy="set DIFF2LIP_CACHE to a folder of yours"
        )


def _model() -> Finding:
    try:
        model = resolve_model(DEFAULT_MODEL)
    except ModelUnavailableError as error:
        return Finding(name=f"model {DEFAULT_MODEL}", found=str(error), ok=False, remedy="--model FILE.safetensors")
    return Finding(name=f"model {DEFAULT_MODEL}", found=model.digest[:12], ok=True)


def _asset(asset: Asset) -> Finding:
    found = "present" if asset.present else "not fetched"
    remedy = "" if asset.present else f"diff2lip assets fetch {asset.name}"
    return Finding(name=f"asset {asset.name}", found=found, ok=asset.present, needed=False, remedy=remedy)
