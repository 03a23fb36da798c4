"""How long after Ray says that a node goes a training has a checkpoint, and how many steps are learnt twice.

    python -m benchmarks.preemption --data DIR [--recipe tiny_cpu] [--grace-s 60] [KEY=VALUE ...]

Two nodes of Ray on this machine, the training on one of them. That one is drained as a cloud does it with a spot
machine, and taken away once a checkpoint is there; a third node takes over. Periodic checkpoints are off.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from jobs.recipes import Kind
from jobs.train_request import TrainRequest

NODE_CPUS, STORE_BYTES = 4, 250 << 20
DRAINED_AT, MORE_STEPS = 10, 100
NEVER = 1_000_000  # steps
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--recipe", default="tiny_cpu")
    parser.add_argument("--grace-s", type=int, default=60)
    parser.add_argument("settings", nargs="*", help="of the recipe, as after --set")
    args = parser.parse_args()
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    with tempfile.TemporaryDirectory(prefix="d2l", ignore_cleanup_errors=True) as folder:
        run(Path(folder), args.data, args.recipe, args.grace_s, args.settings)


def run(folder: Path, data: str, recipe: str, grace_s: int, settings: Sequence[str]) -> None:
    """Train, take the node away, and say what it cost."""
    import ray
    from ray.cluster_utils import Cluster

    from jobs.train import run_training

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "temp_dir": str(folder / "ray")})
    node = cluster.add_node(num_cpus=NODE_CPUS, object_store_memory=STORE_BYTES)
    ray.init(address=cluster.address, log_to_driver=False)
    request = TrainRequest(
        kind=Kind.DIFF2LIP,
        recipe=recipe,
        data=data,
        out=folder / "out",
        settings=(
            *("painter.weights.sync=0", "challenge.stretches=0", "run.log_every=1"),
            *(f"run.measure_every={NEVER}", f"run.checkpoint_every={NEVER}", f"run.max_steps={MORE_STEPS}"),
            *settings,
        ),
        tracking_uri=f"sqlite:///{folder}/mlflow.db",
    )
    third: list[subprocess.Popen[bytes]] = []
    taker = threading.Thread(target=take_away, args=(cluster, node, request.out, grace_s, third), daemon=True)
    taker.start()
    outcome = run_training(request)
    taker.join()
    ray.shutdown()
    third[0].terminate()  # `ray start --block` takes its node with it
    cluster.shutdown()
    history = MlflowClient(request.tracking_uri).get_metric_history(outcome.run_id, "loss")
    steps = [metric.step for metric in history]
    print(f"{outcome.status} after {outcome.steps} steps, {len(steps) - len(set(steps))} of them learnt twice")


def take_away(cluster: Any, node: Any, out: Path, grace_s: int, third: "list[subprocess.Popen[bytes]]") -> None:
    """Drain the node when it has learnt a little, and remove it when a checkpoint is there or the time is over.

    The process of the node that takes over is put into `third`.
    """
    ray_command = str(Path(sys.executable).with_name("ray"))
    while told_step(out) < DRAINED_AT:
        time.sleep(0.1)
    drain = ["drain-node", "--address", cluster.address, "--node-id", node.node_id, "--reason-message", "spot"]
    drain += ["--reason", "DRAIN_NODE_REASON_PREEMPTION", "--deadline-remaining-seconds", str(grace_s)]
    subprocess.run([ray_command, *drain], check=True, **QUIET)  # type: ignore[call-overload]
    begin = time.monotonic()
    while not (kept := list(out.glob("diff2lip/runs/*/checkpoint_2*"))) and time.monotonic() - begin < grace_s:
        time.sleep(0.1)
    words = f"a checkpoint {time.monotonic() - begin:.1f} s after the notice" if kept else "no checkpoint"
    print(f"{words}, at step {told_step(out)} or before; grace {grace_s} s", flush=True)
    start = ["start", "--address", cluster.address, "--num-cpus", str(NODE_CPUS), "--block"]
    third.append(subprocess.Popen([ray_command, *start], start_new_session=True, **QUIET))  # type: ignore[call-overload]
    time.sleep(5)
    cluster.remove_node(node)


def told_step(out: Path) -> int:
    """The step that the training told of last; 0 before it did."""
    told = list(out.glob("diff2lip/nights/*/told.json"))
    return int(json.loads(told[0].read_text())["step"]) if told else 0


if __name__ == "__main__":
    main()
