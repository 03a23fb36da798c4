"""What is odd in a film that is dubbed all the same, in words for whoever gave it."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from pipelines.media.declared_colour import UNSAID, DeclaredColour
from pipelines.media.frame_tags import ColourTags, FrameTags, says_full_range
from schemas.reason import FilmNote
from schemas.timing import clock

SAME = ({5, 6}, {1, 6, 14, 15})  # matrices, and transfers, of several numbers and one meaning (ITU-T H.273)
MAX_NAMED = 5  # changes of colour that are told one by one


@dataclass(frozen=True, slots=True)
class Note:
    """One odd thing."""

    note: FilmNote
    detail: str


def film_notes(tags: FrameTags, pixel_format: str, time_base: Fraction, said: DeclaredColour | None) -> list[Note]:
    """All that is odd in what frames and container say.

    Args:
        tags: of all frames.
        pixel_format: FFmpeg's name.
        time_base: seconds a tick of pts.
        said: what the container says of colours; None where it says nothing.
    """
    details = {
        FilmNote.INTERLACED_FRAMES: _interlaced(tags, time_base),
        FilmNote.COLOUR_CONFLICT: _conflict(tags.colours[0][1], pixel_format, said) if tags.colours else "",
        FilmNote.COLOUR_CHANGE: _changes(tags, time_base),
    }
    return [Note(note, detail) for note, detail in details.items() if detail]


def _interlaced(tags: FrameTags, time_base: Fraction) -> str:
    if tags.first_interlaced_pts is None:
        return ""
    found = f"{tags.num_interlaced} of {tags.num_frames} frames are flagged interlaced"
    where = f"the first at {clock(tags.first_interlaced_pts * time_base)}"
    return f"{found}, {where}; shots with such frames keep their picture"


def _conflict(tags: ColourTags, pixel_format: str, said: DeclaredColour | None) -> str:
    """Which tags a container contradicts; what one of the two does not say is no conflict."""
    apart = list(_apart(tags, pixel_format, said)) if said else []
    if not apart:
        return ""
    declared, own = (", ".join(pair[side] for pair in apart) for side in (0, 1))
    return f"its container says {declared}, its picture {own} (numbers of ITU-T H.273); the picture is believed"


def _apart(tags: ColourTags, pixel_format: str, said: DeclaredColour) -> Iterator[tuple[str, str]]:
    pairs = {
        "matrix": (said.matrix, tags.matrix),
        "primaries": (said.primaries, tags.primaries),
        "transfer": (said.transfer, tags.transfer),
    }
    for name, (declared, own) in pairs.items():
        if UNSAID not in (declared, own) and not _means_the_same(name, declared, own):
            yield f"{name} {declared}", f"{name} {own}"
    full = says_full_range(tags, pixel_format)
    if None not in (said.full_range, full) and said.full_range != full:
        yield _range(said.full_range), _range(full)


def _means_the_same(name: str, one: int, other: int) -> bool:
    matrices, transfers = SAME
    same = {"matrix": matrices, "transfer": transfers}.get(name, set())
    return one == other or {one, other} <= same


def _range(full: bool | None) -> str:
    return "full range" if full else "limited range"


def _changes(tags: FrameTags, time_base: Fraction) -> str:
    changes = tags.colours[1:]
    if not changes:
        return ""
    told = [f"at {clock(pts * time_base)} to {_words(new)}" for pts, new in changes[:MAX_NAMED]]
    more = f" and {len(changes) - MAX_NAMED} times more" if len(changes) > MAX_NAMED else ""
    return f"its colour tags change from {_words(tags.colours[0][1])} {', '.join(told)}{more} (ITU-T H.273)"


def _words(tags: ColourTags) -> str:
    full = says_full_range(tags, "")
    return f"matrix {tags.matrix}, primaries {tags.primaries}, transfer {tags.transfer}" + (
        "" if full is None else f", {_range(full)}"
    )
