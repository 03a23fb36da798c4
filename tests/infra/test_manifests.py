"""The manifests have the fields of KubeRay 1.7, hold what the placement books, and start commands that exist."""

import shlex
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from jobs.cli import app
from pipelines.placement import AUTOSCALED_GPUS_VARIABLE, PLACEMENTS

ROOT = Path(__file__).parents[2]
KUBERAY = ROOT / "infra" / "kuberay"
READING_CPUS = 1  # Ray Data's own task in front of the stages
GIB = 1 << 30
ROOT_FIELDS = {
    "RayCluster": {
        "rayVersion",
        "authOptions",
        "enableInTreeAutoscaling",
        "autoscalerOptions",
        "headGroupSpec",
        "workerGroupSpecs",
    },
    "RayJob": {
        "entrypoint",
        "submissionMode",
        "backoffLimit",
        "activeDeadlineSeconds",
        "preRunningDeadlineSeconds",
        "shutdownAfterJobFinishes",
        "ttlSecondsAfterFinished",
        "rayClusterSpec",
    },
}
GROUP_FIELDS = {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"}


def load(name: str) -> dict[str, Any]:
    documents = list(yaml.safe_load_all((KUBERAY / name).read_text()))
    assert len(documents) == 1
    return dict(documents[0])


def cluster_spec(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = load(name)["spec"]
    return spec.get("rayClusterSpec", spec)


def groups(name: str) -> dict[str, dict[str, Any]]:
    return {group["groupName"]: group for group in cluster_spec(name)["workerGroupSpecs"]}


def container(group: dict[str, Any]) -> dict[str, Any]:
    containers: list[dict[str, Any]] = group["template"]["spec"]["containers"]
    assert len(containers) == 1
    return containers[0]


def requests(group: dict[str, Any]) -> dict[str, str]:
    return dict(container(group)["resources"]["requests"])


def gib(text: str) -> float:
    assert text.endswith("Gi")
    return float(text.removesuffix("Gi"))


CLUSTERS = ("raycluster.yaml", "rayjob-dub.yaml")
cluster_files = pytest.mark.parametrize("name", CLUSTERS)


def test_every_manifest_parses_and_kustomize_names_only_files_that_exist() -> None:
    for path in KUBERAY.glob("*.yaml"):
        assert load(path.name)["kind"]
    assert all((KUBERAY / name).is_file() for name in load("kustomization.yaml")["resources"])


@cluster_files
def test_only_documented_fields_are_used(name: str) -> None:
    manifest = load(name)
    assert manifest["apiVersion"] == "ray.io/v1"
    assert set(manifest["spec"]) <= ROOT_FIELDS[manifest["kind"]]
    assert set(cluster_spec(name)) == ROOT_FIELDS["RayCluster"]
    assert all(set(group) == GROUP_FIELDS for group in groups(name).values())


@cluster_files
def test_the_cluster_asks_for_a_token_and_runs_the_locked_ray(name: str) -> None:
    spec = cluster_spec(name)
    assert spec["authOptions"] == {"mode": "token"}
    assert spec["rayVersion"] == version("ray")


@cluster_files
def test_no_container_runs_as_root_or_gains_rights(name: str) -> None:
    spec = cluster_spec(name)
    for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"]):
        pod = group["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert container(group)["securityContext"]["allowPrivilegeEscalation"] is False


@cluster_files
def test_ray_books_what_kubernetes_gives(name: str) -> None:
    for group in groups(name).values():
        assert group["rayStartParams"]["num-cpus"] == requests(group)["cpu"]
    assert cluster_spec(name)["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"


@cluster_files
def test_one_pod_of_the_cpu_group_holds_one_actor_of_every_stage(name: str) -> None:
    group = groups(name)["cpu"]
    store_gib = int(group["rayStartParams"]["object-store-memory"]) / GIB
    assert sum(placement.cpus for placement in PLACEMENTS.values()) + READING_CPUS <= float(requests(group)["cpu"])
    assert sum(placement.memory_gib for placement in PLACEMENTS.values()) + store_gib <= gib(requests(group)["memory"])
    assert group["minReplicas"] >= 1


@cluster_files
def test_one_pod_of_the_gpu_group_holds_one_painter_and_none_is_held_idle(name: str) -> None:
    group = groups(name)["gpu"]
    paint = PLACEMENTS["paint"]
    store_gib = int(group["rayStartParams"]["object-store-memory"]) / GIB
    assert float(requests(group)["nvidia.com/gpu"]) >= paint.gpus_if_available
    assert container(group)["resources"]["limits"]["nvidia.com/gpu"] == requests(group)["nvidia.com/gpu"]
    assert float(requests(group)["cpu"]) >= paint.cpus
    assert gib(requests(group)["memory"]) >= paint.memory_gib + store_gib
    assert group["minReplicas"] == 0


@cluster_files
def test_the_driver_knows_how_many_gpus_can_come(name: str) -> None:
    environment = {one["name"]: one["value"] for one in container(cluster_spec(name)["headGroupSpec"])["env"]}
    group = groups(name)["gpu"]
    can_come = group["maxReplicas"] * int(requests(group)["nvidia.com/gpu"])
    assert int(environment[AUTOSCALED_GPUS_VARIABLE]) == can_come


@cluster_files
def test_shared_memory_holds_the_object_store(name: str) -> None:
    spec = cluster_spec(name)
    for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"]):
        volumes = {volume["name"]: volume for volume in group["template"]["spec"]["volumes"]}
        store_gib = int(group["rayStartParams"]["object-store-memory"]) / GIB
        assert gib(volumes["shm"]["emptyDir"]["sizeLimit"]) >= store_gib
        mounted = {mount["name"] for mount in container(group)["volumeMounts"]}
        assert mounted == set(volumes)


def test_the_job_is_bounded_and_starts_a_command_that_exists() -> None:
    spec = load("rayjob-dub.yaml")["spec"]
    assert spec["submissionMode"] == "K8sJobMode"
    assert 0 < spec["backoffLimit"] <= 3
    assert spec["activeDeadlineSeconds"] > spec["preRunningDeadlineSeconds"] > 0

    program, command, *arguments = shlex.split(spec["entrypoint"])
    assert program == "diff2lip"
    leaf = typer.main.get_command(app).commands[command]  # type: ignore[attr-defined]
    with leaf.make_context(command, arguments, resilient_parsing=False) as context:
        assert context.params["skip_invalid"] is True


def test_a_stage_that_takes_a_gpu_when_there_is_one_books_none_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pipelines.placement import gpus_of

    monkeypatch.delenv(AUTOSCALED_GPUS_VARIABLE, raising=False)
    assert [gpus_of(PLACEMENTS["paint"], gpus) for gpus in (0, 1, 8)] == [0, 1, 1]
    monkeypatch.setenv(AUTOSCALED_GPUS_VARIABLE, "1")
    assert gpus_of(PLACEMENTS["paint"], 0) == 1
    assert gpus_of(PLACEMENTS["shots"], 8) == 0


def test_one_actor_of_every_stage_and_a_reading_task_fit_on_two_cpus() -> None:
    assert sum(placement.cpus for placement in PLACEMENTS.values()) + READING_CPUS <= 2


def test_the_image_installs_from_the_lock_and_has_no_rights() -> None:
    text = (ROOT / "infra" / "Dockerfile").read_text()
    assert "uv sync --frozen" in text
    assert "\nUSER 1000\n" in text
    assert "RAY_ENABLE_UV_RUN_RUNTIME_ENV=0" in text
    assert "EXPOSE" not in text
    copied = [line.split()[1] for line in text.splitlines() if line.startswith("COPY ") and "--from" not in line]
    assert all((ROOT / name).exists() for name in copied)
