"""A table that is written row by row is the table written at once, and is read back row by row."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.row_table import ROW_GROUP_BYTES, ROWS_AT_A_TIME, draft_table, read_columns, read_rows
from pipelines.storage import ObjectStore, read_table
from schemas.frames import PATCH

KEY, OTHER_KEY = "ab" * 32, "cd" * 32


def patches(count: int, plane_bytes: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    return [
        {
            "pts": 512 * index,
            "track_index": index % 2,
            "x": 2,
            "y": 4,
            "width": 6,
            "height": 8,
            "planes": [rng.integers(0, 255, size, np.uint8).tobytes() for size in (plane_bytes, 3, 3)],
            "mask": bytes(plane_bytes),
        }
        for index in range(count)
    ]


def drafted(store: ObjectStore, key: str, rows: list[dict[str, Any]]) -> str:
    with draft_table(store, PATCH) as draft:
        for row in rows:
            draft.add(row)
        assert draft.num_rows == len(rows)
        return draft.commit(key)


@pytest.mark.parametrize("count", [1, ROWS_AT_A_TIME, 3 * ROWS_AT_A_TIME + 1])
def test_a_small_table_has_the_bytes_of_one_written_at_once(tmp_path: Path, count: int) -> None:
    store, rows = ObjectStore(str(tmp_path)), patches(count, 100)
    store.put_table(KEY, pa.Table.from_pylist(rows, schema=PATCH))

    drafted(store, OTHER_KEY, rows)

    assert store.get(KEY) == store.get(OTHER_KEY)


def test_a_large_table_is_the_same_in_several_row_groups(tmp_path: Path) -> None:
    store, rows = ObjectStore(str(tmp_path)), patches(100, ROW_GROUP_BYTES // 50)

    uri = drafted(store, KEY, rows)

    assert read_table(uri).equals(pa.Table.from_pylist(rows, schema=PATCH))
    with pq.ParquetFile(uri) as file:
        assert file.num_row_groups >= 3


@pytest.mark.parametrize("root", ["", "memory://tables"])
def test_rows_come_back_one_by_one_however_they_were_written(tmp_path: Path, root: str) -> None:
    store, rows = ObjectStore(root or str(tmp_path)), patches(50, 100)

    uris = [store.put_table(KEY, pa.Table.from_pylist(rows, schema=PATCH)), drafted(store, OTHER_KEY, rows)]

    for uri in uris:
        assert list(read_rows(uri)) == rows
        assert list(read_rows(uri, ["pts", "mask"])) == [{"pts": row["pts"], "mask": row["mask"]} for row in rows]
        assert read_columns(uri, ["pts"]).column("pts").to_pylist() == [row["pts"] for row in rows]


def test_a_table_that_was_not_finished_leaves_nothing(tmp_path: Path) -> None:
    def write() -> None:
        with draft_table(ObjectStore(str(tmp_path)), PATCH) as draft:
            draft.add(patches(1, 10)[0])
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        write()

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_table_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        next(read_rows(str(tmp_path / "gone")))
