"""What a plan would cost: frames to paint, face-seconds, and the time they take on this kind of machine."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from pipelines.stage import Row
from schemas.timing import fraction

# Seconds of two CPU cores per painted frame: on the demo film, 99 s of painting and 4 s of compositing for 267 frames.
PAINT_SECONDS_PER_FRAME = 0.4


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanCost:
    """A plan in numbers."""

    num_shots: int
    num_tracks: int
    verdicts: dict[str, int]  # "verdict" or "verdict: reason" -> face tracks, and shots without one
    frames_to_paint: int
    face_seconds: float
    cpu_seconds: float  # an estimate for two cores without a GPU


def plan_cost(plan: Sequence[Row], planned: Sequence[Row]) -> PlanCost:
    """What a plan holds and what it would cost.

    Args:
        plan: PLAN rows.
        planned: the PLANNED_SHOT rows that it was made of.
    """
    rates = {row["dub_id"]: fraction(row["frame_rate"]) for row in planned}
    frames = sum(row["frames_to_paint"] for row in plan)
    seconds = sum((Fraction(row["frames_to_paint"]) / rates[row["dub_id"]] for row in plan), Fraction(0))
    return PlanCost(
        num_shots=len(planned),
        num_tracks=sum(row["track_index"] is not None for row in plan),
        verdicts=dict(Counter(verdict_words(row) for row in plan).most_common()),
        frames_to_paint=frames,
        face_seconds=round(float(seconds), 3),
        cpu_seconds=round(frames * PAINT_SECONDS_PER_FRAME, 1),
    )


def verdict_words(row: Row) -> str:
    """A verdict with its reason, if it has one, for people."""
    return f"{row['verdict']}: {row['reason']}" if row["reason"] else str(row["verdict"])
