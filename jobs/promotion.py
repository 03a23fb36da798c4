"""Whether a challenger takes the champion's place: surely better at one measure, and no worse at those that guard."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from diff2lip.bootstrap import FEWEST, Interval, TooFewError, mean_interval
from pipelines.stage import Row


@dataclass(frozen=True, kw_only=True, slots=True)
class Guard:
    """A measure that must not get worse.

    Attributes:
        measure: a column of HELD_FIGURES.
        sign: 1 where more is better, -1 where less is.
        margin: a mean that is worse by more objects even where that is not sure.
    """

    measure: str
    sign: int
    margin: float


GUARDS = (
    Guard(measure="leakage", sign=-1, margin=0.03),
    Guard(measure="identity_distance", sign=-1, margin=0.02),
    Guard(measure="flicker_ratio", sign=-1, margin=0.05),
    Guard(measure="opening_correlation", sign=1, margin=0.03),
)

CHIEF_MEASURES = ("mouth_psnr_db", "opening_correlation")  # of both more is better


@dataclass(frozen=True, kw_only=True, slots=True)
class ChallengeSettings:
    """How champion and challenger are compared."""

    stretches: int = 24  # of the held-out list; 0 leaves the comparison out
    frames: int = 32  # of each: two whole batches of the sampler
    measure: str = "mouth_psnr_db"  # what the challenger must be surely better at
    least_gain: float = 0.02  # of it: what is smaller nobody sees, however sure it is
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if self.measure not in CHIEF_MEASURES:
            raise ValueError(f"measure must be one of {', '.join(CHIEF_MEASURES)}, got {self.measure!r}")
        if self.stretches < 0 or self.frames < 5 or not 0.5 <= self.confidence < 1:
            raise ValueError(f"stretches >= 0, frames >= 5 and confidence in [0.5, 1) are wanted, got {self}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """One measure of both."""

    measure: str
    champion: float
    challenger: float
    gain: Interval  # positive: the challenger is better


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What is decided, and why."""

    promoted: bool
    reason: str
    comparisons: list[Comparison] = field(default_factory=list)
    unmeasured: list[str] = field(default_factory=list)  # guards that nothing was measured of

    @property
    def hardly_measured(self) -> list[str]:
        """Guards that were measured of too few people to be sure."""
        return [one.measure for one in self.comparisons if one.gain.num_people < FEWEST]


def decide(champion: Sequence[Row], challenger: Sequence[Row], settings: ChallengeSettings) -> Decision:
    """Compare two models on the same stretches.

    Better is a gain at `settings.measure` whose interval lies above 0 and which is large enough to be seen. A guard
    objects when its interval lies below 0 (of fewer than six people: when all of them lose), or when its mean is
    worse than its margin: a loss that is large is not excused by being unsure. So does whatever can no longer be
    measured, as where the face is not found any more.

    Args:
        champion: HELD_FIGURES of the model that is used now.
        challenger: of the one that was trained, in the same order.
        settings: how.

    Raises:
        ValueError: they were measured on different lists.
    """
    if [row["name"] for row in champion] != [row["name"] for row in challenger]:
        raise ValueError("champion and challenger were not measured on the same list")
    chief = Guard(measure=settings.measure, sign=1, margin=0.0)
    found = [(guard, _compare(champion, challenger, guard, settings)) for guard in (chief, *GUARDS)]
    compared = [(guard, one) for guard, one in found if one is not None]
    unmeasured = [guard.measure for guard, one in found if one is None]
    comparisons = [one for _, one in compared]
    objections = [*_lost(champion, challenger)]
    objections += [_words(one) for guard, one in compared if guard is not chief and _is_worse(one.gain, guard.margin)]
    if chief.measure in unmeasured or comparisons[0].gain.num_people < FEWEST:
        few = f"fewer than {FEWEST} held-out people have {chief.measure}"
        reason, promoted = f"undecided: {few}: hold out more identities", False
    elif comparisons[0].gain.low <= 0 or comparisons[0].gain.mean < settings.least_gain:
        reason, promoted = f"not surely better: {_words(comparisons[0])}", False
    elif objections:
        reason, promoted = f"worse: {'; '.join(objections)}", False
    else:
        reason, promoted = f"better: {_words(comparisons[0])}", True
    return Decision(promoted=promoted, reason=reason, comparisons=comparisons, unmeasured=unmeasured)


def _compare(
    champion: Sequence[Row], challenger: Sequence[Row], guard: Guard, settings: ChallengeSettings
) -> Comparison | None:
    """Over the stretches of which both have the measure; None where there are none."""
    name = guard.measure
    both = [
        (old["identity"], old[name], new[name])
        for old, new in zip(champion, challenger, strict=True)
        if old[name] is not None and new[name] is not None
    ]
    if not both:
        return None
    people, old, new = zip(*both, strict=True)
    gains = [guard.sign * (after - before) for before, after in zip(old, new, strict=True)]
    return Comparison(
        measure=name,
        champion=sum(old) / len(old),
        challenger=sum(new) / len(new),
        gain=_interval(gains, people, settings.confidence),
    )


def _interval(gains: Sequence[float], people: Sequence[str], confidence: float) -> Interval:
    """Of few people, from the worst to the best that was seen."""
    try:
        return mean_interval(gains, people, confidence)
    except TooFewError:
        return Interval(sum(gains) / len(gains), min(gains), max(gains), len(set(people)))


def _lost(champion: Sequence[Row], challenger: Sequence[Row]) -> list[str]:
    """What the champion's stretches have and the challenger's have not."""
    pairs = list(zip(champion, challenger, strict=True))
    names = (guard.measure for guard in GUARDS)
    lost = {name: [new["name"] for old, new in pairs if old[name] is not None and new[name] is None] for name in names}
    return [f"{name} cannot be measured any more of {', '.join(rows)}" for name, rows in lost.items() if rows]


def _is_worse(gain: Interval, margin: float) -> bool:
    return gain.high < 0 or gain.mean < -margin


def _words(one: Comparison) -> str:
    gain = one.gain
    return (
        f"{one.measure} {one.champion:.3f} -> {one.challenger:.3f}, gain {gain.mean:+.3f} "
        f"[{gain.low:+.3f}, {gain.high:+.3f}] over {gain.num_people} people"
    )
