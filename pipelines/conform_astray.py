"""Parts of a film in which a mix lies elsewhere than in the rest, as where its last scene was moved.

One stretch that lies elsewhere among others that agree may be chance, a sound that comes twice. Two neighbours that
lie equally far off are none, and neither is the first or the last of all: a moved beginning or end has no more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from pipelines.conform_search import SAME_PEAK_S, Line, Stretch

LEAST_NEIGHBOURS = 2  # of stretches that lie elsewhere within a film


@dataclass(frozen=True, kw_only=True, slots=True)
class Astray:
    """A part of the film that lies elsewhere in the dub than the rest tells.

    Attributes:
        start_s: film time.
        end_s: film time.
        late_s: how much later than the rest; negative = earlier.
    """

    start_s: float
    end_s: float
    late_s: float

    def in_words(self) -> str:
        """As `from 0:54 to 1:00 of the film it lies 0.400 s later than the rest`."""
        off = f"{abs(self.late_s):.3f} s {'later' if self.late_s > 0 else 'earlier'} than the rest"
        return f"from {_clock(self.start_s)} to {_clock(self.end_s)} of the film it lies {off}"


def astray_parts(clear: Sequence[Stretch], line: Line, rate: float, within_s: float, window_s: float) -> list[Astray]:
    """Where stretches that sit together lie beside a line.

    Args:
        clear: stretches found at one place, in film order.
        line: where they should lie.
        rate: at which they were looked for.
        within_s: what is nearer lies on the line.
        window_s: length of each stretch.
    """
    placed = [(one, line.late_s(one, rate)) for one in clear]
    parts = list[Astray]()
    for run in _runs(placed, within_s):
        is_edge = run[0][0] is clear[0] or run[-1][0] is clear[-1]
        if len(run) >= LEAST_NEIGHBOURS or is_edge:
            start_s, end_s = run[0][0].at_s - window_s / 2, run[-1][0].at_s + window_s / 2
            parts.append(Astray(start_s=start_s, end_s=end_s, late_s=sum(late for _, late in run) / len(run)))
    return parts


def _runs(placed: Sequence[tuple[Stretch, float]], within_s: float) -> Iterator[list[tuple[Stretch, float]]]:
    """Neighbours that lie beside the line, parted where they lie differently far from it."""
    for is_off, neighbours in groupby(placed, key=lambda one: abs(one[1]) >= within_s):
        run = list[tuple[Stretch, float]]()
        for one in neighbours if is_off else ():
            if run and abs(one[1] - run[-1][1]) >= SAME_PEAK_S:
                yield run
                run = []
            run.append(one)
        if run:
            yield run


def _clock(seconds: float) -> str:
    """As `1:02:03`, or `2:03`; whole seconds."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"
