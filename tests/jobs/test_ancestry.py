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
    delivery = folder / "one" / "es"
    for title, digest in (("one", model.digest), ("two", OTHER)):
        dub = open_job(uri, "dub", {"diff2lip.model_digest": digest})
        film = dub.open_film(title, "es", {})
        film.log_params({"delivered": str(delivery / "film.mp4") if title == "one" else "out/two/es/film.mp4"})
        film.finish(failed=False)
        dub.finish(failed=False)
    shots = [
        {"shot_index": 0, "start": "00:00:00.000", "end": "00:00:02.000", "reason": "no_face", "patch": None}
        | {"verdicts": [], "num_frames_changed": 0},
        {"shot_index": 1, "start": "00:00:02.000", "end": "00:00:04.000", "reason": None, "patch": "a" * 64}
        | {"num_frames_changed": 31}
        | {"verdicts": [{"track_index": 0, "verdict": "dub", "reason": None}]},
    ]
    manifest = {"title": "one", "language": "es", "film_id": "f" * 64, "code": {"commit": "c" * 40}, "shots": shots}
    delivery.mkdir(parents=True)
    (delivery / "film.mp4").touch()
    (delivery / "manifest.json").write_text(json.dumps(manifest | {"made_with": {"model": model.digest}}))
    return Story(uri, expert, training, model, delivery)


def test_a_model_names_its_run_its_data_its_teacher_and_the_films_painted_with_it(story: Story) -> None:
    found = trace(story.uri, story.model.reference)

    assert found.facts["run"] == story.training.run_id
    assert (found.facts["commit"], found.facts["data_digest"]) == ("c" * 40, "d" * 64)
    assert found.models["taught by"] == story.expert.reference
    assert found.models["began from"] == f"sha256 {OTHER}, not registered here"
    assert [line.split(" (run")[0] for line in found.made] == [f"one es: {story.delivery / 'film.mp4'}, shots 1"]


def test_a_run_names_what_it_registered(story: Story) -> None:
    found = trace(story.uri, story.training.run_id)

    assert found.made == [story.model.reference]
    assert found.facts["status"] == "FINISHED"


def test_a_delivered_film_names_the_version_that_painted_it(story: Story) -> None:
    found = trace(story.uri, str(story.delivery))

    assert found.models == {"painted with": story.model.reference}
    assert found.facts["title"] == "one"


def test_a_shot_names_the_version_that_painted_it_and_what_was_changed(story: Story) -> None:
    painted, left = (trace(story.uri, f"{story.delivery}#{index}") for index in (1, 0))

    assert painted.models == {"painted with": story.model.reference}
    assert (painted.facts["verdicts"], painted.facts["frames_changed"]) == ("face 0 dub", "31")
    assert (left.models, left.facts["verdicts"]) == ({}, "no_face")
    with pytest.raises(UnknownSubjectError, match="has no shot '2': it has 0 to 1"):
        trace(story.uri, f"{story.delivery}#2")


def test_what_the_store_does_not_know_is_said(story: Story, tmp_path: Path) -> None:
    with pytest.raises(UnknownSubjectError, match="abc is no run, model or delivery"):
        trace(story.uri, "abc")
    with pytest.raises(UnknownSubjectError, match=r"holds no delivery: there is no manifest\.json"):
        trace(story.uri, str(tmp_path))


def test_the_command_prints_both_ways(story: Story) -> None:
    ask = ["lineage", story.model.reference, "--tracking-uri", story.uri]

    table, parsed = CliRunner().invoke(app, ask), CliRunner().invoke(app, [*ask, "--json"])

    assert (table.exit_code, parsed.exit_code) == (DONE, DONE)
    assert "made: one es: " in table.stdout.replace("\n", "")
    assert json.loads(parsed.stdout)["models"]["taught by"] == story.expert.reference
    assert CliRunner().invoke(app, ["lineage", "models:/no-such/1", "--tracking-uri", story.uri]).exit_code != DONE
    assert CliRunner().invoke(app, ["lineage", "abc", "--tracking-uri", story.uri]).exit_code == FAILED
