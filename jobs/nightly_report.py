"""What came of a night, for the people who read it in the morning: OUT/nights/NNNNN.json."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from jobs.command import FAILED
from pipelines.storage import write_whole

REPORTS = "nights"


@dataclass(kw_only=True, slots=True)
class NightlyReport:
    """What came of a night."""

    number: int
    exit_code: int = FAILED
    steps: dict[str, str] = field(default_factory=dict)  # data, expert, train, decision: what came of each
    failure: str = ""
    champion_before: str = ""
    champion_after: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    run_id: str = ""
    seconds: float = 0.0
    path: str = ""


def read_report(out: Path, number: int) -> NightlyReport:
    """What calls before have said of a night; a night that begins has said nothing."""
    path = _path(out, number)
    if not path.is_file():
        return NightlyReport(number=number, path=str(path))
    said = json.loads(path.read_text())
    return NightlyReport(**said | {"failure": "", "exit_code": FAILED})


def write_report(out: Path, report: NightlyReport) -> None:
    """Say it."""
    path = _path(out, report.number)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(asdict(report), indent=2).encode())


def _path(out: Path, number: int) -> Path:
    return out / REPORTS / f"{number:05d}.json"
