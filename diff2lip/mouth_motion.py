"""What a mouth's opening over time says: whether it closes where it must."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

BILABIALS = frozenset({"P", "B", "M"})  # said with closed lips; CMU and IPA write them alike
MARKS = "012\u02b0\u02b2\u02b7\u02d0\u0329"  # stress of CMU; aspirated, palatal, rounded, long, syllabic of IPA
CLOSED_SHARE = 0.15  # of the speaker's own range: below it the lips count as closed
LOW, HIGH = 0.05, 0.95  # quantiles that stand for closed and for wide open: one odd landmark decides nothing
STILL_RANGE = 0.01  # inner-lip gap over mouth width: a mouth that opens by less never spoke


class StillMouthError(ValueError):
    """A mouth whose opening hardly changes: there is no range to compare with."""


@dataclass(frozen=True, slots=True)
class Phone:
    """A speech sound and when it is heard, half-open."""

    symbol: str  # CMU or IPA
    start_s: float
    end_s: float

    @property
    def bilabial(self) -> bool:
        """Whether lips close for it."""
        return self.symbol.rstrip(MARKS).upper() in BILABIALS


def opening_range(openings: Tensor) -> tuple[float, float]:
    """The openings that stand for closed and for wide open: the 5 % and 95 % quantiles.

    Args:
        openings: [F] inner-lip gap over mouth width of a person who speaks.

    Raises:
        StillMouthError: the two hardly differ.
        ValueError: no frames.
    """
    if openings.ndim != 1 or not len(openings):
        raise ValueError(f"openings must be [F] with frames in it, got {list(openings.shape)}")
    low, high = torch.quantile(openings.double(), openings.new_tensor([LOW, HIGH], dtype=torch.float64)).tolist()
    if high - low < STILL_RANGE:
        raise StillMouthError(f"the mouth opens from {low:.3f} to {high:.3f} of its width: it does not speak")
    return low, high


def leakage(silent: Tensor, source: Tensor) -> float:
    """How far a mouth stays open that was painted to silence, as a share of the source's own range.

    0 = as closed as the source ever is, in every frame; 1 = as wide open as the source gets. A model that brings the
    source's lips back through mask or reference lies near the mean of the source's own openings.

    Args:
        silent: [F] openings painted with silence.
        source: [G] openings of the source while it speaks.

    Raises:
        StillMouthError: the source does not speak.
        ValueError: no frames.
    """
    low, high = opening_range(source)
    if silent.ndim != 1 or not len(silent):
        raise ValueError(f"openings must be [F] with frames in it, got {list(silent.shape)}")
    return float(((silent.double() - low) / (high - low)).clamp(min=0).mean())


def bilabial_closure(openings: Tensor, times_s: Tensor, phones: Sequence[Phone]) -> float | None:
    """Share of the phones p, b and m at which the lips close, within one frame of the phone.

    Closed is an opening in the lowest 15 % of the mouth's own range.

    Args:
        openings: [F] inner-lip gap over mouth width.
        times_s: [F] moments of the frames, ascending, on the clock of the phones.
        phones: what is said; other phones are not looked at, nor those that no frame is near.

    Returns:
        0..1; None where no p, b or m is seen.

    Raises:
        StillMouthError: the mouth never moves, so nothing says what closed is.
        ValueError: frames and moments differ in number, or there are fewer than two.
    """
    if openings.shape != times_s.shape or openings.ndim != 1 or len(openings) < 2:
        raise ValueError(f"need [F] twice, at least two, got {list(openings.shape)} and {list(times_s.shape)}")
    low, high = opening_range(openings)
    closed = openings.double() <= low + CLOSED_SHARE * (high - low)
    frame_s = float(times_s.diff().median())
    near = [_near(times_s, phone, frame_s) for phone in phones if phone.bilabial]
    seen = [bool(closed[frames].any()) for frames in near if frames.any()]
    return sum(seen) / len(seen) if seen else None


def _near(times_s: Tensor, phone: Phone, frame_s: float) -> Tensor:
    """[F] the frames shown during a phone or at most one frame beside it."""
    rounding_s = frame_s / 1000  # of moments in float32
    first_s, after_s = phone.start_s - frame_s - rounding_s, phone.end_s + frame_s - rounding_s
    return (times_s >= first_s) & (times_s < after_s)
