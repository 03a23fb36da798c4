"""What a person asks of a training, and what comes of it."""

from dataclasses import dataclass, field
from pathlib import Path

from jobs.recipes import Kind

MODEL_NAMES = {Kind.SYNCNET: "expert.safetensors", Kind.DIFF2LIP: "diff2lip.safetensors"}
REGISTERED_NAMES = {Kind.SYNCNET: "diff2lip-expert", Kind.DIFF2LIP: "diff2lip"}


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainRequest:
    """What a person asked for."""

    kind: Kind
    data: str  # a folder or a uri
    out: Path
    recipe: str
    settings: tuple[str, ...] = ()  # key=value
    budget_s: float | None = None
    expert: Path | None = None  # none: the one that was trained in `out`
    parent: Path | None = None
    workers: int = 1
    most_workers: int | None = None  # more, where the cluster has them
    new: bool = False
    tracking_uri: str | None = None
    address: str | None = None


@dataclass(kw_only=True, slots=True)
class TrainOutcome:
    """What came of it."""

    exit_code: int
    status: str  # trained, stopped, untrained (an expert of nothing), surpassed (by the expert that was there),
    # unregistered or uncompared (MLflow was gone)
    name: str  # of the run
    steps: int
    model: str = ""  # the checkpoint, where one was kept
    version: str = ""  # what `--model` takes, where it was registered
    digest: str = ""
    promoted: bool = False  # whether that version is champion now
    promotion: str = ""  # why, or why not
    figures: dict[str, float] = field(default_factory=dict)  # of the last step and on held-out windows
    left_out: dict[str, int] = field(default_factory=dict)  # clips by reason
    notices: list[str] = field(default_factory=list)
    run_id: str = ""
    tracking_uri: str = ""
