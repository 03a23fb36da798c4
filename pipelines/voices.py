"""Whose each piece of the original's speech is: a seen face's, nobody's who is seen, or undecided.

Pure functions of the pieces' scores (`pipelines.who_speaks`).
"""

from dataclasses import dataclass
from itertools import pairwise
from math import inf

from pipelines.speaking import SampleSpan, speech_pieces
from pipelines.stage import Row

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
    """

    start: int
    end: int
    scores: dict[int, float]
    overlapped: bool

    def rival_score(self, track_index: int) -> float:
        """The best score of another face; -1 without one."""
        return max((score for index, score in self.scores.items() if index != track_index), default=-1.0)

    def owner(self, min_score: float) -> int | None:
        """The track that is surest to be heard; None where that is less than `min_score`."""
        surest = max(self.scores, key=lambda index: (self.scores[index], -index), default=None)
        return surest if surest is not None and self.scores[surest] >= min_score else None


def scored_pieces(row: Row) -> list[Piece]:
    """All pieces of a shot's speech, in order.

    Args:
        row: TRACKED_SHOT.
    """
    spans = speech_pieces([(span["start"], span["end"]) for span in row["original_speech"]])
    found: dict[SampleSpan, dict[int, float]] = {span: {} for span in spans}
    for track in row["tracks"]:
        for piece in track["speech_scores"]:
            found[piece["start"], piece["end"]][track["track_index"]] = piece["score"]
    overlaps = [(span["start"], span["end"]) for span in row["original_overlap"]]
    return [Piece(*span, scores, _shared(span, overlaps) >= MIN_OVERLAP) for span, scores in found.items()]


def _shared(piece: SampleSpan, spans: list[SampleSpan]) -> float:
    """The share of a piece that spans cover; they lie apart from each other."""
    covered = sum(max(0, min(piece[1], end) - max(piece[0], start)) for start, end in spans)
    return covered / (piece[1] - piece[0])


def own_zones(row: Row, track_index: int, min_score: float) -> list[Zone]:
    """When a line of the dub is a track's: each moment belongs to whoever is heard in the nearest piece.

    So a line that is longer than the original's goes to the face whose line it replaces, and never to two. A track
    that is heard nowhere may be painted anywhere: a person has asked for it.

    Args:
        row: TRACKED_SHOT.
        track_index: of one of its tracks.
        min_score: a track is heard in a piece from this score on.

    Returns:
        Half-open spans in samples, in order, apart from each other.
    """
    pieces = scored_pieces(row)
    owners = [piece.owner(min_score) for piece in pieces]
    if track_index not in owners:
        return [(-inf, inf)]
    changes = [place for place in range(1, len(pieces)) if owners[place] != owners[place - 1]]
    edges = [-inf, *((pieces[place - 1].end + pieces[place].start) / 2 for place in changes), inf]
    firsts = [0, *changes]
    return [zone for zone, first in zip(pairwise(edges), firsts, strict=True) if owners[first] == track_index]
