"""Everything that a benchmark takes from this project is there, also what it asks for within a function."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"benchmarks", "diff2lip", "jobs", "pipelines", "schemas", "tests"}
BENCHMARKS = sorted((ROOT / "benchmarks").glob("*.py"))


def taken(source: str) -> Iterator[tuple[str, str]]:
    """Module and name of all that a text imports from this project."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in OURS:
            yield from ((node.module, one.name) for one in node.names)


@cache
def names(module: str) -> frozenset[str]:
    """What a module has at its top, as its text says, or a package in its folder; nothing is run."""
    path = ROOT / module.replace(".", "/")
    if path.is_dir():
        return frozenset(one.stem for one in path.iterdir())
    found: set[str] = set()
    for node in ast.parse(path.with_suffix(".py").read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {one.asname or one.name for one in node.names}
        else:
            found |= {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    return frozenset(found)


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_what_is_imported_is_there(path: Path) -> None:
    assert [f"{module}.{name}" for module, name in taken(path.read_text()) if name not in names(module)] == []


def test_a_name_that_is_elsewhere_by_now_is_found_within_a_function() -> None:
    source = "def late():\n    from benchmarks.analysis_speed import as_shot, pictures"
    missing = [name for module, name in taken(source) if name not in names(module)]
    assert missing == ["as_shot"]
