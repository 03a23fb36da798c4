"""What speaks for a mouth being the voice that is heard, piece by piece of the speech.

Two witnesses. The mouth follows the sound: its opening the loudness and the opening that the sound lets expect
(`pipelines.expected_opening`), its speed the loudness. And it moves at the pace of syllables: a smile is one slow
move, a listener's mouth rests. Evidence is a log-likelihood ratio, of the mouth that is heard over any other, and it
adds up over pieces. Calibrated on 150 portraits and two real speakers, each against its own sound and against
others', in pieces of running speech (`benchmarks.speaking_evidence`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pipelines.expected_opening import GRID_HZ
from pipelines.heard_sound import HOP_SAMPLES, HeardSound
from pipelines.speech import SampleSpan, join_near
from schemas.timing import ANALYSIS_RATE_HZ

Floats = NDArray[np.float64]

LEAD_STEPS = 2  # the sound up to 40 ms before the mouth: films are a frame off
LATE_STEPS = 6  # and up to 120 ms after: lips lead
SYLLABLE_S, PHRASE_S = 0.05, 0.35  # syllables pass between these two smoothings, tremor and expressions do not
SPEED_S = 0.12
LONGEST_PIECE_S = 1.5
SHORT_PAUSE_S = 0.3  # a shorter one belongs to the line: words of one speaker make one piece
MARGIN_S = 0.25  # pauses this near to speech are listened to as well: a mouth that closes there tells much
MIN_JUDGED_S = 0.3  # of less nothing can be said
MIN_SEEN_SHARE = 0.5  # of a piece

# Opening with loudness, opening with what the sound lets expect, speed with loudness. The second tells synthetic
# voices best, and real ones no better than the others: at twice the weight real people lose.
LIKENESS_WEIGHTS = (1.0, 1.5, 1.0)
# A logistic fit's slope, and the likeness that says nothing. The best of nine lags is high by chance, the more the
# shorter the piece: that likeness is 0.38 in 1.5 s, 0.42 in 1 s. `benchmarks.speaking_evidence` fits them.
FOLLOWING, HALF_LIKENESS, CHANCE_S = 5.5, 0.30, 0.12
# What an expert adds (`pipelines.lip_vectors`). A logistic fit beside the opening gives 1.3 and 1.38 for three real
# people and the small expert (`benchmarks.expert_evidence`). A better one is surer of own sounds, not of others: safe.
SYNC, HALF_SYNC = 1.0, 1.4
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
        seen_s: how long it is seen there.
        likenesses: how well it follows the sound in three ways: correlations, -1..1.
        moving: log-likelihood ratio of its moving.
    """

    seen_s: float
    likenesses: tuple[float, float, float]
    moving: float

    @property
    def likeness(self) -> float:
        """How well it follows the sound, -1..1."""
        return float(np.average(self.likenesses, weights=LIKENESS_WEIGHTS))

    @property
    def log_odds(self) -> float:
        """Log-likelihood ratio of this mouth making the sound; 0 where it is seen too shortly to be judged."""
        if self.seen_s < MIN_JUDGED_S:
            return 0.0
        return FOLLOWING * (self.seen_s * (self.likeness - HALF_LIKENESS) - CHANCE_S) + self.moving


def sync_log_odds(fits: Floats) -> Floats:
    """Log-likelihood ratios of what an expert says; 0 where it was not asked or says nothing (NaN)."""
    return np.nan_to_num(SYNC * (fits - HALF_SYNC), nan=0.0)


def speech_pieces(speech: Sequence[SampleSpan]) -> list[SampleSpan]:
    """Speech in pieces of at most 1.5 s: spans with less than 0.3 s between them are one, and each is shared out."""
    longest, shortest_pause = (round(seconds * ANALYSIS_RATE_HZ) for seconds in (LONGEST_PIECE_S, SHORT_PAUSE_S))
    pieces: list[SampleSpan] = []
    for start, end in join_near(speech, shortest_pause):
        count = max(1, -(-(end - start) // longest))
        edges = [start + (end - start) * place // count for place in range(count + 1)]
        pieces += pairwise(edges)
    return pieces


def piece_evidence(mouth: Mouth, heard: HeardSound, pieces: Sequence[SampleSpan]) -> list[Evidence | None]:
    """What each piece says of a mouth; None where it is seen for less than half of it and 0.3 s."""
    first, last = (round(float(at) * GRID_HZ) for at in mouth.times_s[[0, -1]])
    steps = np.arange(first, last + 1)
    opening = np.interp(steps / GRID_HZ, mouth.times_s, mouth.openings)
    curves = _Curves.of(opening, *heard.around(first - LEAD_STEPS, last + 1 + LATE_STEPS))
    found: list[Evidence | None] = []
    for piece, margin in zip(pieces, _margins(pieces), strict=True):
        spoken, listened = (_within(first, last, span) for span in (piece, margin))
        seen_s = (spoken.stop - spoken.start) / GRID_HZ
        enough_s = min(MIN_JUDGED_S, MIN_SEEN_SHARE * (piece[1] - piece[0]) / ANALYSIS_RATE_HZ)
        found.append(curves.evidence(spoken, listened) if seen_s >= max(enough_s, 1 / GRID_HZ) else None)
    return found


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

    def evidence(self, spoken: slice, listened: slice) -> Evidence:
        """What is seen in the steps `spoken`; the sound is compared over `listened` as well."""
        seen_s = (spoken.stop - spoken.start) / GRID_HZ
        move = float(np.quantile(np.abs(self.opening[spoken]), MOVED))
        moving = MOVEMENT_POWER * np.log(max(move, 1e-6) / HALF_MOVEMENT)
        likenesses = (
            _likeness(self.opening, self.loud, listened),
            _likeness(self.opening, self.expected, listened),
            _likeness(self.speed, self.loud, listened),
        )
        return Evidence(seen_s, likenesses, seen_s * float(np.clip(moving, *MOVEMENT_RANGE)))


def _likeness(mouth: Floats, wave: Floats, listened: slice) -> float:
    """The best correlation over the lags."""
    ours = mouth[listened]
    lagged = (wave[listened.start + lag : listened.stop + lag] for lag in range(LEAD_STEPS + LATE_STEPS + 1))
    return max(_correlation(ours, part) for part in lagged)


def _margins(pieces: Sequence[SampleSpan]) -> list[SampleSpan]:
    """Each piece with the silence around it, never reaching into another piece."""
    if not pieces:
        return []
    margin = round(MARGIN_S * ANALYSIS_RATE_HZ)
    befores = [pieces[0][0] - margin, *(piece[1] for piece in pieces[:-1])]
    afters = [*(piece[0] for piece in pieces[1:]), pieces[-1][1] + margin]
    return [
        (max(before, start - margin), min(after, end + margin))
        for (start, end), before, after in zip(pieces, befores, afters, strict=True)
    ]


def _within(first: int, last: int, span: SampleSpan) -> slice:
    """Which of the steps `first` to `last` lie in a span; empty where none does."""
    begin, end = (min(max(-(-edge // HOP_SAMPLES) - first, 0), last + 1 - first) for edge in span)
    return slice(begin, max(begin, end))


def _syllables(curve: Floats, sigma_s: float) -> Floats:
    """What of a curve on the grid goes up and down at the pace of syllables."""
    smoothed = gaussian_filter1d(curve, sigma_s * GRID_HZ)
    return np.asarray(smoothed - gaussian_filter1d(curve, PHRASE_S * GRID_HZ), np.float64)


def _correlation(one: Floats, other: Floats) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-9))
