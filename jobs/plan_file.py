"""The plan as a file that a person may edit: CSV for a spreadsheet, Parquet for a program."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from jobs.plan_cells import NEEDED, PlanUnreadableError, check_columns, read_csv_plan
from pipelines.storage import file_digest, write_whole
from schemas.shot import PLAN


def write_own_plan(path: Path, plan: pa.Table) -> Path:
    """Write a PLAN table where nobody's work is lost: beside a plan that was changed since it was written.

    Args:
        path: where it is to lie; what was written there is known by a digest beside it.
        plan: the table.

    Returns:
        Where it lies: `path`, or PATH.2.csv and so on.
    """
    number, place = 1, path
    while place.is_file() and not _is_as_written(place):
        number += 1
        place = path.with_suffix(f".{number}{path.suffix}")
    write_plan(place, plan)
    write_whole(_digest_path(place), file_digest(place).encode("ascii"))
    return place


def _digest_path(plan: Path) -> Path:
    return plan.with_name(f".{plan.name}.sha256")


def _is_as_written(plan: Path) -> bool:
    noted = _digest_path(plan)
    return noted.is_file() and noted.read_text(encoding="ascii") == file_digest(plan)


def write_plan(path: Path, plan: pa.Table) -> None:
    """Write a PLAN or PEOPLE table as .csv or .parquet, whole or not at all."""
    sink = pa.BufferOutputStream()
    if path.suffix == ".csv":
        pyarrow.csv.write_csv(plan, sink)
    else:
        pq.write_table(plan, sink)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, sink.getvalue().to_pybytes())


def read_plan(path: Path) -> pa.Table:
    """A PLAN table that `write_plan` wrote and a person may have edited. Columns that were left out are null.

    A CSV is read as spreadsheets leave it (`jobs.plan_cells`).

    Raises:
        PlanUnreadableError: not a plan.
    """
    if path.suffix not in (".csv", ".parquet"):
        raise PlanUnreadableError(f"{path} is neither .csv nor .parquet")
    if not path.is_file():
        raise PlanUnreadableError(f"there is no plan {path}")
    if path.suffix == ".csv":
        return read_csv_plan(path)
    try:
        table = pq.read_table(path)
        check_columns(path, table.column_names)
        return _with_schema(_without_blanks(table))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise PlanUnreadableError(f"{path} is no plan: {error}") from error


def _without_blanks(table: pa.Table) -> pa.Table:
    said = [pc.is_valid(table[name]) for name in NEEDED]
    return table.filter(pc.or_(pc.or_(said[0], said[1]), pc.or_(said[2], said[3])))


def _with_schema(table: pa.Table) -> pa.Table:
    columns = []
    for field in PLAN:
        column = table[field.name] if field.name in table.column_names else pa.nulls(len(table), field.type)
        columns.append(pc.cast(column, field.type))
    return pa.table(columns, schema=pa.schema([field.with_nullable(True) for field in PLAN]))
