"""The lists of pairs that models are evaluated on: which sound goes to which picture."""

from dataclasses import dataclass
from pathlib import Path

SUFFIX = ".mp4"


class PairListError(ValueError):
    """A list that holds no pairs, or lines that are none; all are named."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two clips below a root, as the list names them: without the suffix."""

    audio: str  # is heard
    video: str  # is seen

    @property
    def name(self) -> str:
        """One word for the pair: as published, slashes become dots."""
        return f"{self.audio}_{self.video}".replace("/", ".")

    def files(self, root: Path) -> tuple[Path, Path]:
        """The clip that is heard and the clip that is seen."""
        return root / f"{self.audio}{SUFFIX}", root / f"{self.video}{SUFFIX}"


def read_pairs(path: Path) -> list[Pair]:
    """The pairs of a list in its order: one a line, `audio video`, blank lines left out.

    Raises:
        PairListError: there is no list, it is empty, or lines are not two names below the root.
    """
    if not path.is_file():
        raise PairListError(f"there is no list of pairs {path}")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise PairListError(f"{path} is not UTF-8 text (byte {error.start})") from error
    numbered = [(number, line.split()) for number, line in enumerate(lines, start=1) if line.strip()]
    wrong = [number for number, words in numbered if not _is_pair(words)]
    if wrong:
        raise PairListError(f"{path}: a line is `audio video`, two names below the root; not so {_places(wrong)}")
    if not numbered:
        raise PairListError(f"{path} holds no pairs; a line is `audio video`, two names below the root")
    return [Pair(audio, video) for _, (audio, video) in numbered]


def _is_pair(words: list[str]) -> bool:
    return len(words) == 2 and all(not Path(word).is_absolute() and ".." not in Path(word).parts for word in words)


def _places(lines: list[int]) -> str:
    shown = ", ".join(str(line) for line in lines[:10])
    return f"in line {shown}" + (f" and {len(lines) - 10} more" if len(lines) > 10 else "")
