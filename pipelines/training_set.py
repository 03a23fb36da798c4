"""A training set on disk: what `diff2lip voxceleb2` leaves in a folder, and how it is read.

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
from pipelines.storage import ObjectStore, write_whole
from pipelines.training_window import TrainingCrop
from schemas.training import CLIP_FACTS, PLACES

CLIPS_NAME, MANIFEST_NAME = "clips.parquet", "manifest.json"
FORMAT = 1  # of the manifest


class TrainingSetError(ValueError):
    """A folder that holds no training set."""


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
        folder: OUT.
        manifest: the whole of OUT/manifest.json.
        shards: in order of split and identity.
    """

    folder: Path
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
        """CLIP_FACTS of every clip that was asked for."""
        return pq.read_table(self.folder / CLIPS_NAME)

    def uri(self, shard: TrainingShard) -> str:
        """Where a shard lies; right also when the whole folder was moved."""
        return ObjectStore(store_of(self.folder, self.manifest["store"])).uri(shard.key)

    def rows(self, shard: TrainingShard, columns: Sequence[str] | None = None) -> Iterator[Row]:
        """The rows of UTTERANCE of a shard, one in memory at a time; by split, identity, video, utterance, stretch."""
        return read_rows(self.uri(shard), columns, rows_at_a_time=1)


def open_training_set(folder: Path) -> TrainingSet:
    """The training set in a folder.

    Raises:
        TrainingSetError: there is none that is whole, or one of another format.
    """
    path = folder / MANIFEST_NAME
    if not path.is_file() or not (folder / CLIPS_NAME).is_file():
        raise TrainingSetError(f"{folder} holds no training set: {MANIFEST_NAME} and {CLIPS_NAME} are expected there")
    manifest = json.loads(path.read_text())
    if manifest.get("format") != FORMAT:
        raise TrainingSetError(f"{path} is of format {manifest.get('format')}, expected {FORMAT}")
    return TrainingSet(folder, manifest, tuple(TrainingShard(**shard) for shard in manifest["shards"]))


def write_training_set(folder: Path, facts: pa.Table, manifest: dict[str, Any]) -> list[Path]:
    """Write CLIP_FACTS and what is to be known of them; the manifest last. Returns the two files."""
    sink = pa.BufferOutputStream()
    pq.write_table(facts, sink, compression="zstd")
    write_whole(folder / CLIPS_NAME, sink.getvalue().to_pybytes())
    write_whole(folder / MANIFEST_NAME, json.dumps({"format": FORMAT, **manifest}, indent=2).encode())
    return [folder / CLIPS_NAME, folder / MANIFEST_NAME]


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


def store_of(folder: Path, store: str) -> str:
    """The store that a manifest names: a uri, an absolute path, or a folder below its own."""
    return store if "://" in store else str(folder.absolute() / store)


def sound_of(row: Row) -> NDArray[np.int16]:
    """[num_frames * 640 + 2 * MARGIN_SAMPLES] the sound of a row; at MARGIN_SAMPLES its first frame begins."""
    return np.frombuffer(row["sound"], "<i2").astype(np.int16)


def mouths_of(row: Row) -> NDArray[np.float32]:
    """[F, 4, 2] left, right, inner top and inner bottom of the mouth in px of the pictures of a row."""
    return np.array(row["mouths"], np.float32).reshape(-1, 4, 2)
