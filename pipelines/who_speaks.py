"""Which of the mouths that are seen makes the voice that is heard, piece by piece: a hidden Markov model.

In each piece somebody unseen speaks, or one of the mouths. Whoever speaks mostly goes on, and others take over in
pauses rather than within a sentence. Where two speak at once is heard elsewhere (`pipelines.speech`). What is asked is
the posterior of each mouth given the evidence of all pieces: the forward-backward algorithm (Rabiner, "A tutorial on
hidden Markov models", 1989, Eq. 19-27, scaled as in section V.A).
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipelines.heard_sound import HeardSound
from pipelines.speaking import Evidence, Mouth, piece_evidence, speech_pieces, sync_log_odds
from pipelines.speech import SampleSpan
from schemas.timing import ANALYSIS_RATE_HZ

Floats = NDArray[np.float64]

CHANGE, CHANGE_IN_PAUSE = 0.03, 0.5  # how probable it is that whoever speaks next is drawn anew
LONG_PAUSE_S = 0.3
# Log-odds, at the beginning of a shot, that nobody who is seen speaks: films show who speaks. Alone it is not enough.
OFF_SCREEN = -0.8


def speaking_scores(
    mouths: Sequence[Mouth], heard: HeardSound, speech: Sequence[SampleSpan], fits: Floats | None = None
) -> tuple[list[SampleSpan], Floats]:
    """The pieces of the speech, and how surely each mouth speaks in each: [K, P] in 0..1, NaN where it is not seen.

    Args:
        mouths: of one shot, over the same film time.
        heard: of the original.
        speech: where the original speaks within the shot, in samples.
        fits: [K, P] what an expert says of the pieces (`pipelines.lip_witness`), if one was asked.
    """
    pieces = speech_pieces(speech)
    if not mouths or not pieces:
        return pieces, np.full((len(mouths), len(pieces)), np.nan)
    evidence = [piece_evidence(mouth, heard, pieces) for mouth in mouths]
    emissions = np.array([[0.0, *map(_log_odds, of_piece)] for of_piece in zip(*evidence, strict=True)])
    seen = np.isfinite(emissions)
    if fits is not None:
        emissions[:, 1:] += sync_log_odds(fits).T
    emissions[0, 0] = OFF_SCREEN
    pauses = np.array([(after[0] - before[1]) / ANALYSIS_RATE_HZ for before, after in pairwise(pieces)])
    change = np.where(pauses >= LONG_PAUSE_S, CHANGE_IN_PAUSE, CHANGE)
    posteriors = forward_backward(emissions, change)
    return pieces, np.where(seen, posteriors, np.nan)[:, 1:].T


def speaking_score(mouth: Mouth, heard: HeardSound, speech: Sequence[SampleSpan]) -> float:
    """How surely a mouth, seen alone, is the voice heard: its surest piece, 0..1; 0 where nobody is heard."""
    _, scores = speaking_scores([mouth], heard, speech)
    return float(np.nanmax(scores)) if np.isfinite(scores).any() else 0.0


def forward_backward(emissions: Floats, change: Floats) -> Floats:
    """Posteriors [P, S] of the states of each piece.

    From one piece to the next a state stays with 1 - change; otherwise, or where it is not possible any more, one of
    the states that are possible then is drawn, each as probably as the others.

    Args:
        emissions: [P, S] log-likelihoods; -inf where a state is not possible, but never for all.
        change: [P - 1] how probable drawing anew is.
    """
    weights = np.exp(emissions - emissions.max(1, keepdims=True))
    possible = np.isfinite(emissions)
    drawn = possible / possible.sum(1, keepdims=True)
    stay = (1 - change)[:, None] * possible[1:]  # [P - 1, S]
    forward, backward = np.ones_like(weights), np.ones_like(weights)
    forward[0] = _scaled(weights[0] * drawn[0])
    for piece in range(1, len(weights)):
        before, goes_on = forward[piece - 1], stay[piece - 1]
        forward[piece] = _scaled(weights[piece] * (goes_on * before + drawn[piece] * ((1 - goes_on) @ before)))
    for piece in range(len(weights) - 2, -1, -1):
        ahead, goes_on = weights[piece + 1] * backward[piece + 1], stay[piece]
        backward[piece] = _scaled(goes_on * ahead + (1 - goes_on) * (drawn[piece + 1] @ ahead))
    joint = forward * backward
    return np.asarray(joint / joint.sum(1, keepdims=True))


def _scaled(values: Floats) -> Floats:
    return np.asarray(values / values.sum())


def _log_odds(found: Evidence | None) -> float:
    """Of a mouth, over nobody who is seen."""
    return found.log_odds if found else -np.inf
