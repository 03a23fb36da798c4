"""What a training made is registered whole, and a reference to it leads to the same bytes, whatever moves later."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from jobs.lineage import default_tracking_uri, open_job
from jobs.model_reference import ModelUnavailableError, resolve_model
from jobs.registry import ModelVersion, fetch_weights, find_version, register_model
from pipelines.storage import file_digest
from tests.tiny_model import save_tiny_model


@pytest.fixture(scope="module", name="uri")
def _uri(mlflow_folder: Path) -> str:
    return default_tracking_uri(mlflow_folder)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIFF2LIP_CACHE", str(tmp_path / "cache"))


def registered(uri: str, folder: Path, weight_std: float) -> ModelVersion:
    weights, card = folder / f"{weight_std}.safetensors", folder / "card.md"
    save_tiny_model(weights, weight_std)
    card.write_text("# a card")
    run = open_job(uri, "train test", {})
    version = register_model(uri, run.run_id, "test-model", weights, [card], {"diff2lip.recipe": "tiny"})
    run.finish(failed=False)
    return version


def test_versions_count_up_and_an_alias_leads_to_the_bytes_that_it_names_now(uri: str, tmp_path: Path) -> None:
    first, second = registered(uri, tmp_path, 0.4), registered(uri, tmp_path, 0.5)
    client = MlflowClient(uri)

    assert int(second.version) == int(first.version) + 1
    for version, std in ((first, 0.4), (second, 0.5)):
        client.set_registered_model_alias("test-model", "champion", version.version)
        found = resolve_model("models:/test-model@champion", uri)
        assert found.version == version.reference
        assert (
            found.digest == version.digest == file_digest(found.path) == file_digest(tmp_path / f"{std}.safetensors")
        )
    assert resolve_model(first.reference, uri).digest == first.digest
    model = client.get_logged_model(first.model_id)
    assert (model.source_run_id, model.tags["diff2lip.recipe"]) == (first.run_id, "tiny")
    assert {file.path for file in client.list_logged_model_artifacts(first.model_id)} == {
        "card.md",
        "model.safetensors",
    }


def test_weights_are_fetched_once_and_anything_else_under_their_name_is_refused(uri: str, tmp_path: Path) -> None:
    version = registered(uri, tmp_path, 0.6)
    path = fetch_weights(uri, version)

    assert fetch_weights("sqlite:////nowhere/at/all.db", version) == path  # not asked again
    path.unlink()
    wrong = ModelVersion(
        name=version.name, version=version.version, model_id=version.model_id, run_id="", digest="f" * 64
    )
    with pytest.raises(ModelUnavailableError, match="are not those that were registered"):
        fetch_weights(uri, wrong)
    assert not list(path.parent.glob("*.safetensors"))


@pytest.mark.parametrize(
    "reference", ["models:/test-model@nobody", "models:/no-such-model/1", "models:/nothing@champion"]
)
def test_a_reference_to_nothing_says_where_it_looked(uri: str, reference: str) -> None:
    with pytest.raises(ModelUnavailableError, match=f"there is no {reference} in sqlite"):
        find_version(uri, reference)


def test_what_is_no_reference_is_told_how_one_looks(uri: str) -> None:
    with pytest.raises(ModelUnavailableError, match=r"such as models:/diff2lip@champion"):
        find_version(uri, "models:/diff2lip")
    with pytest.raises(ModelUnavailableError, match="say where with --tracking-uri"):
        resolve_model("models:/diff2lip@champion")
