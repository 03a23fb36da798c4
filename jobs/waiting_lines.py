"""Lines of JSON that wait in a file until they can be written somewhere else."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.storage import write_whole

Line = dict[str, Any]


class WaitingLines:
    """A file that one process at a time adds to and takes from; it survives that process."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, line: Line) -> None:
        """Append a line."""
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def read(self) -> list[Line]:
        """All that wait, in order, without one that was cut off when a process died."""
        if not self._path.exists():
            return []
        return [line for text in self._path.read_text().splitlines() if (line := _parsed(text))]

    def keep(self, lines: Sequence[Line]) -> None:
        """Only these wait on."""
        write_whole(self._path, "".join(json.dumps(line) + "\n" for line in lines).encode())


def _parsed(text: str) -> Line | None:
    try:
        return dict(json.loads(text))
    except json.JSONDecodeError:
        return None
