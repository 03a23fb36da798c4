"""A training set: what `diff2lip voxceleb2` leaves in a folder or behind a uri, and how it is read.

OUT/clips.parquet    CLIP_FACTS, one row for each clip that was asked for
OUT/manifest.json    digest, settings, counts, and the shards with their digests
OUT/.work/objects    the shards: tables of UTTERANCE
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipelines.row_table import read_rows
from pipelines.stage import Row, check_nulls
from pipelines.storage import ObjectStore, read_object, read_table, write_object
from pipelines.training_window import TrainingCrop
from schemas.training import CLIP_FACTS, PLACES

CLIPS_NAME, MANIFEST_NAME = "clips.parquet", "manifest.json"
FORMAT = 1  # of the manifest


class TrainingSetError(ValueError):
    """A place that holds no training set, or not the whole of one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingShard:
    """One table of UTTERANCE: clips of one identity."""

    key: str  # in the store
    digest: str  # SHA-256 of the file
    split: str
    identity: str
    num_rows: int
    num_frames: int  # of all its rows


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """A training set that is there.

    Attributes:
        place: OUT, a folder or a uri.
        manifest: the whole of OUT/manifest.json.
        shards: in order of split and identity.
    """

    place: str
    manifest: dict[str, Any]
    shards: tuple[TrainingShard, ...]

    @property
    def digest(self) -> str:
        """Of the content, wherever it lies."""
        return str(self.manifest["digest"])

    @property
    def crop(self) -> TrainingCrop:
        """How its pictures were cut."""
        return TrainingCrop(self.manifest["settings"]["config"]["crop"])

    def clips(self) -> pa.Table:
        """CLIP_FACTS of every clip that was asked for.

        Raises:
            TrainingSetError: they are not there, or damaged.
        """
        try:
            return read_table(_within(self.place, CLIPS_NAME))
        except (FileNotFoundError, pa.ArrowInvalid) as error:
            raise TrainingSetError(f"{self.place} holds no whole training set: {error}") from error

    def uri(self, shard: TrainingShard) -> str:
        """Where a shard lies; right also when the whole set was moved."""
        return ObjectStore(store_of(self.place, self.manifest["store"])).uri(shard.key)

    def rows(self, shard: TrainingShard, columns: Sequence[str] | None = None) -> Iterator[Row]:
        """The rows of UTTERANCE of a shard, one in memory at a time; by split, identity, video, utterance, stretch."""
        return read_rows(self.uri(shard), columns, rows_at_a_time=1)


def open_training_set(place: str) -> TrainingSet:
    """The training set in a folder, or behind a uri.

    Raises:
        TrainingSetError: there is none that is whole, or one of another format.
    """
    path = _within(place, MANIFEST_NAME)
    try:
        manifest = json.loads(read_object(path))
    except (OSError, ValueError, ImportError) as error:  # of a uri whose file system is not installed
        raise TrainingSetError(
            f"{place} holds no training set: {MANIFEST_NAME} and {CLIPS_NAME} are expected there ({error})"
        ) from error
    if manifest.get("format") != FORMAT:
        raise TrainingSetError(f"{path} is of format {manifest.get('format')}, expected {FORMAT}")
    return TrainingSet(place, manifest, tuple(TrainingShard(**shard) for shard in manifest["shards"]))


def write_training_set(place: str, facts: pa.Table, manifest: dict[str, Any]) -> list[str]:
    """Write CLIP_FACTS and what is to be known of them; the manifest last. Returns where the two lie."""
    sink = pa.BufferOutputStream()
    pq.write_table(facts, sink, compression="zstd")
    written = [_within(place, name) for name in (CLIPS_NAME, MANIFEST_NAME)]
    write_object(written[0], sink.getvalue().to_pybytes())
    write_object(written[1], json.dumps({"format": FORMAT, **manifest}, indent=2).encode())
    return written


def facts_table(facts: list[Row]) -> pa.Table:
    """CLIP_FACTS of rows, checked; numbers become what the columns hold, whichever way they came."""
    table = pa.Table.from_pylist(facts, schema=CLIP_FACTS)
    check_nulls(table)
    return table


def content_digest(facts: pa.Table, settings: dict[str, Any]) -> str:
    """SHA-256 over what a training set holds and what made it, but not over where anything lies.

    Args:
        facts: CLIP_FACTS in order.
        settings: configuration and versions, JSON values.
    """
    kept = facts.drop_columns(list(PLACES)).to_pylist()
    text = json.dumps({"clips": kept, "settings": settings}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def store_of(place: str, store: str) -> str:
    """The store that a manifest names: a uri, an absolute path, or a folder below its own place."""
    return store if "://" in store or Path(store).is_absolute() else _within(place, store)


def _within(place: str, name: str) -> str:
    return f"{place.rstrip('/')}/{name}" if "://" in place else str(Path(place).absolute() / name)


def sound_of(row: Row) -> NDArray[np.int16]:
    """[num_frames * 640 + 2 * MARGIN_SAMPLES] the sound of a row; at MARGIN_SAMPLES its first frame begins."""
    return np.frombuffer(row["sound"], "<i2").astype(np.int16)


def mouths_of(row: Row) -> NDArray[np.float32]:
    """[F, 4, 2] left, right, inner top and inner bottom of the mouth in px of the pictures of a row."""
    return np.array(row["mouths"], np.float32).reshape(-1, 4, 2)
