"""How long a dub works on CPUs beside painting: as measured in a dub on this storage and kind of machine."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobs.tally import StageCount
from pipelines.stage import Row
from pipelines.storage import ObjectStore, content_key
from schemas.reason import Verdict

VERSION = 1
CPU_STAGES = ("crops", "composite", "judge", "stitch")
LARGEST = 10  # of dubs by powers of four of their frames: a larger one is believed before a smaller one


@dataclass(frozen=True, kw_only=True, slots=True)
class StageRates:
    """Seconds a frame of one worker, by stage: of frames as the stage counts them (`frames_by_stage`)."""

    seconds_per_frame: dict[str, float]
    are_own: bool = True  # measured on this storage and kind of machine

    def seconds(self, frames: Mapping[str, int]) -> float:
        """How long one worker works on so many frames of each stage."""
        return sum(seconds * frames[stage] for stage, seconds in self.seconds_per_frame.items())


# Of the demo film (640x480) on two cores: what is told before a film was dubbed on this storage.
USUAL_RATES = StageRates(
    seconds_per_frame={"crops": 0.010, "composite": 0.026, "judge": 0.020, "stitch": 0.032},
    are_own=False,
)


def keep_stage_rates(store: ObjectStore, counts: Mapping[str, StageCount]) -> None:
    """Keep what a dub took; a stage that found a part of its work in storage tells nothing.

    Args:
        store: of the dub.
        counts: what each stage of it did.
    """
    for stage in CPU_STAGES:
        count = counts.get(stage)
        if count and count.num_frames and not count.cached:
            size = min(count.num_frames.bit_length() // 2, LARGEST)
            store.put_json(_key(stage, size), {"seconds_per_frame": count.seconds / count.num_frames})


def stage_rates(store: ObjectStore) -> StageRates:
    """As the largest dub took on this storage and kind of machine; the usual ones before a film was dubbed there."""
    found = {stage: _of_largest(store, stage) for stage in CPU_STAGES}
    known = {stage: seconds for stage, seconds in found.items() if seconds is not None}
    return StageRates(seconds_per_frame=known) if len(known) == len(CPU_STAGES) else USUAL_RATES


def frames_by_stage(plan: Sequence[Row], planned: Sequence[Row]) -> dict[str, int]:
    """How many frames each stage would work on: painted ones, those of shots with one, or those of the film.

    Args:
        plan: PLAN rows.
        planned: the PLANNED_SHOT rows that it was made of.
    """
    painted = {(row["dub_id"], row["shot_index"]) for row in plan if row["verdict"] != Verdict.LEAVE}
    of_shots = sum(row["shot_num_frames"] for row in planned if (row["dub_id"], row["shot_index"]) in painted)
    films = {row["dub_id"]: row["num_frames"] for row in planned}
    crops = sum(row["frames_to_paint"] for row in plan)
    return {"crops": crops, "composite": of_shots, "judge": of_shots, "stitch": sum(films.values())}


def _of_largest(store: ObjectStore, stage: str) -> float | None:
    keys = (_key(stage, size) for size in range(LARGEST, -1, -1))
    return next((float(store.get_json(key)["seconds_per_frame"]) for key in keys if store.has(key)), None)


def _key(stage: str, size: int) -> str:
    return content_key("stage-rate", VERSION, {"stage": stage, "size": size, "host_cpus": os.cpu_count()})
