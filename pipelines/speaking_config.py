"""How it is told who speaks: settings alone."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from diff2lip.bundled import expert_path
from pipelines.storage import file_digest

VERSION = 1  # raised when an expert says otherwise of the same faces and the same sound


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeakingConfig:
    """The witnesses that are asked beside the opening of the mouth."""

    expert: str = ""  # a lip-sync expert's checkpoint, or bundled:small; without one the opening speaks alone

    def __post_init__(self) -> None:
        if self.expert and not self.path.is_file():
            raise ValueError(
                "there is no such file; it takes bundled:small or a checkpoint of `train syncnet` or `weights import`"
            )

    @property
    def path(self) -> Path:
        """The expert's checkpoint in this installation."""
        return expert_path(self.expert)

    @property
    def facts(self) -> dict[str, Any]:
        """All that scores depend on, as JSON values; nothing without an expert."""
        return {"expert": _digest(self.path), "witness": VERSION} if self.expert else {}


@lru_cache(maxsize=4)
def _digest(path: Path) -> str:
    return file_digest(path)
