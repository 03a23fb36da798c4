"""Who looks for faces on a GPU keeps no painter off it, and a cluster without one says so at once."""

from pathlib import Path
from types import ModuleType

import pytest

from jobs.dub_pipeline import open_pipeline
from pipelines.placement import (
    AUTOSCALED_GPUS_VARIABLE,
    PLACEMENTS,
    ClusterTooSmallError,
    check_fits,
    placements,
    pool_of,
)

CPUS = (2, 8, 16, 64, 512)
LOOKERS = ("watch", "faces")


def best_fit(shares: list[float], gpus: int) -> list[float]:
    """What is left of each GPU when Ray gives each share to the fullest that still holds it; -1 where none does."""
    left = [1.0] * gpus
    for share in shares:
        fitting = [place for place in range(gpus) if left[place] >= share - 1e-9]
        if not fitting:
            return [-1.0]
        left[min(fitting, key=lambda place: left[place])] -= share
    return left


@pytest.mark.parametrize("lookers_first", [0, 1, 99])
@pytest.mark.parametrize("gpus", [1, 2, 8])
@pytest.mark.parametrize("cpus", CPUS)
@pytest.mark.parametrize("name", LOOKERS)
def test_every_gpu_has_its_painter_in_whatever_order_they_and_those_who_look_come(
    name: str, cpus: int, gpus: int, lookers_first: int
) -> None:
    placed = placements("cuda")
    painters, lookers = pool_of(placed["paint"], cpus, gpus), pool_of(placed[name], cpus, gpus)
    looking = [lookers.gpus] * lookers.actors
    order = [*looking[:lookers_first], *[painters.gpus] * painters.actors, *looking[lookers_first:]]
    assert painters.actors == gpus
    assert lookers.actors == min(8, pool_of(PLACEMENTS[name], cpus, 0).actors)
    assert lookers.cpus == PLACEMENTS[name].cpus < 1
    assert min(best_fit(order, gpus)) >= -1e-9


def test_faces_that_are_looked_for_on_cpus_book_no_gpu() -> None:
    placed = placements("cpu")
    assert all(pool_of(placed[name], 16, 8).gpus == 0 for name in LOOKERS)
    assert pool_of(placed["paint"], 16, 8).gpus == 1


def test_a_gpu_that_is_needed_is_there_or_can_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(AUTOSCALED_GPUS_VARIABLE, raising=False)
    check_fits(placements("cpu"), 2, 0)
    check_fits(placements("cuda"), 2, 1)
    with pytest.raises(ClusterTooSmallError, match=r"no GPU.*watch, faces.*detector\.device=cpu"):
        check_fits(placements("cuda"), 2, 0)
    with pytest.raises(ClusterTooSmallError, match="1 CPUs; a dub needs 2"):
        check_fits(placements("cpu"), 1, 0)
    monkeypatch.setenv(AUTOSCALED_GPUS_VARIABLE, "4")
    check_fits(placements("cuda"), 2, 0)


def test_a_dub_that_needs_a_gpu_where_there_is_none_ends_before_it_begins(
    ray: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(AUTOSCALED_GPUS_VARIABLE, raising=False)
    assert not ray.cluster_resources().get("GPU")
    pipeline = open_pipeline(str(tmp_path), tmp_path, "bundled:small", ["detector.device=cuda"])
    with pytest.raises(ClusterTooSmallError, match="no GPU"), pipeline.running():
        pass
