"""PlaceTakes, before the cuts: the takes of a cue sheet become a dialogue stem as long as the film.

Every later stage sees a dub like any other; what became of each line lies beside it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.cue_cells import CueSheetError
from pipelines.cue_sheet import CueLine, cue_lines, sheet_digest, take_path
from pipelines.media.wave64 import write_wave64
from pipelines.placed_take import ROLL_S, PlacedTake, TakeConfig, TakeFlawError, line_row, placed_take
from pipelines.stage import Row, RowStage
from pipelines.storage import ObjectStore, content_key, object_digest
from schemas.film import FILM
from schemas.line import LINE, STEM_RATE_HZ
from schemas.reason import LineFlaw
from schemas.timing import fraction, pts_to_sample

VERSION = 4  # raised when the same takes give another stem
BLOCK_SAMPLES = 60 * STEM_RATE_HZ  # a minute of stem is in memory at a time, and the takes that are heard in it

Floats = NDArray[np.float32]


class SheetChangedError(RuntimeError):
    """The cue sheet, or a take, is not what was admitted."""


class SheetUnheardError(RuntimeError):
    """Nothing of a cue sheet can be heard: its film would have no dub."""


class PlaceTakes(RowStage):
    """Makes the dub of a film that comes as a cue sheet; other films go through as they are."""

    consumes: ClassVar[pa.Schema] = FILM
    produces: ClassVar[pa.Schema] = FILM

    def __init__(self, store_uri: str, config: TakeConfig | None = None) -> None:
        self._store = ObjectStore(store_uri)
        self._config = config or TakeConfig()

    def facts(self, row: Row) -> Row:
        if row["sheet_uri"] is None:
            return {}
        return placed_before(row, self._store, self._config) or self._place(row)

    def _place(self, row: Row) -> Row:
        sheet = Path(row["sheet_uri"])
        if _digest(sheet) != row["sheet_digest"]:
            raise SheetChangedError(f"{sheet.name} or a take is not what was admitted; start the job again")
        key = takes_key(row, self._config)
        stem, lines = (content_key(name, VERSION, {"takes": key}) for name in ("stem", "lines"))
        takes = _Takes(sheet.parent, cue_lines(sheet), self._config, film_samples(row))
        with self._store.draft() as draft:
            write_wave64(draft.file, (block[None] for block in takes.blocks()), STEM_RATE_HZ, "mono")
            if not takes.num_heard:
                raise SheetUnheardError(f"no take of {sheet.name} can be heard: {takes.rows()[0]['detail']}")
            uri = draft.commit(stem)
        self._store.put_table(lines, pa.Table.from_pylist(takes.rows(), schema=LINE))
        self._store.put_json(key, {"stem": stem, "digest": object_digest(uri), "lines": lines})
        placed = placed_before(row, self._store, self._config)
        assert placed is not None
        return placed


def placed_before(row: Row, store: ObjectStore, config: TakeConfig) -> Row | None:
    """The changed columns of a film whose takes lie in their places already; None of another.

    Args:
        row: FILM with a cue sheet.
        store: where stems lie.
        config: how takes are fitted.
    """
    stored = store.find_facts(takes_key(row, config), "stem")
    if stored is None or not store.has(stored["lines"]):
        return None
    return {
        "dub_uri": store.uri(stored["stem"]),
        "dub_digest": stored["digest"],
        "lines_uri": store.uri(stored["lines"]),
    }


def _digest(sheet: Path) -> str | None:
    """None of a sheet that cannot be followed any more."""
    try:
        return sheet_digest(sheet)
    except (CueSheetError, OSError):
        return None


def takes_key(row: Row, config: TakeConfig) -> str:
    """Of all that the stem depends on."""
    facts = {"sheet": row["sheet_digest"], "num_samples": film_samples(row), "config": asdict(config)}
    return content_key("takes", VERSION, facts)


def film_samples(row: Row) -> int:
    """How long the stem is: as the film."""
    return pts_to_sample(row["end_pts"] - row["start_pts"], fraction(row["time_base"]), STEM_RATE_HZ)


class _Takes:
    """The lines of a sheet on their way into a stem.

    Args:
        folder: of the sheet.
        lines: of the sheet.
        config: how takes are fitted.
        num_samples: of the film.
    """

    def __init__(self, folder: Path, lines: Sequence[CueLine], config: TakeConfig, num_samples: int) -> None:
        self._folder, self._lines, self._config, self._num_samples = folder, lines, config, num_samples
        self._rows = {place: line_row(line) for place, line in enumerate(lines)}
        self.num_heard = 0

    def rows(self) -> list[Row]:
        """LINE rows in the order of the sheet, once all blocks are made."""
        return [self._rows[place] for place in range(len(self._lines))]

    def blocks(self) -> Iterator[Floats]:
        """[n] blocks of the stem, takes that overlap added up."""
        lead = round(ROLL_S / self._config.min_tempo * STEM_RATE_HZ)  # a take may be heard so long before its line
        waiting = sorted(self._can_be_heard(), key=lambda place: (self._rows[place]["start_sample"], place))
        heard: list[PlacedTake] = []
        for first in range(0, self._num_samples, BLOCK_SAMPLES):
            after = min(first + BLOCK_SAMPLES, self._num_samples)
            while waiting and self._rows[waiting[0]]["start_sample"] < after + lead:
                heard += self._placed(waiting.pop(0))
            block = np.zeros(after - first, np.float32)
            for take in heard:
                _add(block, first, take)
            heard = [take for take in heard if take.start + len(take.samples) > after]
            yield block

    def _can_be_heard(self) -> Iterator[int]:
        for place, row in self._rows.items():
            if not row["flaw"] and row["start_sample"] >= self._num_samples:
                self._flaw(place, LineFlaw.AFTER_FILM, "it begins when the film is over")
            elif not row["flaw"]:
                yield place

    def _placed(self, place: int) -> list[PlacedTake]:
        try:
            take = take_path(self._folder, self._lines[place].take or "")
            placed = placed_take(self._lines[place], take, self._config)
        except TakeFlawError as error:
            self._flaw(place, error.flaw, error.detail)
            return []
        self._rows[place] = line_row(self._lines[place], placed)
        row = self._rows[place]
        if row["heard_end_sample"] > self._num_samples and row["flaw"] != LineFlaw.TAKE_TOO_LONG:
            self._flaw(place, LineFlaw.TAKE_TOO_LONG, "it is cut off where the film ends")
        self.num_heard += 1
        return [placed]

    def _flaw(self, place: int, flaw: LineFlaw, detail: str) -> None:
        self._rows[place] |= {"flaw": flaw, "detail": detail}


def _add(block: Floats, first: int, take: PlacedTake) -> None:
    """Add what of a take lies in a block that begins at sample `first`."""
    begin = max(take.start, first)
    end = min(take.start + len(take.samples), first + len(block))
    if begin < end:
        block[begin - first : end - first] += take.samples[begin - take.start : end - take.start]
