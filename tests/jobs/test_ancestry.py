"""Lineage leads from a film to its model, to the training and the data, and back to every film of that model."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.ancestry import UnknownSubjectError, trace
from jobs.cli import app
from jobs.command import DONE, FAILED
from jobs.lineage import JobRun, default_tracking_uri, open_job
from jobs.registry import ModelVersion, register_model
from tests.tiny_model import save_tiny_model

EXPERT, MODEL, OTHER = "test-lineage-expert", "test-lineage", "e" * 64


@dataclass(frozen=True)
class Story:
    """An expert, a model that it taught, a film painted with that model, and one painted with another."""

    uri: str
    expert: ModelVersion
    training: JobRun
    model: ModelVersion
    delivery: Path


def trained(uri: str, name: str, weights: Path, tags: dict[str, str]) -> tuple[JobRun, ModelVersion]:
    run = open_job(uri, f"train {name}", {"mlflow.source.git.commit": "c" * 40, **tags})
    version = register_model(uri, run.run_id, name, weights, [], {})
    run.finish(failed=False)
    return run, version


@pytest.fixture(scope="module", name="story")
def _story(mlflow_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Story:
    uri, folder = default_tracking_uri(mlflow_folder), tmp_path_factory.mktemp("story")
    weights = [save_tiny_model(folder / f"{std}.safetensors", std) for std in (0.21, 0.22)]
    _, expert = trained(uri, EXPERT, weights[0], {})
    tags = {"diff2lip.data_digest": "d" * 64, "diff2lip.expert_digest": expert.digest, "diff2lip.parent_digest": OTHER}
    training, model = trained(uri, MODEL, weights[1], tags)
    for title, digest in (("one", model.digest), ("two", OTHER)):
        dub = open_job(uri, "dub", {"diff2lip.model_digest": digest})
        film = dub.open_film(title, "es", {})
        film.log_params({"delivered": f"out/{title}/es/film.mp4"})
        film.finish(failed=False)
        dub.finish(failed=False)
    manifest = {"title": "one", "language": "es", "film_id": "f" * 64, "code": {"commit": "c" * 40}}
    delivery = folder / "one" / "es"
    delivery.mkdir(parents=True)
    (delivery / "manifest.json").write_text(json.dumps(manifest | {"made_with": {"model": model.digest}}))
    return Story(uri, expert, training, model, delivery)


def test_a_model_names_its_run_its_data_its_teacher_and_the_films_painted_with_it(story: Story) -> None:
    found = trace(story.uri, story.model.reference)

    assert found.facts["run"] == story.training.run_id
    assert (found.facts["commit"], found.facts["data_digest"]) == ("c" * 40, "d" * 64)
    assert found.models["taught by"] == story.expert.reference
    assert found.models["began from"] == f"sha256 {OTHER}, not registered here"
    assert [line.split(" (run")[0] for line in found.made] == ["one es: out/one/es/film.mp4"]


def test_a_run_names_what_it_registered(story: Story) -> None:
    found = trace(story.uri, story.training.run_id)

    assert found.made == [story.model.reference]
    assert found.facts["status"] == "FINISHED"


def test_a_delivered_film_names_the_version_that_painted_it(story: Story) -> None:
    found = trace(story.uri, str(story.delivery))

    assert found.models == {"painted with": story.model.reference}
    assert found.facts["title"] == "one"


def test_what_the_store_does_not_know_is_said(story: Story, tmp_path: Path) -> None:
    with pytest.raises(UnknownSubjectError, match="abc is no run, model or delivery"):
        trace(story.uri, "abc")
    with pytest.raises(UnknownSubjectError, match=r"holds no delivery: there is no manifest\.json"):
        trace(story.uri, str(tmp_path))


def test_the_command_prints_both_ways(story: Story) -> None:
    ask = ["lineage", story.model.reference, "--tracking-uri", story.uri]

    table, parsed = CliRunner().invoke(app, ask), CliRunner().invoke(app, [*ask, "--json"])

    assert (table.exit_code, parsed.exit_code) == (DONE, DONE)
    assert "made: one es: out/one/es/film.mp4" in table.stdout
    assert json.loads(parsed.stdout)["models"]["taught by"] == story.expert.reference
    assert CliRunner().invoke(app, ["lineage", "models:/no-such/1", "--tracking-uri", story.uri]).exit_code != DONE
    assert CliRunner().invoke(app, ["lineage", "abc", "--tracking-uri", story.uri]).exit_code == FAILED
