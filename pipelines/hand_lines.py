"""Which lines become a face's because a person has it painted. Pure functions of the pieces' scores."""

from collections.abc import Collection
from dataclasses import dataclass

from pipelines.eligibility import Eligibility
from pipelines.stage import Row
from pipelines.voices import Piece, rivals, scored_pieces
from schemas.reason import Verdict


@dataclass(frozen=True, slots=True)
class Asked:
    """The tracks of a shot that a person has painted, by track index.

    Attributes:
        heard: in the lines in which they may be heard.
        whole: in the speech that is nobody's who is seen, too.
    """

    heard: Collection[int]
    whole: Collection[int]


def with_hand_lines(row: Row, asked: Asked, eligibility: Eligibility) -> Row:
    """The shot with the lines that are a face's by a person's word.

    Faces that stay as filmed are no rivals of one that a person has painted: where it may be heard, and no painted
    face more surely, the line is its. What nobody's mouth who is seen seems to say is its where the person says so.
    What a cue sheet, a script or the dub gives to another stays the other's.

    Args:
        row: PLANNED_SHOT with the person's verdicts.
        asked: whom the person has painted.
        eligibility: from which score on a face may be heard.
    """
    pieces = {piece.start: piece for piece in scored_pieces(row)}
    tracks = [_given(row, track, asked, pieces, eligibility.min_doubt_score) for track in row["tracks"]]
    return row | {"tracks": tracks}


def _given(row: Row, track: Row, asked: Asked, pieces: dict[int, Piece], least: float) -> Row:
    index = track["track_index"]
    if index not in {*asked.heard, *asked.whole}:
        return track
    seen = rivals(row, track)
    painted = {one["track_index"] for one in row["verdicts"] if one["verdict"] != Verdict.LEAVE} & seen
    scores = []
    for score in track["speech_scores"]:
        piece = pieces[score["start"]]
        is_heard = score["score"] >= max(least, piece.best_of(painted))
        is_free = index in asked.whole and piece.best_of(seen) < least
        is_its = (is_heard or is_free) and not piece.takes
        scores.append(score | {"takes_line": True} if is_its else score)
    return track | {"speech_scores": scores}
