"""Stretches of a film's sound, and where each of them is found in a dub.

By generalised cross correlation with phase transform (Knapp and Carter, "The generalized correlation method for
estimation of time delay" (1976)), over sounds in which all moments are made equally loud: music is heard alone between
the words of either language, far below them, and there it counts as much as they do.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from scipy.ndimage import uniform_filter1d
from scipy.signal.windows import hann

from pipelines.stored_sound import Sound
from schemas.timing import ANALYSIS_RATE_HZ

Floats = NDArray[np.float64]
Spectrum = NDArray[np.complex128]

CLEAR_PEAK = 8.0  # over the typical value: unrelated stretches stay below 6
SAME_PEAK_S = 0.01  # what is nearer than that belongs to one peak
LONE_PEAK = 1.8  # over the next: where a sound repeats both are equal but for the voices over them
MOST_CHOICES = 4  # stretches of a part of the film, of which the most telling is taken
SILENT = 1e-4  # RMS: nothing to be heard by
LEVELLED_S = 0.02  # as long as what is made equally loud: pauses between words and within them are longer
MAX_RAISED = 1e3  # over the usual level: what is softer is nothing but the end of a fade


@dataclass(frozen=True, slots=True)
class Line:
    """Dub time as a function of film time: `rate * t + lag_s`."""

    lag_s: float
    rate: float

    def late_s(self, one: "Stretch", rate: float) -> float:
        """How much later than it a stretch lies that was found at a rate; negative = earlier."""
        return one.lag_s + rate * one.at_s - self.lag_s - self.rate * one.at_s

    def misses(self, one: "Stretch", rate: float) -> float:
        """By how much a stretch that was found at a rate lies beside it, in seconds."""
        return abs(self.late_s(one, rate))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the film, where it is looked for, and where it is found in the dub.

    Attributes:
        at_s: its middle, film time.
        lag_s: how much later than `rate * at_s` it is found.
        peak: of the correlation, over its typical value.
        lead: how many times as high as the next peak.
        is_inverted: whether it is found with the opposite polarity.
    """

    at_s: float
    lag_s: float
    peak: float
    lead: float
    is_inverted: bool = False

    @property
    def is_heard(self) -> bool:
        """Whether it is in the dub at all."""
        return self.peak >= CLEAR_PEAK

    @property
    def is_alone(self) -> bool:
        """Whether no other place explains it nearly as well."""
        return self.lead >= LONE_PEAK


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A stretch of the film that can be heard.

    Attributes:
        start_s: film time.
        length_s: of it.
        sound: [n] at the rate at which it is looked for, all of it equally loud.
        telling: how much music is likely in it, as `tellingness` says.
    """

    start_s: float
    length_s: float
    sound: Floats
    telling: float
    _spectra: dict[int, Spectrum] = field(default_factory=dict, init=False, repr=False)

    @property
    def at_s(self) -> float:
        """Its middle."""
        return self.start_s + self.length_s / 2

    def mirrored_spectrum(self, size: int) -> Spectrum:
        """Of the stretch turned around in time, [size // 2 + 1]: kept, for it is looked for at hundreds of rates.

        Args:
            size: samples to which it is filled up with silence.
        """
        if size not in self._spectra:
            self._spectra[size] = np.fft.rfft(self.sound, size).conj()
        return self._spectra[size]

    def tapered(self) -> "Window":
        """The same, fading in and out.

        Cut off hard, steady sounds of any kind correlate with one another a little where their middles meet: that
        makes one of several equal places look the best.
        """
        return replace(self, sound=self.sound * hann(len(self.sound)))

    def inverted(self) -> "Window":
        """The same of the opposite polarity."""
        return replace(self, sound=-self.sound)


def windows_of(original: Sound, length_s: float, window_s: float, most: int, hertz: int) -> Iterator[Window]:
    """Stretches over all the film, without silent ones.

    Where they would lie half over each other they lie evenly; in a longer film each is the most telling of its part.

    Args:
        original: [N] the film's sound, mono at 16 kHz.
        length_s: how much of it is taken.
        window_s: length of each.
        most: at most so many.
        hertz: sample rate of the stretches.
    """
    free_s = length_s - window_s
    number = min(most, int(free_s / (window_s / 2)) + 1) if free_s > 0 else 0
    slot_s = free_s / max(1, number - 1)
    for start_s in np.linspace(0, free_s, number):
        around = _starts_around(float(start_s), slot_s, window_s, free_s)
        heard = [(start, _cut(original, start, window_s, 1.0, hertz)) for start in around]
        start, sound = max(heard, key=lambda one: tellingness(one[1]))
        if _level(sound) >= SILENT:
            yield Window(start, window_s, levelled(sound, hertz), tellingness(sound))


def _starts_around(start_s: float, slot_s: float, window_s: float, free_s: float) -> list[float]:
    """Where a stretch of a part of the film may begin; where stretches lie closely there is no choice."""
    number = min(MOST_CHOICES, int(slot_s / window_s))
    if number < 2:
        return [start_s]
    places = start_s + slot_s * ((np.arange(number) + 0.5) / number - 0.5)
    return [float(place) for place in np.clip(places, 0, free_s)]


def tellingness(sound: Floats) -> float:
    """How much music is likely in a stretch [n]: its level over the flatness of its spectrum; without a unit, above 0.

    Noises, and voices for the most part, are flatter than music.
    """
    power = np.abs(np.fft.rfft(sound * hann(len(sound)))) ** 2 + 1e-12
    return _level(sound) * float(np.sqrt(power.mean() / np.exp(np.log(power).mean())))


def levelled(sound: Floats, hertz: int) -> Floats:
    """The same [n] with each of its moments as loud as any other; what is late in it stays as late.

    Args:
        sound: without offset.
        hertz: its sample rate.
    """
    power = uniform_filter1d(sound**2, max(1, round(LEVELLED_S * hertz)))
    least = max(_level(sound) / MAX_RAISED, 1e-12)
    return np.asarray(sound / np.maximum(np.sqrt(np.maximum(power, 0)), least), np.float64)


def stretches(
    windows: Iterable[Window], dub: Sound, line: Line, range_s: float, hertz: int, *, either: bool = False
) -> Iterator[Stretch]:
    """Where stretches of the film are found near a line.

    Args:
        windows: of the film, at a sample rate.
        dub: [M] mono at 16 kHz.
        line: where they should lie.
        range_s: how far from it, either way, they are looked for.
        hertz: sample rate of the windows.
        either: whether what is more like the opposite polarity is found as that; else it is not found.
    """
    for window in windows:
        start_s = line.lag_s + line.rate * (window.start_s - range_s)
        near = _cut(dub, start_s, window.length_s + 2 * range_s, line.rate, hertz)
        if _level(near) >= SILENT:
            likeness = _likeness(window, levelled(near, hertz))
            is_inverted = either and bool(-likeness.min() > likeness.max())
            place, peak, lead = _best_place(-likeness if is_inverted else likeness, round(SAME_PEAK_S * hertz))
            yield Stretch(window.at_s, line.lag_s + line.rate * (place / hertz - range_s), peak, lead, is_inverted)


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


def _likeness(window: Window, near: Floats) -> Floats:
    """[n] how like a window `near` is from each of its samples on; negative where it is of the opposite polarity."""
    size = next_fast_len(len(near) + len(window.sound), real=True)
    cross = np.fft.rfft(near, size) * window.mirrored_spectrum(size)
    weight = np.abs(cross)
    return np.fft.irfft(cross / np.maximum(weight, 1e-9 * float(weight.max())), size)[
        : len(near) - len(window.sound) + 1
    ]


def _best_place(likeness: Floats, same: int) -> tuple[float, float, float]:
    """The sample at which a window begins, between samples too; the peak over the usual value and the next.

    The next peak is more than `same` samples away.
    """
    best = int(likeness.argmax())
    peak = float(likeness[best] / np.sqrt(np.mean(likeness**2)))
    others = np.concatenate([likeness[: max(0, best - same)], likeness[best + same + 1 :]])
    lead = float(likeness[best] / max(others.max(initial=0.0), 1e-12))
    if not 0 < best < len(likeness) - 1:
        return float(best), peak, lead
    before, at, after = likeness[best - 1 : best + 2]
    return best + 0.5 * (before - after) / (before - 2 * at + after), peak, lead
