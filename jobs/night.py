"""One training run on disk: what it was asked, under which name it runs, and whether it has come to its end."""

import itertools
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from jobs.training_errors import UnfinishedNightError
from pipelines.storage import write_whole

NIGHT_NAME, NIGHTS = "night.json", "nights"  # the folder holds how far each run is, and what waits for MLflow
RUNNING, DONE, STOPPED = "running", "done", "stopped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Night:
    """A training run. Ray resumes what has the same name, so another run never has it."""

    name: str
    digest: str  # of everything that decides its weights
    run_id: str = ""  # of MLflow: one for all restarts
    status: str = RUNNING


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """How a training begins."""

    night: Night
    goes_on: bool = False  # it was begun before
    left: Night | None = None  # unfinished, and given up for this one


def open_night(folder: Path, digest: str, commit: str, *, new: bool) -> Opening:
    """The unfinished run of a folder, if it was asked for the same, else a new one.

    Args:
        folder: of this kind of training.
        digest: of what is asked now.
        commit: of the code, for the name.
        new: leave an unfinished run behind.

    Raises:
        UnfinishedNightError: an unfinished one was asked for something else.
    """
    before = read_night(folder)
    unfinished = before if before is not None and before.status != DONE else None
    if unfinished is not None and not new:
        if unfinished.digest != digest:
            raise UnfinishedNightError(
                f"{folder} holds the unfinished training {unfinished.name} of other settings or data: run it again as "
                "it was to go on, or say --new to leave it and begin another"
            )
        return Opening(night=unfinished, goes_on=True)
    return Opening(night=Night(name=_name(folder, commit), digest=digest), left=unfinished)


def read_night(folder: Path) -> Night | None:
    """The last run of a folder; None before the first."""
    path = folder / NIGHT_NAME
    return Night(**json.loads(path.read_text())) if path.is_file() else None


def write_night(folder: Path, night: Night) -> None:
    """Remember a run."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / NIGHT_NAME, json.dumps(asdict(night), indent=2).encode())


def ended(night: Night, status: str) -> Night:
    """The run at its end, or where it was stopped."""
    return replace(night, status=status)


def _name(folder: Path, commit: str) -> str:
    """Of the moment and the code; Ray would go on with what has the same name."""
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{commit[:7]}"
    taken = (f"{name}-{number}" for number in itertools.count(2))
    return next(one for one in itertools.chain([name], taken) if not (folder / NIGHTS / one).exists())
