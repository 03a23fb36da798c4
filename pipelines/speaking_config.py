"""How it is told who speaks: settings alone."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipelines.storage import file_digest

VERSION = 1  # raised when an expert says otherwise of the same faces and the same sound


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeakingConfig:
    """The witnesses that are asked beside the opening of the mouth."""

    expert: str = ""  # checkpoint of a lip-sync expert; without one the opening speaks alone

    def __post_init__(self) -> None:
        if self.expert and not Path(self.expert).is_file():
            raise ValueError("there is no such file; it takes a checkpoint of `train syncnet` or `weights import`")

    @property
    def facts(self) -> dict[str, Any]:
        """All that scores depend on, as JSON values; nothing without an expert."""
        return {"expert": _digest(self.expert), "witness": VERSION} if self.expert else {}


@lru_cache(maxsize=4)
def _digest(path: str) -> str:
    return file_digest(Path(path))
