"""The held-out list of a folder: chosen once and kept for all nights, unless it says nothing of the data there are."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from diff2lip.bootstrap import FEWEST
from jobs.promotion import ChallengeSettings
from pipelines.held_list import HeldStretch, choose_held, find_held
from pipelines.stage import Row
from pipelines.storage import write_whole

LIST_NAME = "held_list.json"
Held = list[tuple[HeldStretch, Row]]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a list was asked for."""

    stretches: int
    frames: int


def kept_held_list(out: Path, stretches: pa.Table, settings: ChallengeSettings) -> tuple[Held, list[str]]:
    """The list that lies in a folder with the rows of its entries, and what there is to say about it.

    It is chosen anew, and kept from then on, where there is none of this version, where it was asked for other
    numbers, and where it shows fewer people than an interval needs while the data have more.

    Args:
        out: the folder.
        stretches: STRETCH rows that are held out.
        settings: how long the list is, and how many frames an entry has.
    """
    path, wanted = out / LIST_NAME, _Wanted(settings.stretches, settings.frames)
    kept, fresh = _read(path), choose_held(stretches, wanted.stretches, wanted.frames)
    if kept is None:
        return _keep(path, fresh, stretches, wanted), []
    asked, entries = kept
    if asked != wanted:
        words = f"the held-out list was of {asked.stretches} stretches of {asked.frames} frames: a new one is chosen"
        return _keep(path, fresh, stretches, wanted), [words]
    found, gone = find_held(entries, stretches)
    people, others = _people([one for one, _ in found]), _people(fresh)
    if people < min(FEWEST, others):
        words = f"the held-out list shows {people} people, too few to decide anything: a new one shows {others}"
        return _keep(path, fresh, stretches, wanted), [words]
    return found, [f"of the held-out list these are no longer in the data: {', '.join(gone)}"] if gone else []


def _keep(path: Path, held: list[HeldStretch], stretches: pa.Table, wanted: _Wanted) -> Held:
    kept = asdict(wanted) | {"held": [asdict(one) for one in held]}
    write_whole(path, json.dumps(kept, indent=1).encode())
    return find_held(held, stretches)[0]


def _read(path: Path) -> tuple[_Wanted, list[HeldStretch]] | None:
    if not path.is_file():
        return None
    kept = json.loads(path.read_text())
    if "held" not in kept:  # of a version before
        return None
    return _Wanted(kept["stretches"], kept["frames"]), [HeldStretch(**one) for one in kept["held"]]


def _people(held: Sequence[HeldStretch]) -> int:
    return len({one.identity for one in held})
