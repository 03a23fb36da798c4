"""A stage that runs no network loads none: each of its workers starts in a third of the time, and is smaller."""

import subprocess
import sys

import pytest

LIGHT = ("admit", "conform", "takes", "shots", "align", "faces", "crops", "judge", "stitch", "verify")
HEAVY = ("torch", "ray", "mlflow", "pandas", "matplotlib")


def loaded(modules: list[str]) -> set[str]:
    """What of `HEAVY` a new process has when it has imported these."""
    code = f"import importlib, sys; [importlib.import_module(name) for name in {modules}]; print(*sys.modules)"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    return set(names) & set(HEAVY)


def test_stages_without_a_network_load_no_torch() -> None:
    assert not loaded([f"pipelines.{name}" for name in LIGHT])


@pytest.mark.parametrize("name", ["pipelines.paint", "pipelines.watch", "pipelines.composite"])
def test_stages_with_a_network_do(name: str) -> None:
    """Else the test above could not fail."""
    assert loaded([name]) == {"torch"}
