"""A pyarrow field that explains itself, and the types that several rows share."""

import pyarrow as pa

RATIONAL = pa.struct([pa.field("num", pa.int64(), nullable=False), pa.field("den", pa.int64(), nullable=False)])
SAMPLE_SPANS = pa.list_(
    pa.struct([pa.field("start", pa.int64(), nullable=False), pa.field("end", pa.int64(), nullable=False)])
)


def column(name: str, kind: pa.DataType, doc: str, *, unit: str = "", nullable: bool = False) -> pa.Field:
    """A pyarrow field with its meaning and unit in the metadata, so Parquet files explain themselves."""
    return pa.field(name, kind, nullable=nullable, metadata={"doc": doc, "unit": unit})


def widen(schema: pa.Schema, *fields: pa.Field) -> pa.Schema:
    """The same schema with more columns behind it: stages only ever add.

    Raises:
        ValueError: a column is there already.
    """
    taken = sorted(field.name for field in fields if field.name in schema.names)
    if taken:
        raise ValueError(f"a stage only adds columns, but {', '.join(taken)} exist already")
    return pa.schema([*schema, *fields])
