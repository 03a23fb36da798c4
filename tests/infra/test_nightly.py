"""Every night one RayJob of its own name, whose end is the CronJob's; what starts it may do no more than that."""

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import typer
import yaml

from jobs.cli import app

NIGHTLY = Path(__file__).parents[2] / "infra" / "kuberay" / "nightly"
KUBECTL = shutil.which("kubectl")
needs_kubectl = pytest.mark.skipif(KUBECTL is None, reason="kubectl renders the manifests")
DAY_S = 86_400


@pytest.fixture(scope="module", name="rendered")
def _rendered() -> dict[str, dict[str, Any]]:
    """What kustomize makes, by kind."""
    text = subprocess.run(["kubectl", "kustomize", str(NIGHTLY)], capture_output=True, text=True, check=True).stdout
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


def cron_job() -> dict[str, Any]:
    """The CronJob as it is written."""
    documents = yaml.safe_load_all((NIGHTLY / "cronjob.yaml").read_text())
    return next(document for document in documents if document["kind"] == "CronJob")


def test_one_night_at_a_time_at_an_hour_that_is_said() -> None:
    spec = cron_job()["spec"]
    job = spec["jobTemplate"]["spec"]

    assert spec["concurrencyPolicy"] == "Forbid"
    assert len(spec["schedule"].split()) == 5
    assert ZoneInfo(spec["timeZone"]).key == spec["timeZone"]
    assert 0 < spec["startingDeadlineSeconds"] < DAY_S
    assert job["backoffLimit"] == 0
    assert job["activeDeadlineSeconds"] < DAY_S


@needs_kubectl
def test_what_starts_a_night_may_read_and_create_rayjobs_and_nothing_else(rendered: dict[str, dict[str, Any]]) -> None:
    pod = rendered["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    rules = rendered["Role"]["rules"]

    assert rules == [{"apiGroups": ["ray.io"], "resources": ["rayjobs"], "verbs": ["get", "create"]}]
    assert rendered["RoleBinding"]["subjects"][0]["name"] == pod["serviceAccountName"] == "nightly"
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["containers"][0]["securityContext"]["allowPrivilegeEscalation"] is False
    assert rendered["ConfigMap"]["data"].keys() == {Path(pod["containers"][0]["command"][1]).name}


@needs_kubectl
def test_the_template_waits_and_says_a_command_that_exists(rendered: dict[str, dict[str, Any]]) -> None:
    spec = rendered["RayJob"]["spec"]
    program, command, *arguments = shlex.split(spec["entrypoint"])
    leaf = typer.main.get_command(app).commands[command]  # type: ignore[attr-defined]

    assert (rendered["RayJob"]["metadata"]["name"], spec["suspend"]) == ("nightly-template", True)
    assert (program, command) == ("diff2lip", "nightly")
    with leaf.make_context(command, arguments) as context:
        folders = [str(context.params[name]) for name in ("root", "data", "out")]
    groups = [spec["rayClusterSpec"]["headGroupSpec"], *spec["rayClusterSpec"]["workerGroupSpecs"]]
    for group in groups:
        pod = group["template"]["spec"]
        claims = {one["name"]: one.get("persistentVolumeClaim", {}).get("claimName") for one in pod["volumes"]}
        mounts = {one["name"]: one["mountPath"] for one in pod["containers"][0]["volumeMounts"]}
        assert claims["vox2"] == rendered["PersistentVolumeClaim"]["metadata"]["name"]
        assert all(folder.startswith(f"{mounts['vox2']}/") for folder in folders)
        assert "films" not in claims
        environment = {one["name"]: one["value"] for one in pod["containers"][0]["env"]}
        assert environment["DIFF2LIP_CACHE"].startswith(f"{mounts['vox2']}/"), "what is fetched is there the next night"
    gpu = next(group for group in groups[1:] if group["groupName"] == "gpu")
    assert gpu["minReplicas"] == gpu["replicas"] == 1, "who trains asks at the start for GPUs"
    deadline_s = rendered["CronJob"]["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"]
    assert spec["activeDeadlineSeconds"] < deadline_s


STUB = """#!/bin/sh
case "$1" in
patch) exec {real} "$@" ;;
create) cp "$3" {folder}/created.json ;;
get)
    if [ "$3" = nightly-template ]; then cat {folder}/template.json; else
        echo "$3" >>{folder}/asked
        sed -n "$(wc -l <{folder}/asked)p" {folder}/states
    fi ;;
esac
"""


@needs_kubectl
@pytest.mark.parametrize(
    ("states", "code"),
    [
        (["Initializing/", "", "Running/RUNNING", "Complete/SUCCEEDED"], 0),
        (["Running/RUNNING", "Complete/FAILED"], 1),
        (["Failed/"], 1),
    ],
)
def test_a_night_is_made_of_the_template_and_its_end_is_waited_for(
    rendered: dict[str, dict[str, Any]], tmp_path: Path, states: list[str], code: int
) -> None:
    """The real kubectl patches; what would ask a server is answered from files."""
    template = rendered["RayJob"] | {"status": {"jobDeploymentStatus": "Suspended"}}
    template["metadata"] |= {"resourceVersion": "7", "uid": "u"}
    (tmp_path / "template.json").write_text(json.dumps(template))
    (tmp_path / "states").write_text("\n".join(states) + "\n")
    stub = tmp_path / "kubectl"
    stub.write_text(STUB.format(real=KUBECTL, folder=tmp_path))
    stub.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "POLL_S": "0"}

    done = subprocess.run(["sh", str(NIGHTLY / "start-night.sh")], env=environment, capture_output=True, text=True, check=False)

    created = json.loads((tmp_path / "created.json").read_text())
    assert done.returncode == code, done.stderr
    assert created["metadata"]["name"].startswith("nightly-2")
    assert not {"uid", "resourceVersion"} & created["metadata"].keys()
    assert "status" not in created
    assert created["spec"] == {**template["spec"], "suspend": False}
    assert set((tmp_path / "asked").read_text().split()) == {created["metadata"]["name"]}
    assert len((tmp_path / "asked").read_text().split()) == len(states)
