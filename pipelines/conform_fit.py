"""How a full mix lies on the film: how late it is, and how much faster or slower it runs. Pure functions of sound.

Both share music and effects. Short stretches of the film are looked for in the dub by generalised cross correlation
with phase transform (Knapp and Carter, "The generalized correlation method for estimation of time delay" (1976)); a
straight line through where they are found, that most of them agree on (Theil, "A rank-invariant method of linear and
polynomial regression analysis" (1950); Sen, "Estimates of the regression coefficient based on Kendall's tau" (1968)),
tells lag and rate. What is found by less than a sure majority is said and not believed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.stats import theilslopes

from pipelines.conform_astray import Astray, astray_parts
from pipelines.conform_search import Line, Stretch, Window, stretches, windows_of
from pipelines.stored_sound import Sound
from schemas.timing import ANALYSIS_RATE_HZ

Floats = NDArray[np.float64]

NAMED_RATES = {
    Fraction(1): "",
    Fraction(25, 24): "25/24",  # a dub of 24 fps on a film that runs at PAL's 25
    Fraction(24, 25): "24/25",
    Fraction(1001, 1000): "1001/1000",  # a dub of 23.976 fps on a film of 24
    Fraction(1000, 1001): "1000/1001",
    Fraction(25025, 24000): "25025/24000",  # 23.976 to 25
    Fraction(24000, 25025): "24000/25025",
}
MAX_DRIFT = 0.0425  # PAL speed-up from 23.976 fps
GRID_STEP = 2e-4  # within half of it a stretch of 4 s is still heard as one: 0.4 ms
COARSE_HZ, COARSE_S, COARSE_WINDOWS = 4_000, 4.0, (8, 48)
COARSE_EVERY_S, TRIED_WINDOWS = 12.5, 4  # a film of ten minutes has all; those that are tried at every rate
FINE_S, FINE_WINDOWS, FINE_RANGE_S = 6.0, 48, 0.12
FAR_S, FAR_WINDOWS = 30.0, 16  # where nothing is found, to tell why: leaders, and logos that only one of both has
AGREE_S = 0.002  # of the line
SAME_S = 0.0005  # over the film: a rate that differs less from one with a name is that one
MAX_UNSURE_S = 0.0002  # standard error of the line at the film's begin and end
MIN_AGREEING, MIN_SHARE = 3, 0.6  # stretches that agree, and their share of those looked for at a rate that is tried
MAX_REPEATING = 3.0  # stretches that repeat for each that agrees: chance makes a few of a loop's look single
ALL_AROUND = 2.0  # times the most lag: a loop as long as what is looked for is seen twice in that
MAX_ASTRAY = 0.05  # of those that are clear, but one: where more lie elsewhere the dub is of another cut


@dataclass(frozen=True, kw_only=True, slots=True)
class ConformFit:
    """Where the film's moments lie in the dub: film time t at dub time `rate * t + lag_s`.

    Attributes:
        lag_s: how late the dub is where the film begins; positive = dub late.
        rate: seconds of dub a second of film.
        name: of a rate that has one, as 25/24; empty for 1 and for any other.
        num_windows: stretches that were looked for.
        num_clear: of them found at one place.
        num_agreeing: of them on the line.
        num_repeating: found at several places nearly equally well, as where music is a loop; they count for nothing.
        is_sure: whether the dub may be moved by it.
        far_lag_s: where nothing was found, how late it seems to be, beyond the most that is looked for; None unknown.
        astray: parts of the film that lie elsewhere than the line tells, where that is drawn through enough.
        is_inverted: whether what both share is of the opposite polarity in the dub.
        length_s: of the film that both cover.
    """

    lag_s: float
    rate: float
    name: str
    num_windows: int
    num_clear: int
    num_agreeing: int
    is_sure: bool
    num_repeating: int = 0
    far_lag_s: float | None = None
    astray: tuple[Astray, ...] = ()
    is_inverted: bool = False
    length_s: float = 0.0

    @property
    def end_lag_s(self) -> float:
        """How late the dub is where what both cover ends."""
        return self.lag_s + (self.rate - 1) * self.length_s

    @property
    def most_lag_s(self) -> float:
        """The most that it is late or early anywhere."""
        return max(abs(self.lag_s), abs(self.end_lag_s))

    @property
    def is_astray(self) -> bool:
        """Whether more contradict than may, as where the dub is of another cut."""
        return self.num_clear - self.num_agreeing > _most_astray(self.num_clear)

    @property
    def repeats(self) -> bool:
        """Whether it is not known because the sound that both share repeats."""
        astray = self.num_clear - self.num_agreeing
        return not self.is_sure and self.num_repeating > max(MIN_AGREEING, astray)


UNKNOWN = ConformFit(lag_s=0.0, rate=1.0, name="", num_windows=0, num_clear=0, num_agreeing=0, is_sure=False)


def fit_conform(original: Sound, dub: Sound, max_lag_s: float) -> ConformFit:
    """Lag and rate of a dub, and whether its polarity is the film's.

    Args:
        original: [N] the film's sound from its first frame on, mono at 16 kHz.
        dub: [M] the dub's.
        max_lag_s: the most that is looked for, either way.
    """
    length_s = min(len(original), len(dub)) / ANALYSIS_RATE_HZ
    windows = list(windows_of(original, length_s, FINE_S, FINE_WINDOWS, ANALYSIS_RATE_HZ))
    best = UNKNOWN
    for line in _coarse_lines(original, dub, length_s, max_lag_s):
        is_inverted = _is_inverted(windows, dub, line, length_s)
        signed = [window.inverted() for window in windows] if is_inverted else windows
        fit = replace(_fine_fit(signed, dub, line, length_s, max_lag_s), is_inverted=is_inverted)
        if fit.is_sure or fit.repeats:
            return fit
        best = max(best, fit, key=lambda one: (one.num_agreeing, one.num_windows))
    if best.num_clear >= MIN_AGREEING:
        return best
    return replace(best, far_lag_s=_far_lag_s(original, dub, length_s, max_lag_s))


def _far_lag_s(original: Sound, dub: Sound, length_s: float, max_lag_s: float) -> float | None:
    """How late a dub seems to be that begins far from the film's first frame."""
    windows = list(windows_of(original, length_s, COARSE_S, FAR_WINDOWS, COARSE_HZ))
    found, rate = _best_of(list(map(float, NAMED_RATES)), windows, windows, dub, FAR_S)
    lag_s = _through(found, rate).lag_s if len(found) >= MIN_AGREEING else 0.0
    return lag_s if abs(lag_s) > max_lag_s else None


def _is_inverted(windows: Sequence[Window], dub: Sound, line: Line, length_s: float) -> bool:
    """Whether what is heard near a line is rather of the opposite polarity."""
    range_s = FINE_RANGE_S + GRID_STEP * length_s / 2
    found = stretches(windows, dub, line, range_s, ANALYSIS_RATE_HZ, either=True)
    return sum(-one.peak if one.is_inverted else one.peak for one in found if one.is_heard) < 0


def _fine_fit(windows: Sequence[Window], dub: Sound, line: Line, length_s: float, max_lag_s: float) -> ConformFit:
    """What stretches tell that are looked for near a line, and then all around that through what was found."""
    for range_s in (FINE_RANGE_S + GRID_STEP * length_s / 2, FINE_RANGE_S):
        rate = line.rate
        found = list(stretches(windows, dub, line, range_s, ANALYSIS_RATE_HZ))
        heard = [one for one in found if one.is_heard]
        if len(heard) < MIN_AGREEING:
            return replace(UNKNOWN, num_windows=len(found), num_clear=len(heard))
        line = _through(heard, rate)
    tapered = [window.tapered() for window in windows]
    around = stretches(tapered, dub, line, ALL_AROUND * max_lag_s, ANALYSIS_RATE_HZ)
    return _judged([one for one in around if one.is_heard], line, len(found), length_s, max_lag_s)


def _judged(heard: Sequence[Stretch], line: Line, num_windows: int, length_s: float, max_lag_s: float) -> ConformFit:
    """What stretches tell that were looked for all around a line, at its rate."""
    rate, clear = line.rate, [one for one in heard if one.is_alone]
    if len(clear) >= MIN_AGREEING:
        line = _through(clear, rate)
    agreeing = [one for one in clear if line.misses(one, rate) < AGREE_S]
    if len(agreeing) >= MIN_AGREEING:
        line = _through(agreeing, rate)
    num_repeating = len(heard) - len(clear)
    astray = astray_parts(clear, line, rate, AGREE_S, FINE_S) if len(agreeing) > MIN_AGREEING else []
    unsure_s = _unsure_s(agreeing, rate, line, length_s)
    exact = next((named for named in NAMED_RATES if abs(line.rate - named) * length_s < SAME_S), None)
    if exact is not None:
        line = Line(
            float(np.median([one.lag_s + (rate - exact) * one.at_s for one in agreeing or heard])), float(exact)
        )
    return ConformFit(
        lag_s=line.lag_s,
        rate=line.rate,
        name=NAMED_RATES[exact] if exact is not None else "",
        num_windows=num_windows,
        num_clear=len(clear),
        num_agreeing=len(agreeing),
        num_repeating=num_repeating,
        astray=tuple(astray),
        length_s=length_s,
        is_sure=unsure_s <= MAX_UNSURE_S
        and abs(line.lag_s) <= max_lag_s + FINE_RANGE_S
        and len(clear) - len(agreeing) <= _most_astray(len(clear))
        and num_repeating <= MAX_REPEATING * len(agreeing),
    )


def _most_astray(num_clear: int) -> float:
    """How many of the stretches that are clear may lie elsewhere."""
    return max(1, MAX_ASTRAY * num_clear)


def _unsure_s(agreeing: Sequence[Stretch], rate: float, line: Line, length_s: float) -> float:
    """The larger of the standard errors of a line at both ends of the film; endless where fewer than four agree."""
    if len(agreeing) <= MIN_AGREEING:
        return float("inf")
    times = np.array([one.at_s for one in agreeing])
    spread_s = np.sqrt(sum(line.misses(one, rate) ** 2 for one in agreeing) / (len(agreeing) - 2))
    spread, middle = times.std(), times.mean()
    return max(float(spread_s * np.sqrt((1 + ((end - middle) / spread) ** 2) / len(times))) for end in (0.0, length_s))


def _coarse_lines(original: Sound, dub: Sound, length_s: float, max_lag_s: float) -> Iterator[Line]:
    """The line at the best of the rates that have a name; and, unless most is found at it, at the best of all."""
    most = int(np.clip(length_s / COARSE_EVERY_S, *COARSE_WINDOWS))
    windows = list(windows_of(original, length_s, COARSE_S, most, COARSE_HZ))
    range_s = max_lag_s + GRID_STEP * length_s / 2
    parts = [windows[first::TRIED_WINDOWS] for first in range(min(len(windows), TRIED_WINDOWS))]
    telling = [max(part, key=lambda one: one.telling) for part in parts]
    for rates, tried in ((list(map(float, NAMED_RATES)), windows), (_grid(), telling)):
        found, rate = _best_of(rates, tried, windows, dub, range_s)
        if len(found) >= MIN_AGREEING:
            yield _through(found, rate)
        if len(found) >= _enough(windows):
            return


def _best_of(
    rates: Sequence[float], tried: Sequence[Window], windows: Sequence[Window], dub: Sound, range_s: float
) -> tuple[list[Stretch], float]:
    """What is found at the first rate at which most is, or at the best; all are looked for where one is found."""
    best, best_rate = list[Stretch](), 1.0
    for rate in rates:
        found = _together(tried, dub, rate, range_s)
        if found and tried is not windows:
            found = _together(windows, dub, rate, range_s)
        if sum(one.peak for one in found) > sum(one.peak for one in best):
            best, best_rate = found, rate
        if len(best) >= _enough(windows):
            break
    return best, best_rate


def _enough(windows: Sequence[Window]) -> float:
    return max(MIN_AGREEING, MIN_SHARE * len(windows))


def _together(windows: Sequence[Window], dub: Sound, rate: float, range_s: float) -> list[Stretch]:
    """The clear stretches that lie on one line at a rate, most of them; of either polarity, which is not sure here."""
    found = stretches(windows, dub, Line(0.0, rate), range_s, COARSE_HZ, either=True)
    clear = [one for one in found if one.is_heard]
    groups = [[one for one in clear if abs(one.lag_s - other.lag_s) < _slack_s(one, other)] for other in clear]
    return max(groups, key=lambda group: sum(one.peak for one in group), default=[])


def _slack_s(one: Stretch, other: Stretch) -> float:
    return 0.01 + GRID_STEP * abs(one.at_s - other.at_s)


def _grid() -> list[float]:
    """All rates, the nearest to 1 first."""
    rates = np.arange(1 - MAX_DRIFT, 1 + MAX_DRIFT, GRID_STEP)
    return [float(rate) for rate in rates[np.argsort(np.abs(rates - 1))]]


def _through(found: Sequence[Stretch], rate: float) -> Line:
    """The line through stretches that were found at a rate."""
    times, lags = np.array([one.at_s for one in found]), np.array([one.lag_s for one in found])
    slope, lag_s, _, _ = theilslopes(lags, times)
    return Line(float(lag_s), rate + float(slope))
