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
    not_compared: tuple[str, ...] = ()  # in words: what no check looked at, for want of a file

    @property
    def holds(self) -> bool:
        return all(check.ok for check in self.checks)

    @property
    def failures(self) -> list[Check]:
        return [check for check in self.checks if not check.ok]

    @property
    def verdict(self) -> str:
        """The proof in one sentence; that every proof holds is said only where all was compared."""
        if not self.holds:
            return f"{len(self.failures)} of {len(self.checks)} checks fail"
        left = "; ".join(self.not_compared)
        return f"what was compared holds; NOT COMPARED: {left}" if left else "every proof holds"

    def to_json(self) -> str:
        """The proof for a machine."""
        return json.dumps(asdict(self) | {"holds": self.holds}, indent=2, sort_keys=True)
