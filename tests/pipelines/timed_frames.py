"""Pictures with their moments, and the cuts that are found in them."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import accumulate

from pipelines.content_cuts import Bytes
from pipelines.cuts import content_cuts

MS = Fraction(1, 1000)


def cuts_at_25(frames: Iterable[Bytes], threshold: float | None = None) -> list[int]:
    """Of a film of 25 frames a second."""
    return content_cuts(enumerate(frames), threshold, Fraction(1, 25))


def cuts_at(rate: Fraction, frames: Iterable[Bytes]) -> list[int]:
    """Of a film of so many frames a second."""
    return content_cuts(enumerate(frames), None, 1 / rate)


def cuts_of_uneven(frames: Sequence[Bytes], shown_ms: Sequence[int]) -> list[int]:
    """Of a film each frame of which is shown for a time of its own."""
    pts = accumulate(shown_ms[:-1], initial=0)
    return content_cuts(zip(pts, frames, strict=True), None, MS)
