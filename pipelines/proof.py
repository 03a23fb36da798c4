"""What a proof says: its checks, and facts that are none."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Proof:
    """Every check of a delivered film against its source, and facts that are no checks."""

    source: str
    delivered: str
    checks: tuple[Check, ...]
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return all(check.ok for check in self.checks)

    @property
    def failures(self) -> list[Check]:
        return [check for check in self.checks if not check.ok]

    def to_json(self) -> str:
        """The proof for a machine."""
        return json.dumps(asdict(self) | {"holds": self.holds}, indent=2, sort_keys=True)
