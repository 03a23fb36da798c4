"""Which of the mouths that are seen makes the voice that is heard, piece by piece: a hidden Markov model.

In each piece somebody unseen speaks, or one of the mouths. Whoever speaks mostly goes on, and others take over in
pauses rather than within a sentence. Where two speak at once is heard elsewhere (`pipelines.speech`). What is asked is
the posterior of each mouth given the evidence of all pieces: the forward-backward algorithm (Rabiner, "A tutorial on
hidden Markov models", 1989, Eq. 19-27).
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from pipelines.heard_sound import HeardSound
from pipelines.speaking import Evidence, Mouth, SampleSpan, piece_evidence, speech_pieces
from schemas.timing import ANALYSIS_RATE_HZ

Floats = NDArray[np.float64]

CHANGE, CHANGE_IN_PAUSE = 0.03, 0.25  # how probable it is that another speaks in the next piece
PAUSE_S = 0.3
OFF_SCREEN = -1.0  # log-odds, at the beginning of a shot, that nobody who is seen speaks: films show who speaks
UNSEEN_MOUTH = -30.0  # log-odds of who is not seen in a piece


def speaking_scores(
    mouths: Sequence[Mouth], heard: HeardSound, speech: Sequence[SampleSpan]
) -> tuple[list[SampleSpan], Floats]:
    """The pieces of the speech, and how surely each mouth speaks in each: [K, P] in 0..1, NaN where it is not seen.

    Args:
        mouths: of one shot, over the same film time.
        heard: of the original.
        speech: where the original speaks within the shot, in samples.
    """
    pieces = speech_pieces(speech)
    evidence = [piece_evidence(mouth, heard, pieces) for mouth in mouths]
    scores = np.full((len(mouths), len(pieces)), np.nan)
    if not mouths or not pieces:
        return pieces, scores
    emissions = np.array([[0.0, *map(_log_odds, of_piece)] for of_piece in zip(*evidence, strict=True)])
    emissions[0, 0] = OFF_SCREEN
    posteriors = forward_backward(emissions, _transitions(pieces, 1 + len(mouths)))
    for mouth, of_mouth in enumerate(evidence):
        seen = np.array([found is not None for found in of_mouth])
        scores[mouth, seen] = posteriors[seen, 1 + mouth]
    return pieces, scores


def _log_odds(found: Evidence | None) -> float:
    """Of a mouth, over nobody who is seen."""
    return found.log_odds if found else UNSEEN_MOUTH


def speaking_score(mouth: Mouth, heard: HeardSound, speech: Sequence[SampleSpan]) -> float:
    """How surely a mouth, seen alone, is the voice heard: its surest piece, 0..1; 0 where nobody is heard."""
    _, scores = speaking_scores([mouth], heard, speech)
    return float(np.nanmax(scores)) if np.isfinite(scores).any() else 0.0


def forward_backward(emissions: Floats, transitions: Floats) -> Floats:
    """Posteriors [P, S] of the states of each piece.

    Args:
        emissions: [P, S] log-likelihoods.
        transitions: [P - 1, S, S] log-probabilities from a piece's states to those of the next.
    """
    forward, backward = emissions.copy(), np.zeros_like(emissions)
    for piece in range(1, len(emissions)):
        forward[piece] += logsumexp(forward[piece - 1][:, None] + transitions[piece - 1], axis=0)
    for piece in range(len(emissions) - 2, -1, -1):
        ahead = emissions[piece + 1] + backward[piece + 1]
        backward[piece] = logsumexp(transitions[piece] + ahead, axis=1)
    joint = forward + backward
    return np.asarray(np.exp(joint - logsumexp(joint, axis=1, keepdims=True)))


def _transitions(pieces: Sequence[SampleSpan], num_states: int) -> Floats:
    """[P - 1, S, S] log-probabilities: stay, or change to any other."""
    gaps = np.array([(after[0] - before[1]) / ANALYSIS_RATE_HZ for before, after in pairwise(pieces)])
    change = np.where(gaps >= PAUSE_S, CHANGE_IN_PAUSE, CHANGE)[:, None, None]
    others = max(1, num_states - 1)
    return np.asarray(np.log(np.where(np.eye(num_states, dtype=bool), 1 - change, change / others)))
