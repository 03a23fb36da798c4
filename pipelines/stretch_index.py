"""Which stretches of a data set a training learns from, which it is measured on, and how one is read."""

import hashlib
from collections import Counter, OrderedDict
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipelines.clip_filter import ClipThresholds, filter_reason
from pipelines.row_table import read_columns
from pipelines.stage import Row
from pipelines.storage import open_object
from pipelines.training_set import TrainingSet, TrainingSetError
from schemas.stretch import STRETCH
from schemas.training import ClipStatus

SAMPLES_PER_MS = 16
TEST_SPLIT = "test"
PLACE = ("split", "identity", "video", "utterance")  # of a clip
LOST_SHARDS = (
    "{} of {} shards are gone or damaged: look whether their store is there; if it is, remove those that are damaged "
    "and run `diff2lip voxceleb2` again, which cuts them anew. The first are\n{}"
)
NAMED_SHARDS = 10
CACHED_STRETCHES = 32  # 2 to 4 MB each


class NoStretchesError(ValueError):
    """A data set, or what thresholds leave of it, from which nothing can be learnt or measured."""


class BrokenRowError(ValueError):
    """A row of a shard that cannot be read, or does not hold what it says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldOut:
    """Who is never trained on."""

    share: float = 0.05  # of the identities, chosen by their names; a tree with a test split holds that out instead
    min_frames: int = 15  # shorter stretches have no other moment to take references and wrong sounds from

    def __post_init__(self) -> None:
        if not 0 < self.share < 1 or self.min_frames < 15:
            raise ValueError(f"share must lie between 0 and 1 and min_frames be at least 15, got {self}")


def stretch_index(data: TrainingSet, thresholds: ClipThresholds, held: HeldOut) -> tuple[pa.Table, Counter[str]]:
    """The stretches of all clips that pass, and how many clips were left out for which reason.

    Args:
        data: what `diff2lip voxceleb2` made.
        thresholds: of this training; the data set itself knows none.
        held: who is held out.

    Returns:
        STRETCH rows in the order of the clips, and counts by reason.

    Raises:
        NoStretchesError: none is left to learn from, or none to measure on.
        TrainingSetError: shards that are gone or damaged, all by name.
    """
    rows, reasons = [], Counter[str]()
    for clip in data.clips().to_pylist():
        if clip["status"] != ClipStatus.OK:
            reasons[clip["reason"]] += 1
        elif (reason := filter_reason(clip, thresholds)) is not None:
            reasons[reason.value] += 1
        else:
            rows.append(clip)
    has_test = any(clip["split"] == TEST_SPLIT for clip in rows)
    known = {_place(clip): clip for clip in rows}
    shards = [shard for shard in data.shards if shard.num_rows]
    found, broken = [], []
    for uri in map(data.uri, shards):
        try:
            found += _stretches(uri, known, held, has_test=has_test)
        except (OSError, pa.ArrowException) as error:
            if not _is_lost(error):
                raise
            broken.append(f"{uri}: {error}")
    if broken:
        raise TrainingSetError(LOST_SHARDS.format(len(broken), len(shards), "\n".join(broken[:NAMED_SHARDS])))
    index = pa.Table.from_pylist(found, schema=STRETCH)
    _require(index, reasons)
    return index, reasons


def is_held_out(identity: str, share: float) -> bool:
    """Whether an identity is held out: decided by its name alone, so it stays so whatever is added."""
    return int(hashlib.sha256(identity.encode()).hexdigest()[:8], 16) / 16**8 < share


class StretchReader:
    """UTTERANCE rows by their place; those read last are kept."""

    def __init__(self, cached: int = CACHED_STRETCHES) -> None:
        self._cached = cached
        self._rows: OrderedDict[tuple[str, int], Row] = OrderedDict()

    def read(self, shard_uri: str, row_index: int) -> Row:
        """One row of a shard.

        Raises:
            BrokenRowError: the shard is gone, damaged, or has no such row.
        """
        place = (shard_uri, row_index)
        if place not in self._rows:
            try:
                self._rows[place] = _read_row(shard_uri, row_index)
            except (OSError, IndexError, pa.ArrowException) as error:
                if not _is_lost(error):
                    raise
                raise BrokenRowError(f"row {row_index} of {shard_uri} cannot be read: {error}") from error
        self._rows.move_to_end(place)
        while len(self._rows) > self._cached:
            self._rows.popitem(last=False)
        return self._rows[place]


def length_ends(index: pa.Table) -> NDArray[np.int64]:
    """[N] the running sum of the stretches' frames: a uniform number below its last falls on each by its length."""
    return np.cumsum(index.column("num_frames").to_numpy().astype(np.int64))


def _place(row: Row) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in PLACE)


def _stretches(uri: str, clips: dict[tuple[str, ...], Row], held: HeldOut, *, has_test: bool) -> list[Row]:
    """STRETCH rows of a shard; stretches of clips that did not pass are not among them."""
    found = []
    for row_index, row in enumerate(read_columns(uri, [*PLACE, "stretch_index", "num_frames"]).to_pylist()):
        clip = clips.get(_place(row))
        if clip is None or row["num_frames"] < held.min_frames:
            continue
        out = clip["split"] == TEST_SPLIT if has_test else is_held_out(clip["identity"], held.share)
        lead = round((clip["av_offset_ms"] or 0) * SAMPLES_PER_MS)
        place = {"shard_uri": uri, "row_index": row_index, "held_out": out, "lead_samples": lead}
        found.append(place | {name: row[name] for name in STRETCH.names if name in row})
    return found


def _is_lost(error: Exception) -> bool:
    """Whether a file is gone or damaged for good. Of all other errors of reading, the next try may know nothing."""
    if isinstance(error, MemoryError):
        return False
    return not isinstance(error, OSError) or isinstance(error, FileNotFoundError) or error.errno is None


def _read_row(uri: str, row_index: int) -> Row:
    with open_object(uri) as file:
        table = pq.ParquetFile(file, pre_buffer=False)
        first = 0
        for group in range(table.num_row_groups):
            count = table.metadata.row_group(group).num_rows
            if row_index < first + count:
                row: Row = table.read_row_group(group).slice(row_index - first, 1).to_pylist()[0]
                return row
            first += count
    raise IndexError(f"{uri} has {first} rows, not one of number {row_index}")


def _require(index: pa.Table, reasons: Counter[str]) -> None:
    held = sum(index.column("held_out").to_pylist())
    lost = ", ".join(f"{count} x {reason}" for reason, count in sorted(reasons.items())) or "none"
    if held == len(index):
        raise NoStretchesError(f"no stretch is left to learn from; clips left out: {lost}")
    if not held:
        raise NoStretchesError(
            "no stretch is held out to measure on: add identities, raise held.share, or bring a test split"
        )
