"""A champion and its challenger are compared on the rows that are whole, and those that are not are named."""

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from jobs.challenge import Challenge, challenge
from jobs.lineage import default_tracking_uri, open_job
from jobs.progress import Silence
from jobs.recipes import Kind
from jobs.registry import ModelVersion, find_champion, register_model
from jobs.train_material import TrainMaterial, gather
from jobs.train_request import TrainRequest
from pipelines.storage import read_table
from tests.tiny_model import save_tiny_model
from tests.training_sets import talking_set

IDENTITIES, MODEL = 12, "diff2lip-challenge-test"
SETTINGS = ("painter.weights.sync=0", "challenge.stretches=7", "challenge.frames=5", "held.share=0.75")


@dataclass(frozen=True)
class Compared:
    """Two versions one after another; before the second, a shard of a held-out person was broken."""

    first: Challenge
    second: Challenge
    material: TrainMaterial
    broken: str
    uri: str


def version(uri: str, folder: Path, weight_std: float) -> tuple[ModelVersion, Path]:
    """A painter that knows nothing, registered."""
    path = save_tiny_model(folder / f"{weight_std}.safetensors", weight_std)
    run = open_job(uri, "train test", {})
    registered = register_model(uri, run.run_id, MODEL, path, [], {})
    run.finish(failed=False)
    return registered, path


@pytest.fixture(scope="module", name="compared")
def _compared(ray: ModuleType, tmp_path_factory: pytest.TempPathFactory, mlflow_folder: Path) -> Compared:
    folder, uri = tmp_path_factory.mktemp("challenge"), default_tracking_uri(mlflow_folder)
    data = talking_set(folder / "data", IDENTITIES).place
    out = folder / "out"
    request = TrainRequest(kind=Kind.DIFF2LIP, data=data, out=out, recipe="tiny_cpu", settings=SETTINGS)
    material = gather(request)
    first = challenge(uri, *version(uri, folder, 0.1), material, out, Silence())
    held = read_table(material.held_uri).to_pylist()
    broken = next(row for row in held if any(sheet["identity"] == row["identity"] for sheet in figures(first)))
    shard = Path(broken["shard_uri"].removeprefix("file://"))
    shard.chmod(0o600)
    shard.write_bytes(b"no parquet")
    second = challenge(uri, *version(uri, folder, 0.2), material, out, Silence())
    return Compared(first, second, material, broken["identity"], uri)


def figures(came: Challenge) -> list[dict[str, str]]:
    """Of the challenger."""
    rows: list[dict[str, str]] = came.document["challenger"]
    return rows


def test_the_first_version_is_champion(compared: Compared) -> None:
    champion = find_champion(compared.uri, MODEL)

    assert compared.first.decision.promoted
    assert champion is not None
    assert champion.version == "1"
    assert len(figures(compared.first)) == 7


def test_a_row_that_broke_is_left_out_for_both_and_named(compared: Compared) -> None:
    second, name = compared.second, f"{compared.broken}/v/00001/0"

    assert second.document["broken"] == [name]
    assert f"of the held-out list these rows are broken: {name}" in second.notices
    for who in ("champion", "challenger"):
        assert [row["name"] for row in second.document[who]] == [
            row["name"] for row in figures(compared.first) if row["name"] != name
        ]
    assert second.decision.reason.startswith(("not surely better", "better", "worse"))
    assert second.decision.comparisons[0].gain.num_people == 6
