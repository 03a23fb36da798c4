"""What a dub takes beside painting is told from the dubs before, and from nothing else."""

from pathlib import Path

import pytest

from jobs.cost import plan_cost
from jobs.stage_rates import CPU_STAGES, USUAL_RATES, StageRates, frames_by_stage, keep_stage_rates, stage_rates
from jobs.tally import StageCount
from pipelines.paint_rate import PaintRate
from pipelines.storage import ObjectStore

PLANNED = [
    {
        "dub_id": "a",
        "shot_index": index,
        "shot_num_frames": 100,
        "num_frames": 200,
        "frame_rate": {"num": 25, "den": 1},
    }
    for index in range(2)
]
PLAN = [
    {"dub_id": "a", "shot_index": 0, "track_index": 0, "verdict": "dub", "reason": None, "frames_to_paint": 60},
    {"dub_id": "a", "shot_index": 1, "track_index": 0, "verdict": "leave", "reason": "by_hand", "frames_to_paint": 0},
]


def counts(seconds: float, frames: int, cached: int = 0) -> dict[str, StageCount]:
    return {stage: StageCount(done=1, cached=cached, num_frames=frames, seconds=seconds) for stage in CPU_STAGES}


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(str(tmp_path))


def test_before_a_film_was_dubbed_the_usual_rates_are_told_as_what_they_are(store: ObjectStore) -> None:
    keep_stage_rates(store, {})
    assert stage_rates(store) == USUAL_RATES

    assert not USUAL_RATES.are_own
    assert set(USUAL_RATES.seconds_per_frame) == set(CPU_STAGES)

    half = counts(4.0, 100)
    del half["judge"]
    keep_stage_rates(store, half)
    assert stage_rates(store) == USUAL_RATES


@pytest.mark.parametrize("frames", [(100, 9000), (9000, 100)])
def test_the_larger_dub_is_believed_whichever_came_first(store: ObjectStore, frames: tuple[int, int]) -> None:
    """A small one is mostly start."""
    for count in frames:
        keep_stage_rates(store, counts(450.0 if count == 9000 else 20.0, count))

    assert stage_rates(store) == StageRates(seconds_per_frame=dict.fromkeys(CPU_STAGES, 0.05))


def test_work_that_was_found_in_storage_says_nothing(store: ObjectStore) -> None:
    keep_stage_rates(store, counts(10.0, 100))
    keep_stage_rates(store, counts(0.1, 900, cached=1))

    assert stage_rates(store) == StageRates(seconds_per_frame=dict.fromkeys(CPU_STAGES, 0.1))


def test_each_stage_is_asked_for_the_frames_that_it_works_on() -> None:
    """One of two shots is painted, in 60 of its 100 frames; the whole film is stitched."""
    frames = frames_by_stage(PLAN, PLANNED)
    assert frames == {"crops": 60, "composite": 100, "judge": 100, "stitch": 200}

    rate = PaintRate(device="cpu", seconds_per_frame=0.5, actors=1)
    others = StageRates(seconds_per_frame={"crops": 1.0, "composite": 2.0, "judge": 3.0, "stitch": 0.5})
    assert plan_cost(PLAN, PLANNED, rate, others=others).cpu_hours == pytest.approx(660 / 3600, abs=1e-4)
    assert plan_cost(PLAN, PLANNED, rate, others=others).cpu_rates_are_own
    usual = plan_cost(PLAN, PLANNED, rate)
    assert usual.cpu_hours > 0
    assert not usual.cpu_rates_are_own
