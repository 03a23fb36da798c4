"""A chain of stages that cannot work is refused before anything runs; a row stage keeps every row."""

from typing import ClassVar

import pyarrow as pa
import pytest

from pipelines.stage import Row, RowStage, check_chain
from schemas.column import column, widen

FIRST = pa.schema([column("name", pa.string(), "A name.")])
SECOND = widen(FIRST, column("num_letters", pa.int64(), "Its length."))


class Count(RowStage):
    consumes: ClassVar[pa.Schema] = FIRST
    produces: ClassVar[pa.Schema] = SECOND

    def facts(self, row: Row) -> Row:
        return {"num_letters": len(row["name"])}


class Double(RowStage):
    consumes: ClassVar[pa.Schema] = SECOND
    produces: ClassVar[pa.Schema] = widen(SECOND, column("twice", pa.int64(), "Twice as many."))

    def facts(self, row: Row) -> Row:
        return {"twice": row["num_letters"] * 2}


class Misread(Double):
    consumes: ClassVar[pa.Schema] = pa.schema([column("num_letters", pa.float64(), "Another type.")])


def names(*texts: str) -> pa.Table:
    return pa.Table.from_pylist([{"name": text} for text in texts], schema=FIRST)


def test_a_row_stage_adds_columns_and_keeps_every_row_in_order() -> None:
    counted = Count()(names("a", "ccc", ""))
    assert counted.schema == SECOND
    assert counted.to_pylist() == [
        {"name": "a", "num_letters": 1},
        {"name": "ccc", "num_letters": 3},
        {"name": "", "num_letters": 0},
    ]


def test_an_empty_table_keeps_its_schema() -> None:
    assert Count()(names()).schema == SECOND


def test_a_chain_that_fits_is_taken() -> None:
    check_chain([Count, Double])


def test_another_type_is_refused_with_both_names() -> None:
    with pytest.raises(ValueError, match="Misread needs num_letters, which Count does not produce"):
        check_chain([Count, Misread])


def test_a_missing_column_is_refused() -> None:
    class Nothing(RowStage):
        consumes: ClassVar[pa.Schema] = FIRST
        produces: ClassVar[pa.Schema] = FIRST

    with pytest.raises(ValueError, match="Double needs num_letters, which Nothing does not produce"):
        check_chain([Nothing, Double])
