"""What a stage is, the check of a chain of them, and the shell that makes a stage of a function of one row."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar, Protocol

import pyarrow as pa

from pipelines.progress import Tell, untold

Row = dict[str, Any]


class Stage(Protocol):
    """One step of the dub: a table of rows in, a table of rows out.

    A stage knows nothing of Ray. A test calls it on a table of two rows; where it
    runs and on how many GPUs is said once, in `pipelines/dub.py`.
    """

    consumes: ClassVar[pa.Schema]
    produces: ClassVar[pa.Schema]
    tell: Tell  # set by whoever runs it: called as frames are done

    def __call__(self, rows: pa.Table) -> pa.Table: ...


class RowStage:
    """A stage that treats each row by itself: subclasses implement `facts`."""

    consumes: ClassVar[pa.Schema]
    produces: ClassVar[pa.Schema]
    tell: Tell = staticmethod(untold)

    def __call__(self, rows: pa.Table) -> pa.Table:
        table = pa.Table.from_pylist([row | self.facts(row) for row in rows.to_pylist()], schema=self.produces)
        check_nulls(table)
        return table

    def facts(self, row: Row) -> Row:
        """The columns that this stage adds to the row."""
        raise NotImplementedError


def check_nulls(table: pa.Table) -> None:
    """Refuse a table that lacks a value where its schema promises one; pyarrow itself does not look.

    Raises:
        ValueError: names the columns.
    """
    empty = [field.name for field in table.schema if not field.nullable and table[field.name].null_count]
    if empty:
        raise ValueError(f"a value is missing in {', '.join(empty)}, which must always have one")


def check_chain(stages: Sequence[type[Stage]]) -> None:
    """Refuse a pipeline in which a stage would miss a column or find another type in it.

    Runs before Ray starts: a mistake costs a second, not a GPU hour.

    Raises:
        ValueError: names the two stages and the columns between them.
    """
    for upstream, downstream in pairwise(stages):
        wanted = {field.name: field.type for field in downstream.consumes}
        given = {field.name: field.type for field in upstream.produces}
        wrong = sorted(name for name, kind in wanted.items() if given.get(name) != kind)
        if wrong:
            raise ValueError(
                f"{downstream.__name__} needs {', '.join(wrong)}, which {upstream.__name__} does not produce"
            )
