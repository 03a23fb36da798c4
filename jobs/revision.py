"""Which code this is: commit, lock file, versions of what it stands on."""

import hashlib
import importlib.metadata
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
COMMIT_VARIABLE = "DIFF2LIP_COMMIT"  # set in an image, where there is no repository to ask
UNKNOWN = "unknown"
NAMED = ("av", "mlflow", "numpy", "pyarrow", "ray", "torch", "whisperx")


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """The code that runs, for lineage."""

    commit: str  # 40 hex digits, or unknown
    dirty: bool  # the working tree differs from the commit
    lock_digest: str  # SHA-256 of uv.lock, or unknown
    versions: dict[str, str]

    @property
    def facts(self) -> dict[str, str]:
        """What a delivery records of the code that made it."""
        return {"commit": self.commit, "dirty": str(self.dirty).lower(), "lock_digest": self.lock_digest}


def read_revision(root: Path = ROOT) -> Revision:
    """What can be known of the code below a folder; nothing raises, unknown is said."""
    commit = os.environ.get(COMMIT_VARIABLE) or _git(root, "rev-parse", "HEAD")
    return Revision(
        commit=commit or UNKNOWN,
        dirty=bool(_git(root, "status", "--porcelain")),
        lock_digest=_digest(root / "uv.lock"),
        versions={"python": platform.python_version(), **{name: package_version(name) for name in NAMED}},
    )


def package_version(name: str) -> str:
    """The installed version of a package, or unknown."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return UNKNOWN


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else UNKNOWN


def _git(root: Path, *words: str) -> str:
    if not (root / ".git").exists():  # else git would answer for a repository that this folder lies in
        return ""
    try:
        answer = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
