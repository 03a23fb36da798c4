"""Speech that is heard while a dubbed face is seen, and is taken for nobody's who is seen: it is not painted."""

from pipelines.eligibility import Eligibility
from pipelines.speech import shared_samples
from pipelines.stage import Row
from pipelines.voices import Piece, own_zones, rivals, scored_pieces
from schemas.timing import ANALYSIS_RATE_HZ, Span, fraction

LEAST_S = 0.5  # less needs no word


def nobodys_speech(row: Row, track: Row, eligibility: Eligibility) -> str | None:
    """How much speech a painted track leaves unpainted though nobody else is heard, in words for people.

    It may be a voice off screen, or the face's own where its mouth is hardly followed. None where it is little.

    Args:
        row: TRACKED_SHOT or wider.
        track: one of its tracks.
        eligibility: from which score on a face may be heard.
    """
    least, others = eligibility.min_doubt_score, rivals(row, track)
    zones = own_zones(row, track, least)
    pieces = [piece for piece in scored_pieces(row) if track["track_index"] in piece.scores]
    lost = [
        piece
        for piece in pieces
        if piece.best_of(others) < least
        and not piece.takes
        and not any(start <= piece.start and piece.end <= end for start, end in zones)
    ]
    lost_s = _seconds(row, track, lost)
    if lost_s < LEAST_S:
        return None
    best = max(piece.scores[track["track_index"]] for piece in lost)
    return (
        f"{lost_s:.1f} of {_seconds(row, track, pieces):.1f} s of speech while it is seen is not painted: it scores "
        f"{best:.2f} there at most, {least:g} is its own; dub with the reason by_hand paints it"
    )


def _seconds(row: Row, track: Row, pieces: list[Piece]) -> float:
    """How much of pieces lies within a track."""
    span = Span(track["start_pts"], track["end_pts"], fraction(row["time_base"]))
    seen = span.to_samples(ANALYSIS_RATE_HZ)
    return sum(shared_samples(seen, (piece.start, piece.end)) for piece in pieces) / ANALYSIS_RATE_HZ
