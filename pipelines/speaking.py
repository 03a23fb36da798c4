"""What speaks for a mouth being the voice that is heard, piece by piece of the speech.

Two witnesses. The mouth follows the sound: its opening the loudness and the opening that the sound lets expect
(`pipelines.expected_opening`), its speed the loudness. And it moves at the pace of syllables: a smile is one slow
move, a listener's mouth rests. Evidence is a log-likelihood ratio, of the mouth that is heard over any other, and it
adds up over pieces. Calibrated on 150 portraits and three real speakers, each against its own sound and against
others', in stretches of 1 to 4 s.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pipelines.expected_opening import GRID_HZ
from pipelines.heard_sound import HOP_SAMPLES, HeardSound
from schemas.timing import ANALYSIS_RATE_HZ

Floats = NDArray[np.float64]
SampleSpan = tuple[int, int]  # half-open, at 16 kHz

LEAD_STEPS, LATE_STEPS = (
    2,
    6,
)  # the sound up to 40 ms before the mouth, or 120 ms after: lips lead, films are a frame off
SYLLABLE_S, PHRASE_S = 0.05, 0.35  # syllables pass between these two smoothings, tremor and expressions do not
SPEED_S = 0.12
LONGEST_PIECE_S = 1.5
MARGIN_S = 0.25  # pauses this near to speech are listened to as well: a mouth that closes there tells much
MIN_SEEN_S = 0.3  # of less nothing can be said

# In 2 s own sound 0.53 (deviation 0.16), another's 0.16 (0.19): a logistic fit's slope, and the likeness that says
# nothing. The best of nine lags is high by chance, the more the shorter the piece: that likeness is 0.42 in 1 s.
FOLLOWING, HALF_LIKENESS, CHANCE_S = 5.5, 0.30, 0.12
# The syllabic move of the opening that a quarter of the time exceeds, over a second: nine in ten of speakers' above
# 0.023, of chewing listeners' below 0.025, of resting ones' below 0.012.
HALF_MOVEMENT, MOVED, MOVEMENT_POWER, MOVEMENT_RANGE = 0.017, 0.75, 4.0, (-5.0, 0.3)


@dataclass(frozen=True, slots=True)
class Mouth:
    """A mouth over time: [F] film time in seconds of each frame, and inner-lip gap over mouth width."""

    times_s: Floats
    openings: Floats


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one mouth in one piece of speech.

    Attributes:
        seconds: how long it is seen there.
        likeness: how well it follows the sound, a mean of correlations, -1..1.
        moving: log-likelihood ratio of its moving.
    """

    seconds: float
    likeness: float
    moving: float

    @property
    def log_odds(self) -> float:
        """Log-likelihood ratio of this mouth making the sound."""
        return FOLLOWING * (self.seconds * (self.likeness - HALF_LIKENESS) - CHANCE_S) + self.moving


def speech_pieces(speech: Sequence[SampleSpan]) -> list[SampleSpan]:
    """Speech in pieces of one length within each span, at most 1.5 s."""
    longest = round(LONGEST_PIECE_S * ANALYSIS_RATE_HZ)
    pieces: list[SampleSpan] = []
    for start, end in speech:
        count = max(1, -(-(end - start) // longest))
        edges = [start + (end - start) * place // count for place in range(count + 1)]
        pieces += pairwise(edges)
    return pieces


def piece_evidence(mouth: Mouth, heard: HeardSound, pieces: Sequence[SampleSpan]) -> list[Evidence | None]:
    """What each piece says of a mouth; None where it is seen for less than 0.3 s of it."""
    first, last = (round(float(at) * GRID_HZ) for at in mouth.times_s[[0, -1]])
    steps = np.arange(first, last + 1)
    opening = np.interp(steps / GRID_HZ, mouth.times_s, mouth.openings)
    curves = _Curves.of(opening, *heard.around(first - LEAD_STEPS, last + 1 + LATE_STEPS))
    return [
        curves.evidence(_within(steps, piece), _within(steps, margin))
        for piece, margin in zip(pieces, _margins(pieces), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Curves:
    """Syllabic curves of a mouth [S], and of the sound [S + 8], which begins two steps earlier."""

    opening: Floats
    speed: Floats
    loud: Floats
    expected: Floats

    @classmethod
    def of(cls, opening: Floats, loud: Floats, expected: Floats) -> "_Curves":
        speed = _syllables(np.abs(np.gradient(opening)) if len(opening) > 1 else np.zeros(1), SPEED_S)
        sounding, expecting = (_syllables(curve, 1 / GRID_HZ) for curve in (loud, expected))
        return cls(_syllables(opening, SYLLABLE_S), speed, sounding, expecting)

    def evidence(self, spoken: NDArray[np.bool_], listened: NDArray[np.bool_]) -> Evidence | None:
        seconds = float(spoken.sum()) / GRID_HZ
        if seconds < MIN_SEEN_S:
            return None
        move = float(np.quantile(np.abs(self.opening[spoken]), MOVED))
        moving = MOVEMENT_POWER * np.log(max(move, 1e-6) / HALF_MOVEMENT)
        pairs = ((self.opening, self.loud), (self.opening, self.expected), (self.speed, self.loud))
        likeness = float(np.mean([_likeness(mouth, wave, listened) for mouth, wave in pairs]))
        return Evidence(seconds, likeness, seconds * float(np.clip(moving, *MOVEMENT_RANGE)))


def _likeness(mouth: Floats, wave: Floats, listened: NDArray[np.bool_]) -> float:
    """The best correlation over the lags."""
    lagged = (wave[lag : lag + len(mouth)] for lag in range(LEAD_STEPS + LATE_STEPS + 1))
    return max(_correlation(mouth[listened], part[listened]) for part in lagged)


def _margins(pieces: Sequence[SampleSpan]) -> list[SampleSpan]:
    """Each piece with the silence around it, never reaching into another piece."""
    margin = round(MARGIN_S * ANALYSIS_RATE_HZ)
    befores = [-margin if not place else pieces[place - 1][1] for place in range(len(pieces))]
    afters = [*(piece[0] for piece in pieces[1:]), pieces[-1][1] + margin] if pieces else []
    return [
        (max(before, start - margin), min(after, end + margin))
        for (start, end), before, after in zip(pieces, befores, afters, strict=True)
    ]


def _within(steps: NDArray[np.int64], span: SampleSpan) -> NDArray[np.bool_]:
    """[S] whether each step lies in the span."""
    return np.asarray((steps * HOP_SAMPLES >= span[0]) & (steps * HOP_SAMPLES < span[1]))


def _syllables(curve: Floats, sigma_s: float) -> Floats:
    """What of a curve on the grid goes up and down at the pace of syllables."""
    smoothed = gaussian_filter1d(curve, sigma_s * GRID_HZ)
    return np.asarray(smoothed - gaussian_filter1d(curve, PHRASE_S * GRID_HZ), np.float64)


def _correlation(one: Floats, other: Floats) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-9))
