"""Lineage both ways: what made a run, a model or a delivery, and what it made."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.lineage import tracking_client
from jobs.model_reference import REGISTERED_PREFIX
from jobs.registry import find_version, versions_of
from pipelines.delivery import MANIFEST_NAME

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun

PREFIX = "diff2lip."
LEFT_OUT = ("driver", "submission_id")
COMMIT_TAG, PARENT_TAG, NAME_TAG = "mlflow.source.git.commit", "mlflow.parentRunId", "mlflow.runName"
DIGESTS = {"model_digest": "painted with", "expert_digest": "taught by", "parent_digest": "began from"}
MAX_RUNS = 5000
SHOT_MARK = "#"


class UnknownSubjectError(Exception):
    """What was asked for is no run, model or delivery."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ancestry:
    """What is known of one thing.

    Attributes:
        subject: what was asked for.
        facts: of what made it: run, commit, digests, versions.
        models: registered models that went in, by their part; only those that this store knows.
        made: what came of it: versions of models, films.
    """

    subject: str
    facts: dict[str, str]
    models: dict[str, str] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)


def trace(tracking_uri: str, subject: str) -> Ancestry:
    """The lineage of a run (its id), a model (`models:/...`), a delivered film (its folder), or its shot (`FOLDER#3`).

    Raises:
        ModelUnavailableError: there is no such model.
        UnknownSubjectError: there is no such run, the folder holds no delivery, or the film has no such shot.
        TrackingError: the store cannot be reached.
    """
    from mlflow.exceptions import MlflowException

    try:
        if subject.startswith(REGISTERED_PREFIX):
            return _of_model(tracking_uri, subject)
        folder, mark, shot = subject.rpartition(SHOT_MARK)
        if mark and Path(folder).exists():
            return _of_shot(tracking_uri, Path(folder), shot)
        if Path(subject).exists():
            return _of_delivery(tracking_uri, Path(subject))
        return _of_run(tracking_uri, subject)
    except MlflowException as error:
        raise UnknownSubjectError(
            f"{subject} is no run, model or delivery that {tracking_uri} knows: {error}"
        ) from error


def _of_model(tracking_uri: str, reference: str) -> Ancestry:
    version, client = find_version(tracking_uri, reference), tracking_client(tracking_uri)
    run = client.get_run(version.run_id)
    facts = {"version": version.reference, "digest": version.digest, **_facts(run)}
    return Ancestry(
        subject=reference,
        facts=facts,
        models=_models(tracking_uri, run.data.tags),
        made=_films(tracking_uri, version.digest),
    )


def _of_run(tracking_uri: str, run_id: str) -> Ancestry:
    client = tracking_client(tracking_uri)
    run = client.get_run(run_id)
    versions = [
        f"{REGISTERED_PREFIX}{one.name}/{one.version}" for one in client.search_model_versions(f"run_id = '{run_id}'")
    ]
    children = client.search_runs([run.info.experiment_id], f"tags.`{PARENT_TAG}` = '{run_id}'", max_results=MAX_RUNS)
    films = [_film(child) for child in children]
    return Ancestry(
        subject=run_id, facts=_facts(run), models=_models(tracking_uri, run.data.tags), made=[*versions, *films]
    )


def _of_shot(tracking_uri: str, path: Path, index: str) -> Ancestry:
    """What a film's manifest says of a shot beside what it says of the film."""
    shots = {str(shot["shot_index"]): shot for shot in _manifest(path)["shots"]}
    if index not in shots:
        raise UnknownSubjectError(f"{path} has no shot {index!r}: it has 0 to {len(shots) - 1}")
    film, shot = _of_delivery(tracking_uri, path), shots[index]
    verdicts = ", ".join(f"face {one['track_index']} {_verdict(one)}" for one in shot["verdicts"])
    facts = {"shot": index, "start": shot["start"], "end": shot["end"], "verdicts": verdicts or str(shot["reason"])}
    facts |= {"frames_changed": str(shot["num_frames_changed"]), "patch": shot["patch"] or "none"}
    is_painted = bool(shot["num_frames_changed"])
    return Ancestry(
        subject=f"{path}{SHOT_MARK}{index}", facts=facts | film.facts, models=film.models if is_painted else {}
    )


def _verdict(verdict: Mapping[str, Any]) -> str:
    return f"{verdict['verdict']} ({verdict['reason']})" if verdict["reason"] else str(verdict["verdict"])


def _manifest(path: Path) -> dict[str, Any]:
    file = path / MANIFEST_NAME if path.is_dir() else path
    if not file.is_file():
        raise UnknownSubjectError(f"{path} holds no delivery: there is no {MANIFEST_NAME}")
    return dict(json.loads(file.read_text()))


def _of_delivery(tracking_uri: str, path: Path) -> Ancestry:
    """What a film's manifest says, and the registered model of the digest that it names."""
    manifest = _manifest(path)
    code: Mapping[str, str] = manifest.get("code", {})
    facts = {"title": manifest["title"], "language": manifest["language"], "film": manifest["film_id"]}
    digest = str(manifest["made_with"]["model"])
    facts |= {"model_digest": digest, **{name: str(value) for name, value in code.items()}}
    return Ancestry(
        subject=str(path),
        facts=facts,
        models=_models(tracking_uri, {f"{PREFIX}model_digest": digest}),
    )


def _facts(run: "MlflowRun") -> dict[str, str]:
    """What a run's tags say, without MLflow's own names."""
    tags = {name.removeprefix(PREFIX): value for name, value in run.data.tags.items() if name.startswith(PREFIX)}
    own = {"run": run.info.run_id, "name": run.data.tags.get(NAME_TAG, ""), "status": run.info.status}
    own |= {"commit": run.data.tags.get(COMMIT_TAG, "")}
    return own | {name: value for name, value in sorted(tags.items()) if value and name not in LEFT_OUT}


def _models(tracking_uri: str, tags: Mapping[str, str]) -> dict[str, str]:
    """Which registered models the digests of a run are of."""
    found = {}
    for name, words in DIGESTS.items():
        digest = tags.get(f"{PREFIX}{name}", "")
        versions = versions_of(tracking_uri, digest) if digest else []
        if digest:
            found[words] = ", ".join(versions) or f"sha256 {digest}, not registered here"
    return found


def _films(tracking_uri: str, digest: str) -> list[str]:
    """The films that were painted with weights of a digest."""
    client = tracking_client(tracking_uri)
    experiments = [one.experiment_id for one in client.search_experiments()]
    runs = client.search_runs(experiments, f"tags.`{PREFIX}model_digest` = '{digest}'", max_results=MAX_RUNS)
    return sorted(_film(run) for run in runs if PARENT_TAG in run.data.tags)


def _film(run: "MlflowRun") -> str:
    where = run.data.params.get("delivered", "not delivered")
    shots = _painted_shots(Path(where))
    painted = f", shots {', '.join(shots)}" if shots else ""
    return f"{run.data.tags.get(NAME_TAG, run.info.run_id)}: {where}{painted} (run {run.info.run_id})"


def _painted_shots(delivery: Path) -> list[str]:
    """The shots of a delivery in which something was painted; none where it lies out of reach."""
    folder = delivery.parent if delivery.is_file() else delivery
    if not (folder / MANIFEST_NAME).is_file():
        return []
    return [str(shot["shot_index"]) for shot in _manifest(folder)["shots"] if shot["num_frames_changed"]]
