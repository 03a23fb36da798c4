"""Where each stage runs: actors, CPUs, GPUs, memory. The stages themselves do not know."""

import os
from dataclasses import dataclass

AUTOSCALED_GPUS_VARIABLE = "DIFF2LIP_AUTOSCALED_GPUS"  # GPUs that the cluster brings when they are asked for


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """Where one stage runs. CPUs and GPUs are what Ray books for one actor, not a limit it enforces."""

    actors: int = 1  # the most that one pool grows to; every pool starts with one
    cpus: float = 1.0
    gpus: float = 0.0  # needed: without it the stage waits
    gpus_if_available: float = 0.0  # taken where the cluster has them, left out where it has none
    memory_gib: float = 1.0  # the most one actor is seen to use, rounded up

    def __post_init__(self) -> None:
        if self.actors < 1 or self.cpus <= 0 or self.memory_gib <= 0:
            raise ValueError(f"a stage needs an actor, CPU and memory, got {self}")
        if self.gpus < 0 or self.gpus_if_available < 0:
            raise ValueError(f"GPUs cannot be negative, got {self}")


# One actor of every stage and a reading task of one CPU must fit on two CPUs together, or Ray waits
# for ever: a pool that got no CPU cannot take the rows of the pool before it.
PLACEMENTS: dict[str, Placement] = {
    "shots": Placement(cpus=0.1, memory_gib=1.0),
    "align": Placement(cpus=0.1, memory_gib=1.5),
    "faces": Placement(cpus=0.2, memory_gib=2.0),
    "paint": Placement(cpus=0.3, gpus_if_available=1.0, memory_gib=2.0),
    "composite": Placement(cpus=0.1, memory_gib=1.0),
    "stitch": Placement(cpus=0.2, memory_gib=1.5),
}


def gpus_of(placement: Placement, cluster_gpus: float) -> float:
    """The GPUs that one actor books on a cluster with so many GPUs, or one that scales up to some."""
    within_reach = max(cluster_gpus, float(os.environ.get(AUTOSCALED_GPUS_VARIABLE) or 0))
    return placement.gpus or min(placement.gpus_if_available, within_reach)
