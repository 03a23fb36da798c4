"""Every column explains itself, schemas only widen along the chain, and docs/rows.md is what they say."""

from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest

from schemas.column import column, widen
from schemas.columns_page import all_schemas, columns_page, inner_fields
from schemas.film import DUBBED_FILM, FILM
from schemas.reason import LineFlaw, Reason, Refusal, Verdict
from schemas.shot import (
    ALIGNED_SHOT,
    COMPOSITED_SHOT,
    CROPPED_SHOT,
    JUDGED_SHOT,
    PAINTED_SHOT,
    PLANNED_SHOT,
    SHOT,
    TRACKED_SHOT,
)

CHAIN = [
    FILM,
    SHOT,
    ALIGNED_SHOT,
    TRACKED_SHOT,
    PLANNED_SHOT,
    CROPPED_SHOT,
    PAINTED_SHOT,
    COMPOSITED_SHOT,
    JUDGED_SHOT,
]
UNIT_SUFFIXES = {"_px": "px", "_pts": "time_base", "_deg": "deg"}


def explained_fields(schema: pa.Schema) -> list[pa.Field]:
    inner = [field for column_ in schema for field in inner_fields(column_.type) if field.metadata]
    return [*schema, *inner]


@pytest.mark.parametrize("name", all_schemas())
def test_every_column_has_a_sentence_and_the_unit_of_its_name(name: str) -> None:
    for field in explained_fields(all_schemas()[name]):
        metadata = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
        assert metadata["doc"].endswith("."), field.name
        for suffix, unit in UNIT_SUFFIXES.items():
            if field.name.endswith(suffix):
                assert unit in metadata["unit"], field.name


@pytest.mark.parametrize(("narrow", "wide"), [*pairwise(CHAIN), (FILM, DUBBED_FILM)])
def test_a_schema_only_widens(narrow: pa.Schema, wide: pa.Schema) -> None:
    assert list(wide)[: len(narrow)] == list(narrow)
    assert len(wide) > len(narrow)


def test_a_column_cannot_be_added_twice() -> None:
    with pytest.raises(ValueError, match="title"):
        widen(FILM, column("title", pa.string(), "Again."))


def test_meaning_and_unit_survive_a_parquet_file(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(FILM.empty_table(), tmp_path / "film.parquet")
    assert pq.read_schema(tmp_path / "film.parquet").equals(FILM, check_metadata=False)
    assert pq.read_schema(tmp_path / "film.parquet").field("width_px").metadata[b"unit"] == b"px"


def test_the_page_of_rows_is_up_to_date() -> None:
    written = Path(__file__).parents[2] / "docs" / "rows.md"
    assert written.read_text() == columns_page(), "run: .venv/bin/python -m schemas.columns_page > docs/rows.md"


def test_closed_lists_hold_plain_words() -> None:
    for word in [*Reason, *Refusal, *Verdict, *LineFlaw]:
        assert word.value.replace("_", "").isalpha()
        assert word.value == word.name.lower()
