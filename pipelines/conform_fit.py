"""How a full mix lies on the film: how late it is, and how much faster or slower it runs. Pure functions of sound.

Both share music and effects. Short stretches of the film are looked for in the dub by generalised cross correlation
with phase transform (Knapp and Carter, "The generalized correlation method for estimation of time delay" (1976)); a
straight line through where they are found, that most of them agree on (Theil, "A rank-invariant method of linear and
polynomial regression analysis" (1950); Sen, "Estimates of the regression coefficient based on Kendall's tau" (1968)),
tells lag and rate. What is found by less than a sure majority is said and not believed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from scipy.stats import theilslopes

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
COARSE_HZ, COARSE_S, COARSE_WINDOWS = 4_000, 4.0, 8
FINE_S, FINE_WINDOWS, FINE_RANGE_S = 6.0, 48, 0.12
CLEAR_PEAK = 8.0  # over the typical value: unrelated stretches stay below 6
AGREE_S = 0.002  # of the line
SAME_S = 0.0005  # over the film: a rate that differs less from one with a name is that one
MAX_UNSURE_S = 0.0002  # standard error of the line at the film's begin and end
MIN_AGREEING, MIN_SHARE = 3, 0.6  # stretches that agree, and their share of those looked for at a rate that is tried
MAX_ASTRAY = 0.05  # of those that are clear, but one: where more lie elsewhere the dub is of another cut
SILENT = 1e-4  # RMS: nothing to be heard by


@dataclass(frozen=True, kw_only=True, slots=True)
class ConformFit:
    """Where the film's moments lie in the dub: film time t at dub time `rate * t + lag_s`.

    Attributes:
        lag_s: how late the dub is where the film begins; positive = dub late.
        rate: seconds of dub a second of film.
        name: of a rate that has one, as 25/24; empty for 1 and for any other.
        num_windows: stretches that were looked for.
        num_clear: of them found.
        num_agreeing: of them on the line.
        is_sure: whether the dub may be moved by it.
    """

    lag_s: float
    rate: float
    name: str
    num_windows: int
    num_clear: int
    num_agreeing: int
    is_sure: bool


UNKNOWN = ConformFit(lag_s=0.0, rate=1.0, name="", num_windows=0, num_clear=0, num_agreeing=0, is_sure=False)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A stretch of the film, where it is looked for, and where it is found in the dub.

    Attributes:
        at_s: its middle, film time.
        lag_s: how much later than `rate * at_s` it is found.
        peak: of the correlation, over its typical value.
    """

    at_s: float
    lag_s: float
    peak: float


@dataclass(frozen=True, slots=True)
class _Window:
    """A stretch of the film that can be heard.

    Attributes:
        start_s: film time.
        length_s: of it.
        sound: [n] at the rate at which it is looked for.
    """

    start_s: float
    length_s: float
    sound: Floats

    @property
    def at_s(self) -> float:
        """Its middle."""
        return self.start_s + self.length_s / 2


@dataclass(frozen=True, slots=True)
class _Line:
    """Dub time as a function of film time."""

    lag_s: float
    rate: float

    def misses(self, one: _Stretch, rate: float) -> float:
        """By how much a stretch that was found at a rate lies beside it, in seconds."""
        return abs(one.lag_s + rate * one.at_s - self.lag_s - self.rate * one.at_s)


def fit_conform(original: Sound, dub: Sound, max_lag_s: float) -> ConformFit:
    """Lag and rate of a dub.

    Args:
        original: [N] the film's sound from its first frame on, mono at 16 kHz.
        dub: [M] the dub's.
        max_lag_s: the most that is looked for, either way.
    """
    length_s = min(len(original), len(dub)) / ANALYSIS_RATE_HZ
    line = _coarse_line(original, dub, length_s, max_lag_s)
    if line is None:
        return UNKNOWN
    windows = list(_windows(original, length_s, FINE_S, FINE_WINDOWS, ANALYSIS_RATE_HZ))
    for range_s in (FINE_RANGE_S + GRID_STEP * length_s / 2, FINE_RANGE_S):
        rate = line.rate
        found = list(_stretches(windows, dub, line, range_s, ANALYSIS_RATE_HZ))
        clear = [one for one in found if one.peak >= CLEAR_PEAK]
        if len(clear) < MIN_AGREEING:
            return replace(UNKNOWN, num_windows=len(found), num_clear=len(clear))
        line = _through(clear, rate)
    seen = {one.at_s for one in clear}
    missed = [window for window in windows if window.at_s not in seen]  # what is not there may be elsewhere
    elsewhere = _stretches(missed, dub, _Line(line.lag_s, rate), max_lag_s, ANALYSIS_RATE_HZ)
    clear += [one for one in elsewhere if one.peak >= CLEAR_PEAK]
    return _judged(clear, rate, line, len(found), length_s)


def _judged(clear: Sequence[_Stretch], rate: float, line: _Line, num_windows: int, length_s: float) -> ConformFit:
    agreeing = [one for one in clear if line.misses(one, rate) < AGREE_S]
    if len(agreeing) >= MIN_AGREEING:
        line = _through(agreeing, rate)
    unsure_s = _unsure_s(agreeing, rate, line, length_s)
    exact = next((named for named in NAMED_RATES if abs(line.rate - named) * length_s < SAME_S), None)
    if exact is not None:
        line = _Line(
            float(np.median([one.lag_s + (rate - exact) * one.at_s for one in agreeing or clear])), float(exact)
        )
    return ConformFit(
        lag_s=line.lag_s,
        rate=line.rate,
        name=NAMED_RATES[exact] if exact is not None else "",
        num_windows=num_windows,
        num_clear=len(clear),
        num_agreeing=len(agreeing),
        is_sure=unsure_s <= MAX_UNSURE_S and len(clear) - len(agreeing) <= max(1, MAX_ASTRAY * len(clear)),
    )


def _unsure_s(agreeing: Sequence[_Stretch], rate: float, line: _Line, length_s: float) -> float:
    """The larger of the standard errors of a line at both ends of the film; endless where fewer than four agree."""
    if len(agreeing) <= MIN_AGREEING:
        return float("inf")
    times = np.array([one.at_s for one in agreeing])
    spread_s = np.sqrt(sum(line.misses(one, rate) ** 2 for one in agreeing) / (len(agreeing) - 2))
    spread, middle = times.std(), times.mean()
    return max(float(spread_s * np.sqrt((1 + ((end - middle) / spread) ** 2) / len(times))) for end in (0.0, length_s))


def _coarse_line(original: Sound, dub: Sound, length_s: float, max_lag_s: float) -> _Line | None:
    """The line at the first rate at which most is found, rates with a name first; else at the best of all."""
    windows = list(_windows(original, length_s, COARSE_S, COARSE_WINDOWS, COARSE_HZ))
    range_s = max_lag_s + GRID_STEP * length_s / 2
    best, best_rate = list[_Stretch](), 1.0
    for rate in [*map(float, NAMED_RATES), *_grid()]:
        found = _together(windows[::2], dub, rate, range_s)
        if found:
            found = _together(windows, dub, rate, range_s)
        if sum(one.peak for one in found) > sum(one.peak for one in best):
            best, best_rate = found, rate
        if len(best) >= max(MIN_AGREEING, MIN_SHARE * len(windows)):
            break
    return _through(best, best_rate) if len(best) >= MIN_AGREEING else None


def _together(windows: Sequence[_Window], dub: Sound, rate: float, range_s: float) -> list[_Stretch]:
    """The clear stretches that lie on one line at a rate, most of them."""
    found = _stretches(windows, dub, _Line(0.0, rate), range_s, COARSE_HZ)
    clear = [one for one in found if one.peak >= CLEAR_PEAK]
    groups = [[one for one in clear if abs(one.lag_s - other.lag_s) < _slack_s(one, other)] for other in clear]
    return max(groups, key=lambda group: sum(one.peak for one in group), default=[])


def _slack_s(one: _Stretch, other: _Stretch) -> float:
    return 0.01 + GRID_STEP * abs(one.at_s - other.at_s)


def _grid() -> list[float]:
    """All rates, the nearest to 1 first."""
    rates = np.arange(1 - MAX_DRIFT, 1 + MAX_DRIFT, GRID_STEP)
    return [float(rate) for rate in rates[np.argsort(np.abs(rates - 1))]]


def _windows(original: Sound, length_s: float, window_s: float, most: int, hertz: int) -> Iterator[_Window]:
    """Stretches evenly over the film, at most half over each other, without silent ones."""
    free_s = length_s - window_s
    number = min(most, int(free_s / (window_s / 2)) + 1) if free_s > 0 else 0
    for start_s in np.linspace(0, free_s, number):
        sound = _cut(original, float(start_s), window_s, 1.0, hertz)
        if _level(sound) >= SILENT:
            yield _Window(float(start_s), window_s, sound)


def _stretches(windows: Iterable[_Window], dub: Sound, line: _Line, range_s: float, hertz: int) -> Iterator[_Stretch]:
    """Where stretches of the film are found near a line."""
    for window in windows:
        start_s = line.lag_s + line.rate * (window.start_s - range_s)
        near = _cut(dub, start_s, window.length_s + 2 * range_s, line.rate, hertz)
        if _level(near) >= SILENT:
            place, peak = _best_place(window.sound, near)
            yield _Stretch(window.at_s, line.lag_s + line.rate * (place / hertz - range_s), peak)


def _cut(sound: Sound, start_s: float, length_s: float, rate: float, hertz: int) -> Floats:
    """`length_s` of film time as it sounds at a rate, from a moment of the sound on; silence beyond its ends."""
    first, number = round(start_s * ANALYSIS_RATE_HZ), round(rate * length_s * ANALYSIS_RATE_HZ)
    inside = sound[max(0, first) : max(0, first + number)]
    lead = min(number, max(0, -first))
    whole = np.pad(inside, (lead, max(0, number - lead - len(inside)))).astype(np.float32)
    wanted = round(length_s * hertz)
    played = whole if rate == 1 and hertz == ANALYSIS_RATE_HZ else soxr.resample(whole, rate * ANALYSIS_RATE_HZ, hertz)
    return np.pad(played[:wanted], (0, max(0, wanted - len(played)))).astype(np.float64)


def _level(sound: Floats) -> float:
    return float(np.sqrt(np.mean(sound**2)))


def _best_place(film: Floats, near: Floats) -> tuple[float, float]:
    """The sample of `near` at which `film` begins, between samples too, and the peak over the typical value."""
    size = next_fast_len(len(near) + len(film), real=True)
    cross = np.fft.rfft(near, size) * np.fft.rfft(film, size).conj()
    weight = np.abs(cross)
    likeness = np.fft.irfft(cross / np.maximum(weight, 1e-9 * float(weight.max())), size)[: len(near) - len(film) + 1]
    best = int(likeness.argmax())
    peak = float(likeness[best] / np.sqrt(np.mean(likeness**2)))
    if not 0 < best < len(likeness) - 1:
        return float(best), peak
    before, at, after = likeness[best - 1 : best + 2]
    return best + 0.5 * (before - after) / (before - 2 * at + after), peak


def _through(found: Sequence[_Stretch], rate: float) -> _Line:
    """The line through stretches that were found at a rate."""
    times, lags = np.array([one.at_s for one in found]), np.array([one.lag_s for one in found])
    slope, lag_s, _, _ = theilslopes(lags, times)
    return _Line(float(lag_s), rate + float(slope))
