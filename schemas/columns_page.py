"""docs/rows.md: every column of every schema with its meaning and unit, printed from the schemas themselves.

python -m schemas.columns_page > docs/rows.md
"""

import sys
from types import ModuleType

import pyarrow as pa

from schemas import evaluation, film, film_part, frames, line, shot, sound, training

MODULES = (film, film_part, line, sound, shot, frames, evaluation, training)
HEAD = """# Rows

Every column that flows, printed from `schemas/` by `python -m schemas.columns_page`.
A schema that widens another shows only what it adds.
"""


def all_schemas() -> dict[str, pa.Schema]:
    """Every schema by its name, in the order in which rows flow."""
    return {name: value for module in MODULES for name, value in _schemas(module).items()}


def columns_page() -> str:
    """The page, in Markdown."""
    schemas = all_schemas()
    sections = [_section(name, schema, widened_from(name, schemas)) for name, schema in schemas.items()]
    return "\n".join([HEAD, *sections])


def widened_from(name: str, schemas: dict[str, pa.Schema]) -> str | None:
    """The widest other schema whose columns this one begins with; None when it widens none."""
    own = list(schemas[name])
    sizes = {other: len(schema) for other, schema in schemas.items() if len(schema) < len(own)}
    narrower = {other: size for other, size in sizes.items() if own[:size] == list(schemas[other])}
    return max(narrower, key=lambda other: narrower[other]) if narrower else None


def inner_fields(kind: pa.DataType) -> list[pa.Field]:
    """The fields of a struct, or of a list of structs."""
    while pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        kind = kind.value_type
    return list(kind) if pa.types.is_struct(kind) else []


def _schemas(module: ModuleType) -> dict[str, pa.Schema]:
    return {name: value for name, value in vars(module).items() if isinstance(value, pa.Schema)}


def _section(name: str, schema: pa.Schema, parent: str | None) -> str:
    number = len(all_schemas()[parent]) if parent else 0
    title = f"## {name}" + (f" = {parent} and" if parent else "")
    lines = [title, "", "| column | type | unit | meaning |", "|---|---|---|---|"]
    for field in list(schema)[number:]:
        lines += _lines(field.name, field)
    return "\n".join([*lines, ""])


def _lines(name: str, field: pa.Field) -> list[str]:
    """A column, and those of the structs that it holds."""
    inner = [one for one in inner_fields(field.type) if one.metadata]
    return [_line(name, field), *(line for one in inner for line in _lines(f"{name}.{one.name}", one))]


def _line(name: str, field: pa.Field) -> str:
    metadata = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    kind = f"{_kind(field.type)}{' or null' if field.nullable else ''}"
    return f"| `{name}` | {kind} | {metadata.get('unit', '')} | {metadata.get('doc', '')} |"


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_fixed_size_list(kind):
        return f"{kind.list_size} x {_kind(kind.value_type)}"
    if pa.types.is_list(kind):
        return f"list of {_kind(kind.value_type)}"
    if pa.types.is_struct(kind):
        return "rational" if [field.name for field in kind] == ["num", "den"] else "struct"
    return str(kind)


if __name__ == "__main__":
    sys.stdout.write(columns_page())
