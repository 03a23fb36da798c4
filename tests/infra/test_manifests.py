"""The manifests have the fields of KubeRay 1.7, hold what the placement books, and start commands that exist."""

import shlex
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from jobs.cli import app
from pipelines.placement import ANALYSIS_PASSES, AUTOSCALED_GPUS_VARIABLE, PLACEMENTS, pool_of

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
        "submitterPodTemplate",
        "rayClusterSpec",
    },
}
GROUP_FIELDS = {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"}


def load_all(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((KUBERAY / name).read_text()))


def load(name: str) -> dict[str, Any]:
    documents = load_all(name)
    assert len(documents) == 1
    return documents[0]


def server(kind: str) -> dict[str, Any]:
    return next(document for document in load_all("mlflow.yaml") if document["kind"] == kind)


def cluster_spec(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = load(name)["spec"]
    return dict(spec.get("rayClusterSpec", spec))


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


CLUSTERS = ("raycluster.yaml", "job/rayjob-dub.yaml")
cluster_files = pytest.mark.parametrize("name", CLUSTERS)


def all_containers(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [one for item in value for one in all_containers(item)]
    if not isinstance(value, dict):
        return []
    return [*value.get("containers", []), *(one for item in value.values() for one in all_containers(item))]


def admits(labels: dict[str, str]) -> bool:
    """Whether the network policy lets pods with these labels reach our pods."""
    sources = [source for rule in load("network.yaml")["spec"]["ingress"] for source in rule["from"]]
    wanted = [source["podSelector"]["matchLabels"] for source in sources if "podSelector" in source]
    return any(labels.items() >= selector.items() for selector in wanted)


def test_every_manifest_parses_and_kustomize_names_only_files_that_exist() -> None:
    for path in KUBERAY.rglob("*.yaml"):
        assert all(document["kind"] for document in load_all(str(path.relative_to(KUBERAY))))
    for path in KUBERAY.rglob("kustomization.yaml"):
        entries = yaml.safe_load(path.read_text())
        bases = [path.parent / name for name in entries.get("resources", [])]
        assert all(base.is_file() or (base / "kustomization.yaml").is_file() for base in bases)
        assert all((path.parent / name / "kustomization.yaml").is_file() for name in entries.get("components", []))


@pytest.mark.parametrize("name", [*CLUSTERS, "mlflow.yaml"])
def test_every_image_is_the_one_that_kustomize_names(name: str) -> None:
    """A name that the image component does not know would go to the cluster as it stands."""
    known = {one["name"] for one in load("image/kustomization.yaml")["images"]}
    assert {one["image"] for document in load_all(name) for one in all_containers(document)} == known


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl renders the manifests")
@pytest.mark.parametrize("folder", [".", "job"])
@pytest.mark.parametrize("cpu_only", [False, True])
def test_kustomize_puts_the_image_everywhere_and_takes_gpus_away(tmp_path: Path, folder: str, cpu_only: bool) -> None:
    shutil.copytree(KUBERAY, tmp_path / "kuberay")
    entry = tmp_path / "kuberay" / folder / "kustomization.yaml"
    if cpu_only:
        entry.write_text(entry.read_text().replace("  # - ", "  - "))
    command = ["kubectl", "kustomize", str(entry.parent)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    image = load("image/kustomization.yaml")["images"][0]

    containers = [one for document in yaml.safe_load_all(text) for one in all_containers(document)]
    assert {one["image"] for one in containers} == {f"{image['newName']}:{image['newTag']}"}
    assert ("nvidia.com/gpu" in text) is not cpu_only
    assert (AUTOSCALED_GPUS_VARIABLE in text) is not cpu_only
    assert "namespace: diff2lip" in text


@cluster_files
def test_what_cpu_only_takes_away_is_the_gpu_group_and_the_variable_alone(name: str) -> None:
    manifest = load(name)
    patches = load("cpu-only/kustomization.yaml")["patches"]
    patch = next(one["patch"] for one in patches if one["target"]["kind"] == manifest["kind"])
    removed = []
    for step in yaml.safe_load(patch):
        value: Any = manifest
        for part in step["path"].strip("/").split("/"):
            value = value[int(part)] if isinstance(value, list) else value[part]
        removed.append(value)
    assert removed[0]["groupName"] == "gpu"
    assert [one["name"] for one in removed[1]] == [AUTOSCALED_GPUS_VARIABLE]


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
    spec = load("job/rayjob-dub.yaml")["spec"]
    assert spec["submissionMode"] == "K8sJobMode"
    assert spec["activeDeadlineSeconds"] > spec["preRunningDeadlineSeconds"] > 0
    assert ("--skip-invalid" in spec["entrypoint"]) == (spec["backoffLimit"] == 0), "wrong rows are wrong again"

    program, command, *arguments = shlex.split(spec["entrypoint"])
    assert program == "diff2lip"
    leaf = typer.main.get_command(app).commands[command]  # type: ignore[attr-defined]
    with leaf.make_context(command, arguments, resilient_parsing=False) as context:
        assert context.params["skip_invalid"] is True


def test_the_pod_that_submits_the_job_may_reach_the_head_and_has_no_rights() -> None:
    template = load("job/rayjob-dub.yaml")["spec"]["submitterPodTemplate"]
    assert admits(template["metadata"]["labels"])
    assert not admits({})
    assert template["spec"]["restartPolicy"] == "Never"
    assert template["spec"]["securityContext"]["runAsNonRoot"] is True
    assert template["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] is False
    assert "command" not in template["spec"]["containers"][0], "KubeRay's own command follows the job"


def test_pods_of_the_cluster_and_the_server_reach_each_other() -> None:
    for name in CLUSTERS:
        assert all(admits(group["template"]["metadata"]["labels"]) for group in groups(name).values())
    guarded = load("network.yaml")["spec"]["podSelector"]["matchLabels"]
    labels = server("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert labels.items() >= guarded.items()
    assert admits(labels)


def test_the_tracking_server_is_there_under_the_uri_that_the_job_names() -> None:
    deployment, service, claim = (server(kind) for kind in ("Deployment", "Service", "PersistentVolumeClaim"))
    pod = deployment["spec"]["template"]
    (only,) = pod["spec"]["containers"]
    port = service["spec"]["ports"][0]["port"]
    uri = f"http://{service['metadata']['name']}:{port}"

    assert uri in load("job/rayjob-dub.yaml")["spec"]["entrypoint"]
    assert uri in (ROOT / "infra" / "README.md").read_text()
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert deployment["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert (only["ports"][0]["containerPort"], only["ports"][0]["name"]) == (
        port,
        service["spec"]["ports"][0]["targetPort"],
    )
    assert pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert only["securityContext"]["allowPrivilegeEscalation"] is False
    assert (deployment["spec"]["replicas"], deployment["spec"]["strategy"]["type"]) == (1, "Recreate"), "one SQLite"


def test_the_tracking_server_starts_with_options_that_exist_and_answers_to_its_name() -> None:
    from mlflow.cli import server as mlflow_server
    from mlflow.server.security_utils import is_allowed_host_header

    (only,) = server("Deployment")["spec"]["template"]["spec"]["containers"]
    program, command, *arguments = only["command"]
    assert (program, command) == ("mlflow", "server")
    with mlflow_server.make_context("server", arguments) as context:
        values = context.params
    assert (values["host"], values["port"]) == ("0.0.0.0", 5000)
    hosts = values["allowed_hosts"].split(",")
    called = [one["metadata"]["name"] + ":5000" for one in [server("Service")]] + ["localhost:5000", "mlflow"]
    assert all(is_allowed_host_header(hosts, host) for host in called)
    assert not is_allowed_host_header(hosts, "elsewhere.example.com")
    mounted = only["volumeMounts"][0]["mountPath"]
    assert values["backend_store_uri"].startswith(f"sqlite:///{mounted}/")
    assert values["artifacts_destination"].startswith(f"{mounted}/")


def test_a_stage_that_takes_a_gpu_when_there_is_one_books_none_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(AUTOSCALED_GPUS_VARIABLE, raising=False)
    assert [pool_of(PLACEMENTS["paint"], 2, gpus).gpus for gpus in (0, 1, 8)] == [0, 1, 1]
    monkeypatch.setenv(AUTOSCALED_GPUS_VARIABLE, "1")
    assert pool_of(PLACEMENTS["paint"], 2, 0).gpus == 1
    assert pool_of(PLACEMENTS["shots"], 2, 8).gpus == 0


def test_every_gpu_of_a_cluster_gets_a_painter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(AUTOSCALED_GPUS_VARIABLE, raising=False)
    assert [pool_of(PLACEMENTS["paint"], 32, gpus).actors for gpus in (1, 8)] == [1, 8]


@pytest.mark.parametrize("cpus", range(2, 501))
def test_all_pools_together_never_book_more_than_the_cluster_has(cpus: int) -> None:
    """Both passes at once, with all stitches: a pool that could not start would be waited for."""
    pools = {name: pool_of(placement, cpus, 0) for name, placement in PLACEMENTS.items()}
    booked = {name: pool.actors * pool.cpus for name, pool in pools.items()}
    assert most_at_once(booked) + READING_CPUS <= cpus
    assert max(pool.actors for pool in pools.values()) > cpus / 32


def test_one_actor_of_every_stage_and_a_reading_task_fit_on_two_cpus() -> None:
    assert most_at_once({name: placement.cpus for name, placement in PLACEMENTS.items()}) + READING_CPUS <= 2


def most_at_once(booked: dict[str, float]) -> float:
    """CPUs of the analysis pass that books most, and of all that runs beside it."""
    analysis = {name for one in ANALYSIS_PASSES for name in one}
    assert analysis < set(booked)
    beside = sum(cpus for name, cpus in booked.items() if name not in analysis)
    return beside + max(sum(booked[name] for name in one) for one in ANALYSIS_PASSES)


def test_the_image_installs_from_the_lock_and_has_no_rights() -> None:
    text = (ROOT / "infra" / "Dockerfile").read_text()
    assert "uv sync --frozen" in text
    assert "\nUSER 1000\n" in text
    assert "RAY_ENABLE_UV_RUN_RUNTIME_ENV=0" in text
    assert "EXPOSE" not in text
    copied = [line.split()[1] for line in text.splitlines() if line.startswith("COPY ") and "--from" not in line]
    assert all((ROOT / name).exists() for name in copied)
