"""What a plan would cost: frames to paint, face-seconds, and the time and money that painting them takes."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from jobs.stage_rates import USUAL_RATES, StageRates, frames_by_stage
from pipelines.paint_rate import PaintRate
from pipelines.stage import Row
from schemas.reason import Verdict
from schemas.timing import fraction

# What people are shown of a PLAN row, and what it is called above.
PLAN_HEADS = {
    "shot_index": "shot",
    "track_index": "face",
    "person": "person",
    "start": "start",
    "end": "end",
    "verdict": "verdict",
    "reason": "reason",
    "measured": "measured",
    "speaking_score": "speaking",
    "face_height_px": "height, px",
    "frames_to_paint": "frames",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class HourPrices:
    """What an hour costs, in any currency; None where nobody said."""

    actor: float | None = None  # of one painting actor
    cpu: float | None = None  # of one worker on all else

    def of(self, actor_hours: float, cpu_hours: float) -> float | None:
        """What so many hours cost; None where neither has a price."""
        priced = [(self.actor, actor_hours), (self.cpu, cpu_hours)]
        prices = [price * hours for price, hours in priced if price is not None]
        return round(sum(prices), 4) if prices else None


NO_PRICES = HourPrices()


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanCost:
    """A plan in numbers."""

    num_shots: int
    num_tracks: int
    verdicts: dict[str, int]  # "verdict" or "verdict: reason" -> face tracks, and shots without one
    frames_to_paint: int
    face_seconds: float
    rate: PaintRate  # as measured
    actor_hours: float  # of painting, all actors together
    wall_seconds: float  # of painting, actors side by side
    cpu_hours: float  # of one worker on all else than painting
    cpu_rates_are_own: bool  # of a dub on this storage and kind of machine; else of the demo film on another one
    price: float | None  # of the hours that have a price; None where none has
    re_encoded_share: float  # of all frames: the GOPs in which something is painted


def plan_cost(
    plan: Sequence[Row],
    planned: Sequence[Row],
    rate: PaintRate,
    prices: HourPrices = NO_PRICES,
    re_encoded_share: float = 0.0,
    others: StageRates = USUAL_RATES,
) -> PlanCost:
    """What a plan holds and what it would cost.

    Args:
        plan: PLAN rows.
        planned: the PLANNED_SHOT rows that it was made of.
        rate: what painting takes.
        prices: of hours.
        re_encoded_share: of all frames.
        others: what the stages beside painting take.
    """
    rates = {row["dub_id"]: fraction(row["frame_rate"]) for row in planned}
    frames = sum(row["frames_to_paint"] for row in plan)
    seconds = sum((Fraction(row["frames_to_paint"]) / rates[row["dub_id"]] for row in plan), Fraction(0))
    hours = frames * rate.seconds_per_frame / 3600
    cpu_hours = others.seconds(frames_by_stage(plan, planned)) / 3600
    return PlanCost(
        num_shots=len(planned),
        num_tracks=sum(row["track_index"] is not None for row in plan),
        verdicts=dict(Counter(verdict_words(row) for row in plan).most_common()),
        frames_to_paint=frames,
        face_seconds=round(float(seconds), 3),
        rate=rate,
        actor_hours=round(hours, 4),
        wall_seconds=round(rate.seconds(frames), 1),
        cpu_hours=round(cpu_hours, 4),
        cpu_rates_are_own=others.are_own,
        price=prices.of(hours, cpu_hours),
        re_encoded_share=round(re_encoded_share, 4),
    )


def film_costs(
    plan: Sequence[Row],
    planned: Sequence[Row],
    rate: PaintRate,
    prices: HourPrices = NO_PRICES,
    others: StageRates = USUAL_RATES,
) -> list[Row]:
    """What each film in each language holds and would cost, in the order of the plan.

    Args, as of `plan_cost`.
    """
    lines: dict[str, list[Row]] = defaultdict(list)
    shots: dict[str, list[Row]] = defaultdict(list)
    for rows, by_dub in ((plan, lines), (planned, shots)):
        for row in rows:
            by_dub[row["dub_id"]].append(row)
    costs = {name: plan_cost(lines[name], shots[name], rate, prices, others=others) for name in lines}
    return [_film_cost(lines[dub_id], cost) for dub_id, cost in costs.items()]


def _film_cost(plan: Sequence[Row], cost: PlanCost) -> Row:
    tracks = Counter(row["verdict"] for row in plan if row["track_index"] is not None)
    return {
        "title": plan[0]["title"],
        "language": plan[0]["language"],
        "shots": cost.num_shots,
        "face_tracks": cost.num_tracks,
        **{verdict.value: tracks[verdict.value] for verdict in Verdict},
        "verdicts": cost.verdicts,
        "frames_to_paint": cost.frames_to_paint,
        "face_seconds": cost.face_seconds,
        "painting_s": cost.wall_seconds,
        "cpu_s": round(cost.cpu_hours * 3600, 1),
        "price": cost.price,
    }


def verdict_words(row: Row) -> str:
    """A verdict with its reason, if it has one, for people."""
    return f"{row['verdict']}: {row['reason']}" if row["reason"] else str(row["verdict"])
