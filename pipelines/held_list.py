"""The held-out list: which frames of which stretches a champion and its challenger are both measured on."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa

from pipelines.stage import Row

OUTSIDE_FRAMES = 10  # beside those that are painted: references come from there
NAMES = ("identity", "video", "utterance", "stretch_index")


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldStretch:
    """Consecutive frames of a stretch that nobody learns from."""

    identity: str
    video: str
    utterance: str
    stretch_index: int
    first: int  # frame of the stretch
    num_frames: int

    @property
    def name(self) -> str:
        """Short, and unique in a data set."""
        return f"{self.identity}/{self.video}/{self.utterance}/{self.stretch_index}"


def choose_held(stretches: pa.Table, size: int, num_frames: int) -> list[HeldStretch]:
    """A list over as many people as there are: everybody's first stretch before anybody's second.

    What is chosen does not follow the order of a tree.

    Args:
        stretches: STRETCH rows that are held out.
        size: of the list.
        num_frames: of each stretch, its middle ones; shorter stretches are not taken.
    """
    rows = stretches.to_pylist()
    chosen = (rows[index] for index in over_all_people(rows, num_frames + OUTSIDE_FRAMES, size))
    return [
        HeldStretch(
            **{name: row[name] for name in NAMES}, first=(row["num_frames"] - num_frames) // 2, num_frames=num_frames
        )
        for row in chosen
    ]


def over_all_people(rows: Sequence[Row], min_frames: int, size: int) -> list[int]:
    """Which of STRETCH rows to take: everybody's first stretch before anybody's second, in the order of digests.

    Args:
        rows: to choose from.
        min_frames: shorter ones are not taken.
        size: at most so many.
    """
    taken, ranked = Counter[str](), []
    for digest, index in sorted((_digest(row), index) for index, row in enumerate(rows)):
        if rows[index]["num_frames"] >= min_frames:
            ranked.append((taken[rows[index]["identity"]], digest, index))
            taken[rows[index]["identity"]] += 1
    return [index for _, _, index in sorted(ranked)[:size]]


def find_held(held: Sequence[HeldStretch], stretches: pa.Table) -> tuple[list[tuple[HeldStretch, Row]], list[str]]:
    """The STRETCH row of each entry of a list, and the names of those that the data no longer have."""
    known = {tuple(row[name] for name in NAMES): row for row in stretches.to_pylist()}
    pairs = [(one, known.get(tuple(getattr(one, name) for name in NAMES))) for one in held]
    return [(one, row) for one, row in pairs if row is not None], [one.name for one, row in pairs if row is None]


def held_digest(held: Sequence[HeldStretch]) -> str:
    """SHA-256 of a list."""
    return hashlib.sha256(json.dumps([asdict(one) for one in held]).encode()).hexdigest()


def _digest(row: Row) -> str:
    return hashlib.sha256("/".join(str(row[name]) for name in NAMES).encode()).hexdigest()
