"""Whose the dub's line is where two voices of the original are heard at once. Pure functions.

Mouths cannot tell it: both move. The line goes to the track whose original line it replaces: that of the character
who says it by cue sheet or script; where nothing is written, that over whose own speech the same line of the dub goes
on. Where two are named, or nobody, a person is asked.
"""

from collections.abc import Iterator, Mapping, Sequence

from pipelines.characters import SheetLine, characters_of
from pipelines.eligibility import Eligibility
from pipelines.speaking import MIN_JUDGED_S, SHORT_PAUSE_S
from pipelines.speech import SampleSpan, join_near, shared_samples
from pipelines.stage import Row
from pipelines.voices import Piece, scored_pieces
from schemas.timing import ANALYSIS_RATE_HZ

MOSTLY = 0.8  # of what a line of the dub replaces that is one track's
TOUCHED = 0.25  # share of a piece; of a line that covers less, a word is heard there
Takers = dict[int, int | None]  # by the first sample of a piece: a track, or None for nobody who is seen


def takers_by_lines(
    row: Row,
    names: Mapping[int, str],
    actors: Mapping[str, str],
    lines: Sequence[SheetLine],
    eligibility: Eligibility,
) -> Takers:
    """Who takes the dub's line in each piece of two voices, as far as the cue sheet or script tells.

    Args:
        row: TRACKED_SHOT, with scores by mouth and voice.
        names: of the tracks that are recognised.
        actors: the name of whoever plays each character.
        lines: of the film's cue sheet or script.
        eligibility: from which score on a mouth may be the one.
    """
    found: Takers = {}
    for piece in _of_two_voices(row):
        actor = _only_actor(characters_of((piece.start, piece.end), lines), actors)
        if actor is None:
            continue
        taker = next((track for track in sorted(piece.scores) if names.get(track) == actor), None)
        if taker is None and all(track in names for track in piece.scores):
            found[piece.start] = None
        elif taker is not None and piece.scores[taker] >= eligibility.min_doubt_score:
            found[piece.start] = taker
    return found


def takers_by_time(row: Row, lines: Sequence[SheetLine], eligibility: Eligibility) -> Takers:
    """The same where nothing is written of who speaks, as far as the lines of the dub tell.

    Args:
        row: TRACKED_SHOT, with the scores that the plan decides by.
        lines: of the film's cue sheet or script: where it names characters, it alone tells.
        eligibility: what a sure and a doubtful score are.
    """
    spoken = sorted((span["start"], span["end"]) for span in row["dub_speech"])
    dubbed = join_near(spoken, round(SHORT_PAUSE_S * ANALYSIS_RATE_HZ))
    found: Takers = {}
    for piece in _of_two_voices(row):
        heard = [line for line in dubbed if shared_samples((piece.start, piece.end), line) >= TOUCHED * _length(piece)]
        taker = _goes_on_over(row, heard[0], eligibility) if len(heard) == 1 else None
        is_written = any(characters_of((piece.start, piece.end), lines))
        if taker is not None and not is_written and piece.scores.get(taker, -1.0) >= eligibility.min_doubt_score:
            found[piece.start] = taker
    return found


def with_takers(row: Row, takers: Takers) -> Row:
    """The row whose SPEECH_SCORE say of each track whether it takes the dub's line."""
    if not takers:
        return row
    tracks = [
        track
        | {
            "speech_scores": [
                score | {"takes_line": takers[score["start"]] == track["track_index"]}
                if score["start"] in takers
                else score
                for score in track["speech_scores"]
            ]
        }
        for track in row["tracks"]
    ]
    return row | {"tracks": tracks}


def _of_two_voices(row: Row) -> Iterator[Piece]:
    """The pieces in which two are heard at once and a face is seen."""
    return (piece for piece in scored_pieces(row) if piece.overlapped and piece.scores)


def _only_actor(characters: Sequence[str], actors: Mapping[str, str]) -> str | None:
    return actors.get(characters[0]) if len(characters) == 1 else None


def _goes_on_over(row: Row, line: SampleSpan, eligibility: Eligibility) -> int | None:
    """The track that is surely heard alone over nearly all that a line of the dub replaces beside two voices.

    What one is heard to say alone in a piece that two voices touch is nobody's: who ends later may be the other one.
    """
    heard: dict[int, int] = {}
    for piece in scored_pieces(row):
        track = _sure_track(piece, eligibility)
        if track is not None:
            heard[track] = heard.get(track, 0) + shared_samples((piece.start, piece.end), line)
    longest = max(heard, key=heard.__getitem__, default=None)
    enough = max(MIN_JUDGED_S * ANALYSIS_RATE_HZ, MOSTLY * max(sum(heard.values()), _said_alone(row, line)))
    return longest if longest is not None and heard[longest] >= enough else None


def _said_alone(row: Row, line: SampleSpan) -> int:
    """Samples of a line of the dub in which one voice of the original is heard, not two."""
    spoken, both = (
        [(span["start"], span["end"]) for span in row[name]] for name in ("original_speech", "original_overlap")
    )
    parts = [(max(span[0], line[0]), min(span[1], line[1])) for span in spoken if shared_samples(span, line)]
    return sum(end - start - sum(shared_samples((start, end), span) for span in both) for start, end in parts)


def _sure_track(piece: Piece, eligibility: Eligibility) -> int | None:
    """The one that is surely heard in a piece, and nobody beside it."""
    sure = [track for track, score in piece.scores.items() if score >= eligibility.min_speaking_score]
    doubtful = [track for track, score in piece.scores.items() if score >= eligibility.min_doubt_score]
    return sure[0] if sure and sure == doubtful and not piece.overlapped else None


def _length(piece: Piece) -> int:
    return piece.end - piece.start
