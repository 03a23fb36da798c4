"""One training run on disk: what it was asked, under which name it runs, and whether it has come to its end."""

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from jobs.training_errors import UnfinishedNightError
from pipelines.storage import write_whole

NIGHT_NAME = "night.json"
RUNNING, DONE, STOPPED = "running", "done", "stopped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Night:
    """A training run. Ray resumes what has the same name, so another run never has it."""

    name: str
    digest: str  # of everything that decides its weights
    run_id: str = ""  # of MLflow: one for all restarts
    status: str = RUNNING


def open_night(folder: Path, digest: str, commit: str, *, new: bool) -> tuple[Night, bool]:
    """The unfinished run of a folder, if it was asked for the same, else a new one; and whether it goes on.

    Args:
        folder: of this kind of training.
        digest: of what is asked now.
        commit: of the code, for the name.
        new: leave an unfinished run behind.

    Raises:
        UnfinishedNightError: an unfinished one was asked for something else.
    """
    path = folder / NIGHT_NAME
    before = Night(**json.loads(path.read_text())) if path.is_file() else None
    if before is not None and before.status != DONE and not new:
        if before.digest != digest:
            raise UnfinishedNightError(
                f"{folder} holds the unfinished training {before.name} of other settings or data: run it again as it "
                "was to go on, or say --new to leave it and begin another"
            )
        return before, True
    return Night(name=f"{time.strftime('%Y%m%d-%H%M%S')}-{commit[:7]}", digest=digest), False


def write_night(folder: Path, night: Night) -> None:
    """Remember a run."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / NIGHT_NAME, json.dumps(asdict(night), indent=2).encode())


def ended(night: Night, status: str) -> Night:
    """The run at its end, or where it was stopped."""
    return replace(night, status=status)
