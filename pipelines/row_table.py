"""Tables of frames, written and read a few rows at a time: the crops of a long shot need not fit into memory."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.stage import Row
from pipelines.storage import Draft, ObjectStore, open_object

ROW_GROUP_BYTES = 8 << 20  # so much of a table is in memory while it is written
ROWS_AT_A_TIME = 16  # as Python objects: a patch of a close-up in 4K has 4 MB
READ_BUFFER_BYTES = 1 << 20


class TableDraft:
    """A table on its way into a store; its file has a row group for every `ROW_GROUP_BYTES`."""

    def __init__(self, draft: Draft, schema: pa.Schema, rows_at_a_time: int | None = None) -> None:
        self.num_rows = 0
        self._draft, self._schema, self._rows_at_a_time = draft, schema, rows_at_a_time or ROWS_AT_A_TIME
        self._writer = pq.ParquetWriter(draft.file, schema, compression="zstd")
        self._rows: list[Row] = []
        self._tables: list[pa.Table] = []

    def add(self, row: Row) -> None:
        """Append a row."""
        self.num_rows += 1
        self._rows.append(row)
        if len(self._rows) == self._rows_at_a_time:
            self._pack()
            if sum(table.nbytes for table in self._tables) >= ROW_GROUP_BYTES:
                self._write()

    def commit(self, key: str) -> str:
        """End the table, give it its key and return its uri; the first commit under a key wins."""
        self._pack()
        if self._tables:
            self._write()
        self.close()
        return self._draft.commit(key)

    def close(self) -> None:
        """Nothing can be added after."""
        self._writer.close()

    def _pack(self) -> None:
        if self._rows:
            self._tables.append(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []

    def _write(self) -> None:
        self._writer.write_table(pa.concat_tables(self._tables).combine_chunks())
        self._tables = []


@contextmanager
def draft_table(store: ObjectStore, schema: pa.Schema, rows_at_a_time: int | None = None) -> Iterator[TableDraft]:
    """A table to add rows to; what was not committed when the block ends leaves nothing behind.

    Args:
        store: where it will lie.
        schema: of its rows.
        rows_at_a_time: kept as Python objects before they are packed; fewer than 16 where a row is large.
    """
    with store.draft() as draft:
        table = TableDraft(draft, schema, rows_at_a_time)
        try:
            yield table
        finally:
            table.close()


def read_rows(
    uri: str, columns: Sequence[str] | None = None, rows_at_a_time: int | None = None, first_row: int = 0
) -> Iterator[Row]:
    """The rows of a table behind a uri, in order, a few of them in memory at a time.

    Args:
        uri: of a table, however it was written.
        columns: which; all of them for None.
        rows_at_a_time: as Python objects; fewer where a row is large.
        first_row: nobody needs those before it; row groups without any other are not read.

    Raises:
        FileNotFoundError: there is no such object; said when the first row is asked for.
    """
    with open_object(uri) as file:
        table = pq.ParquetFile(file, buffer_size=READ_BUFFER_BYTES, pre_buffer=False)
        for batch in table.iter_batches(
            rows_at_a_time or ROWS_AT_A_TIME,
            row_groups=_row_groups(table.metadata, first_row),
            columns=None if columns is None else list(columns),
        ):
            yield from batch.to_pylist()


def _row_groups(facts: pq.FileMetaData, first_row: int) -> list[int]:
    """Those that end behind a row."""
    ends = accumulate(facts.row_group(index).num_rows for index in range(facts.num_row_groups))
    return [index for index, end in enumerate(ends) if end > first_row]


def read_columns(uri: str, columns: Sequence[str]) -> pa.Table:
    """Some columns of a table behind a uri, whole: for numbers, not for pictures."""
    with open_object(uri) as file:
        return pq.ParquetFile(file, pre_buffer=False).read(list(columns))


class FrameRows:
    """The rows of each frame of a table, asked for in the order in which they lie there: that of the film."""

    def __init__(self, uri: str, from_pts: int | None = None) -> None:
        """The frames of a table; those before a pts, if one is given, are not asked for."""
        self.pts: list[int] = read_columns(uri, ["pts"]).column("pts").to_pylist()
        first_row = 0 if from_pts is None else bisect_left(self.pts, from_pts)
        self._left = set(self.pts[first_row:])  # frames whose rows were not passed yet
        self._rows = read_rows(uri, first_row=first_row)
        self._next: Row | None = None

    def at(self, pts: int) -> list[Row]:
        """The rows of a frame, none if it has none; those of frames that nobody asked for are passed over."""
        if pts not in self._left:
            return []
        found: list[Row] = []
        row = self._next or next(self._rows, None)
        while row is not None and (row["pts"] == pts or not found):
            self._left.discard(row["pts"])
            if row["pts"] == pts:
                found.append(row)
            row = next(self._rows, None)
        self._next = row
        return found
