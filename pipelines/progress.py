"""What the pipeline tells whoever watches it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One piece of work that is finished."""

    stage: str  # admit, shots, align, faces, plan, paint, composite, stitch
    title: str
    language: str = ""  # of the dub: one title may be dubbed into several
    shot_index: int | None = None
    num_frames: int = 0
    seconds: float = 0.0
    peak_mib: float = 0.0  # the most memory that the process held
    cached: bool = False  # found in storage, nothing was done
    message: str = ""


Listener = Callable[[Event], None]


def silent(event: Event) -> None:
    """Tells nobody."""
