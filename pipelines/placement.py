"""Where each stage runs: actors, CPUs, GPUs, memory. The stages themselves do not know."""

import os
from dataclasses import dataclass

AUTOSCALED_GPUS_VARIABLE = "DIFF2LIP_AUTOSCALED_GPUS"  # GPUs that the cluster brings when they are asked for


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """Where one stage runs. CPUs and GPUs are what Ray books for one actor, not a limit it enforces."""

    cpus: float = 1.0  # booked by the only actor of a stage
    busy_cpus: float = 1.0  # what one actor keeps busy: booked by each where a stage has several
    share: float = 0.1  # of a cluster's CPUs that the stage may keep busy; it has one actor at least
    gpus: float = 0.0  # needed: without it the stage waits
    gpus_if_available: float = 0.0  # taken where the cluster has them, left out where it has none
    memory_gib: float = 1.0  # the most one actor is seen to use, rounded up

    def __post_init__(self) -> None:
        if self.cpus <= 0 or self.busy_cpus <= 0 or self.memory_gib <= 0 or not 0 < self.share < 1:
            raise ValueError(f"a stage needs CPU, a share of the cluster and memory, got {self}")
        if self.gpus < 0 or self.gpus_if_available < 0:
            raise ValueError(f"GPUs cannot be negative, got {self}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """The actors of one stage on one cluster."""

    actors: int  # the most that the pool grows to; every pool starts with one
    cpus: float  # booked for each
    gpus: float  # booked for each


# Of one group of films these follow one another; beside any of them another group is painted and stitched.
ANALYSIS_PASSES = (("takes",), ("conform",), ("watch",), ("shots", "align", "faces"))

# One actor of every stage that runs at a time and a reading task of one CPU must fit on two CPUs together, or Ray
# waits for ever: a pool that got no CPU cannot take the rows of the pool before it.
PLACEMENTS: dict[str, Placement] = {
    "takes": Placement(cpus=0.05, share=0.02, memory_gib=1.0),
    "conform": Placement(cpus=0.05, share=0.02, memory_gib=1.0),
    "watch": Placement(cpus=0.3, share=0.41, memory_gib=2.0),
    "shots": Placement(cpus=0.05, share=0.06, memory_gib=1.0),
    "align": Placement(cpus=0.05, busy_cpus=2.0, share=0.1, memory_gib=2.0),
    "faces": Placement(cpus=0.2, busy_cpus=2.0, share=0.25, memory_gib=2.0),
    "crops": Placement(cpus=0.1, share=0.05, memory_gib=1.0),
    "paint": Placement(cpus=0.2, busy_cpus=2.0, share=0.25, gpus_if_available=1.0, memory_gib=2.0),
    "composite": Placement(cpus=0.1, share=0.08, memory_gib=1.0),
    "judge": Placement(cpus=0.05, share=0.05, memory_gib=1.0),
    "stitch": Placement(cpus=0.2, busy_cpus=2.0, share=0.1, memory_gib=1.5),
}


def pool_of(placement: Placement, cluster_cpus: float, cluster_gpus: float) -> Pool:
    """The actors of a stage on a cluster with so many CPUs and GPUs, or one that scales up to some GPUs.

    A stage on GPUs has an actor for each of them; the others have as many as their share of the CPUs carries.
    """
    within_reach = max(cluster_gpus, float(os.environ.get(AUTOSCALED_GPUS_VARIABLE) or 0))
    gpus = placement.gpus or min(placement.gpus_if_available, within_reach)
    if gpus:
        return Pool(actors=max(1, int(within_reach / gpus)), cpus=placement.cpus, gpus=gpus)
    actors = max(1, int(cluster_cpus * placement.share / placement.busy_cpus))
    return Pool(actors=actors, cpus=placement.busy_cpus if actors > 1 else placement.cpus, gpus=0.0)
