"""Whether a cue sheet counts from the film's first frame, or in the time of a programme that begins at 01:00:00.

In programme time the lines of a film of an hour and more lie within it, an hour late, and only the last ones after it.
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from pipelines.media.container import FILM_FORMATS, open_media
from schemas.timing import clock

HOUR_S = 3600
MIN_BEGIN_S = 1800  # of a timecode that tells: in a film's first half hour somebody speaks
MAX_SHARE_AFTER = 0.1  # of lines after the film's end: so many are not those that a shorter cut has lost
TIMECODE = re.compile(r"(\d{2}):([0-5]\d):([0-5]\d)[:;.]\d{1,3}")
COUNTED = "times count from the film's first frame"


def misplaced(starts: Sequence[Fraction], duration_s: Fraction, begin_s: int | None) -> str | None:
    """Why the lines of a sheet cannot be meant after the film's first frame, with what to do; None where they can.

    Args:
        starts: of the lines that have one and could be placed, in seconds; one at least.
        duration_s: of the film.
        begin_s: the film's own timecode at its first frame; None where it has none.
    """
    first = min(starts)
    begins = f"its first line begins at {clock(first)}, and the film lasts {clock(duration_s)}"
    if begin_s is not None and first >= begin_s >= MIN_BEGIN_S:
        return f"{begins} and its timecode begins at {clock(Fraction(begin_s))}: {_less(begin_s)}"
    if first >= duration_s:
        return f"{begins}: {_less(HOUR_S) if first >= HOUR_S else COUNTED}"
    num_after = sum(start >= duration_s for start in starts)
    if first >= HOUR_S and num_after > MAX_SHARE_AFTER * len(starts):
        return f"{begins}, so {num_after} of {len(starts)} lines begin when it is over: {_less(HOUR_S)}"
    return None


def _less(begin_s: int) -> str:
    begin = clock(Fraction(begin_s))
    return f"{COUNTED}; in the time of a programme that begins at {begin}, take {begin} off all of them"


def first_timecode_s(path: Path) -> int | None:
    """The full seconds of a film's timecode at its first frame, as any track or its container says it; None of none.

    Raises:
        UndecodableError: it is no film.
        OSError: it cannot be read.
    """
    with open_media(path, FILM_FORMATS) as film:
        tags = [tag for named in (*film.streams, film) for tag in named.metadata.items()]
    said = (TIMECODE.fullmatch(value) for name, value in tags if name.casefold() == "timecode")
    found = next((one for one in said if one), None)
    return sum(int(part) * unit for part, unit in zip(found.groups(), (3600, 60, 1), strict=True)) if found else None
