"""What is remembered from night to night, and from call to call of one night."""

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from pipelines.storage import write_whole

STATE_NAME = "nightly.json"


class Stage(StrEnum):
    """What a night does, one after another."""

    DATA = "data"
    EXPERT = "expert"
    TRAIN = "train"


@dataclass(frozen=True, kw_only=True, slots=True)
class NightlyState:
    """Of one folder."""

    number: int = 0
    is_over: bool = True
    stage: Stage = Stage.DATA  # that is not done yet
    parent: str | None = None  # the weights that the training of this stage begins from, "" for none; None: not begun
    run_before: str = ""  # the training of this kind before that one
    failures: int = 0  # calls that failed in this stage
    expert_data: str = ""  # digest of what the expert was trained on
    expert_trained_s: float = 0.0  # when, seconds since 1970


def next_night(last: NightlyState) -> NightlyState:
    """The night after one that is over."""
    return replace(last, number=last.number + 1, is_over=False, stage=Stage.DATA, parent=None, failures=0)


def at_stage(state: NightlyState, stage: Stage) -> NightlyState:
    """The beginning of a stage of the same night."""
    return replace(state, stage=stage, parent=None, failures=0)


def read_state(out: Path) -> NightlyState:
    """What is remembered in a folder; before the first night, that there was none."""
    path = out / STATE_NAME
    if not path.is_file():
        return NightlyState()
    kept = json.loads(path.read_text())
    return NightlyState(**kept | {"stage": Stage(kept.get("stage", Stage.DATA))})


def write_state(out: Path, state: NightlyState) -> None:
    """Remember."""
    write_whole(out / STATE_NAME, json.dumps(asdict(state), indent=2).encode())
