"""Whose each piece of the original's speech is: a seen face's, nobody's who is seen, or undecided.

Pure functions of the pieces' scores (`pipelines.who_speaks`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from pipelines.speaking import speech_pieces
from pipelines.speech import SampleSpan, shared_samples
from pipelines.stage import Row
from schemas.reason import Reason, Verdict

MIN_OVERLAP = 0.25  # share of a piece; a word of agreement thrown in is less

Zone = tuple[float, float]  # half-open, in samples at 16 kHz; endless at the ends of a shot


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the original's speech.

    Attributes:
        start: first sample.
        end: first sample after it.
        scores: how surely each track that is seen there is heard, by track index.
        overlapped: whether two voices are heard at once in a good part of it.
        takes: whether the dub's line there is a track's, where two are heard at once and something tells.
    """

    start: int
    end: int
    scores: dict[int, float]
    overlapped: bool
    takes: dict[int, bool]

    def best_of(self, tracks: Collection[int]) -> float:
        """The best score of some tracks; -1 where none of them is seen."""
        return max((score for index, score in self.scores.items() if index in tracks), default=-1.0)


def scored_pieces(row: Row) -> list[Piece]:
    """All pieces of a shot's speech, in order.

    Args:
        row: TRACKED_SHOT.
    """
    spans = speech_pieces([(span["start"], span["end"]) for span in row["original_speech"]])
    found: dict[SampleSpan, dict[int, float]] = {span: {} for span in spans}
    takes: dict[SampleSpan, dict[int, bool]] = {span: {} for span in spans}
    for track in row["tracks"]:
        for piece in track["speech_scores"]:
            span, index = (piece["start"], piece["end"]), track["track_index"]
            found[span][index] = piece["score"]
            if piece.get("takes_line") is not None:
                takes[span][index] = piece["takes_line"]
    overlaps = [(span["start"], span["end"]) for span in row["original_overlap"]]
    return [
        Piece(*span, scores, _shared(span, overlaps) >= MIN_OVERLAP, takes[span]) for span, scores in found.items()
    ]


def rivals(row: Row, track: Row) -> set[int]:
    """The tracks that are on screen together with one, and that no person has put aside."""
    aside = {
        decided["track_index"]
        for decided in row.get("verdicts") or ()
        if (decided["verdict"], decided["reason"]) == (Verdict.LEAVE, Reason.BY_HAND)
    }
    return {
        other["track_index"]
        for other in row["tracks"]
        if other["track_index"] not in {track["track_index"], *aside}
        and other["start_pts"] < track["end_pts"]
        and track["start_pts"] < other["end_pts"]
    }


def own_zones(row: Row, track: Row, min_score: float) -> list[Zone]:
    """When a line of the dub is a track's: each moment belongs to whoever is heard in the nearest piece.

    So a line that is longer than the original's goes to the face whose line it replaces, and never to two. Where two
    voices are heard at once it goes to the one that takes it (`pipelines.overlaps`), else to the likeliest. A track
    that is heard in pieces that are another's only may be painted there; one that is heard in none, wherever no other
    is: a person has asked for it.

    Args:
        row: TRACKED_SHOT or wider.
        track: one of its tracks.
        min_score: a track may be heard in a piece from this score on.

    Returns:
        Half-open spans in samples, in order, apart from each other.
    """
    pieces, others, index = scored_pieces(row), rivals(row, track), track["track_index"]
    scores = [piece.scores.get(index, -1.0) for piece in pieces]
    heard = [score >= min_score for score in scores]
    surest = [
        piece.takes.get(index, score >= max(min_score, piece.best_of(others)))
        for score, piece in zip(scores, pieces, strict=True)
    ]
    free = [piece.best_of(others) < min_score for piece in pieces]
    mine = next((places for places in (surest, heard, free) if any(places)), [])
    if not mine:
        return [(-inf, inf)]
    changes = [place for place in range(1, len(pieces)) if mine[place] != mine[place - 1]]
    edges = [-inf, *((pieces[place - 1].end + pieces[place].start) / 2 for place in changes), inf]
    return [zone for zone, place in zip(pairwise(edges), [0, *changes], strict=True) if mine[place]]


def _shared(piece: SampleSpan, spans: list[SampleSpan]) -> float:
    """The share of a piece that spans cover; they lie apart from each other."""
    return sum(shared_samples(piece, span) for span in spans) / (piece[1] - piece[0])
