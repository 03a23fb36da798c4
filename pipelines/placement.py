"""Where each stage runs: actors, CPUs, GPUs, memory. The stages themselves do not know."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

LOOKING_SHARE = 0.25  # of a GPU: left by painters for those who look for faces
MOST_LOOKERS, LOOKING_SLICE = 8, 0.03  # in all: Ray puts slices beside each other, and so many fit beside a painter
MIN_CPUS = 2  # logical: what one actor of every stage and a reading task need together
AUTOSCALED_GPUS_VARIABLE = "DIFF2LIP_AUTOSCALED_GPUS"  # GPUs that the cluster brings when they are asked for


class ClusterTooSmallError(RuntimeError):
    """A Ray cluster on which the stages would wait for each other, or for a GPU, for ever."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """Where one stage runs. CPUs and GPUs are what Ray books for one actor, not a limit it enforces."""

    cpus: float = 1.0  # booked by the only actor of a stage
    busy_cpus: float = 1.0  # what one actor keeps busy: booked by each where a stage has several
    share: float = 0.1  # of a cluster's CPUs that the stage may keep busy; it has one actor at least
    gpus: float = 0.0  # needed: without it the stage waits
    gpus_if_available: float = 0.0  # taken where the cluster has them, left out where it has none
    gpu_slice: float = 0.0  # needed by each actor of a stage that works on CPUs and asks a network on a GPU
    memory_gib: float = 1.0  # the most one actor is seen to use, rounded up

    def __post_init__(self) -> None:
        if self.cpus <= 0 or self.busy_cpus <= 0 or self.memory_gib <= 0 or not 0 < self.share < 1:
            raise ValueError(f"a stage needs CPU, a share of the cluster and memory, got {self}")
        if self.gpus < 0 or self.gpus_if_available < 0 or self.gpu_slice < 0:
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
    "composite": Placement(cpus=0.1, share=0.08, memory_gib=1.5),
    "judge": Placement(cpus=0.05, share=0.05, memory_gib=1.0),
    "stitch": Placement(cpus=0.2, busy_cpus=2.0, share=0.1, memory_gib=1.5),
}


def pool_of(placement: Placement, cluster_cpus: float, cluster_gpus: float) -> Pool:
    """The actors of a stage on a cluster with so many CPUs and GPUs, or one that scales up to some GPUs.

    A stage on GPUs has an actor for each of them; the others have as many as their share of the CPUs carries, but few
    where each takes a slice of a GPU.
    """
    reach = gpus_within_reach(cluster_gpus)
    gpus = placement.gpus or min(placement.gpus_if_available, reach)
    if gpus:
        a_gpu = max(1, int(1 / gpus))  # an actor's share lies on one GPU
        return Pool(actors=max(1, int(reach * a_gpu if gpus <= 1 else reach / gpus)), cpus=placement.cpus, gpus=gpus)
    actors = max(1, int(cluster_cpus * placement.share / placement.busy_cpus))
    if placement.gpu_slice:  # on a node that has GPUs, of whose CPUs nothing is known
        return Pool(actors=min(actors, MOST_LOOKERS), cpus=placement.cpus, gpus=placement.gpu_slice)
    return Pool(actors=actors, cpus=placement.busy_cpus if actors > 1 else placement.cpus, gpus=0.0)


def gpus_within_reach(cluster_gpus: float) -> float:
    """GPUs that a cluster has, or brings when they are asked for."""
    return max(cluster_gpus, float(os.environ.get(AUTOSCALED_GPUS_VARIABLE) or 0))


def check_fits(placed: Mapping[str, Placement], cluster_cpus: float, cluster_gpus: float) -> None:
    """Whether every stage will start on such a cluster.

    Raises:
        ClusterTooSmallError: it has too few CPUs, or no GPU where one is needed.
    """
    if cluster_cpus < MIN_CPUS:
        raise ClusterTooSmallError(f"the Ray cluster has {cluster_cpus:g} CPUs; a dub needs {MIN_CPUS}")
    needy = [name for name, placement in placed.items() if placement.gpus or placement.gpu_slice]
    if needy and not gpus_within_reach(cluster_gpus):
        raise ClusterTooSmallError(
            f"the Ray cluster has no GPU, and these stages are to run on one: {', '.join(needy)}; "
            "faces are looked for on CPUs with detector.device=cpu"
        )


def placements(detector_device: str) -> dict[str, Placement]:
    """`PLACEMENTS` of a dub whose faces are looked for on CPUs (cpu) or on slices of the GPUs (cuda)."""
    if detector_device == "cpu":
        return PLACEMENTS
    lookers = {name: replace(PLACEMENTS[name], gpu_slice=LOOKING_SLICE) for name in ("watch", "faces")}
    painter = replace(PLACEMENTS["paint"], gpus_if_available=1 - LOOKING_SHARE)
    return PLACEMENTS | lookers | {"paint": painter}
