"""What the pipeline tells whoever watches it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A piece of work that is finished, or, when `partial`, frames of one that goes on."""

    stage: (
        str  # admit, takes, conform, watch, shots, align, faces, plan, crops, paint, composite, judge, stitch, clips
    )
    title: str
    language: str = ""  # of the dub: one title may be dubbed into several
    shot_index: int | None = None  # or of the part of a film that was watched
    num_pieces: int = 1  # of those that the listener was told to expect
    num_frames: int = 0
    seconds: float = 0.0
    peak_mib: float = 0.0  # the most memory that the process held
    cached: bool = False  # found in storage, nothing was done
    partial: bool = False  # the piece is not finished: frames that were done since it was last told of
    message: str = ""


TELL_EVERY_FRAMES = 50  # about two seconds of film
Item = TypeVar("Item")
Listener = Callable[[Event], None]
Tell = Callable[[int], None]
"""Called by whoever works on a long piece, with the number of frames done since the last call."""


def silent(event: Event) -> None:
    """Tells nobody."""


def untold(num_frames: int) -> None:
    """Tells nobody of frames."""


def telling(frames: Iterable[Item], tell: Tell) -> Iterator[Item]:
    """The same frames, told of as they are taken."""
    for number, frame in enumerate(frames, start=1):
        yield frame
        if number % TELL_EVERY_FRAMES == 0:
            tell(TELL_EVERY_FRAMES)
