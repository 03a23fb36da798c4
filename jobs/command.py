"""What all commands share: exit codes, options, and how results and named errors are shown."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

DONE, FAILED, WRONG_USE = 0, 1, 2

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one setting.")]
Work = Annotated[str | None, typer.Option("--work", metavar="URI", help="Where intermediates are kept.")]


@contextmanager
def material_errors() -> Iterator[None]:
    """Named errors end with their message and the right exit code; our own mistakes show their trace."""
    from jobs.errors import FAILURES, WRONG_USES

    try:
        yield
    except WRONG_USES as error:
        print(f"diff2lip: {error}", file=sys.stderr)
        raise typer.Exit(WRONG_USE) from error
    except FAILURES as error:
        print(f"diff2lip: {error}", file=sys.stderr)
        raise typer.Exit(FAILED) from error


def print_json(value: Any, as_json: bool) -> bool:
    """Print a result for programs if that is asked for; returns whether it was."""
    if as_json:
        print(json.dumps(value, indent=2))
    return as_json
