"""Whose line it is, by the cue sheet: its characters become people of the film. Pure functions.

A character is the person of the cast list who is called so; else whoever is surely heard in its lines elsewhere in
the film. Lines of the shot in question never count, so a wrong guess does not confirm itself. What the sheet says
changes what mouths and voices say by Bayes' rule.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.eligibility import Eligibility
from pipelines.people import Person, TrackKey, people_in
from pipelines.people_voices import reweighed, sure_pieces
from pipelines.stage import Row
from pipelines.verdict import Decision
from pipelines.voices import Piece, scored_pieces
from schemas.line import STEM_RATE_HZ
from schemas.reason import LineFlaw, Reason, Verdict
from schemas.timing import ANALYSIS_RATE_HZ, fraction, pts_to_sample

SAME_LINE, OTHER_LINE = 0.5, 0.25  # shares of a piece: what makes it a character's, and what makes it another's too
MOSTLY = 0.8  # of a character's sure lines that are one person's; two who are mixed up are nobody
CUED = 4.0  # log-likelihood ratio of a line being its character's: one in 55 is said by another, or off screen
UNPLACED = (LineFlaw.BAD_TIME, LineFlaw.AFTER_FILM)
SAMPLES_A_SAMPLE = STEM_RATE_HZ // ANALYSIS_RATE_HZ
CUED_SCORE = 0.5  # at least, of the only one it can be: a mouth that is not seen to move waits for a person


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetLine:
    """A line of a cue sheet in the film.

    Attributes:
        character: who says it; None where the sheet does not say.
        start: first sample at 16 kHz, film time.
        end: first sample after it.
        flaw: what is wrong with it.
    """

    character: str | None
    start: int
    end: int
    flaw: LineFlaw | None


def sheet_lines(lines: Sequence[Row], row: Row) -> list[SheetLine]:
    """The lines that have a place, in order of time.

    Args:
        lines: LINE.
        row: FILM or wider, of their film.
    """
    zero = pts_to_sample(row["start_pts"], fraction(row["time_base"]), ANALYSIS_RATE_HZ)
    ends = [line["end_sample"] or line["heard_end_sample"] for line in lines]
    placed = [
        SheetLine(
            character=line["character"],
            start=zero + line["start_sample"] // SAMPLES_A_SAMPLE,
            end=zero + end // SAMPLES_A_SAMPLE,
            flaw=LineFlaw(line["flaw"]) if line["flaw"] else None,
        )
        for line, end in zip(lines, ends, strict=True)
        if line["flaw"] not in UNPLACED and end is not None
    ]
    return sorted(placed, key=lambda line: (line.start, line.end))


def cued_scores(
    shots: Sequence[Row], people: Mapping[TrackKey, Person], lines: Sequence[SheetLine], eligibility: Eligibility
) -> dict[TrackKey, list[Row]]:
    """SPEECH_SCORE of each track as the cue sheet leaves it.

    Args:
        shots: TRACKED_SHOT, all of one film, with scores by mouth and voice.
        people: who each track is.
        lines: of the film's cue sheet.
        eligibility: when a piece is surely a person's, and how long a character must be heard.

    Returns:
        Of every track. Where the sheet says nothing the scores are as before, to the bit.
    """
    heard = _heard(shots, people, lines, eligibility)
    by_name = {person.name.casefold(): person.name for person in people.values()}
    characters = {line.character for line in lines if line.character}
    named = {who: by_name[who.casefold()] for who in characters if who.casefold() in by_name}
    scores: dict[TrackKey, list[Row]] = {}
    for row in shots:
        index = row["shot_index"]
        names = {track: person.name for track, person in people_in(row, people).items()}
        actors = _actors(heard, index, eligibility.min_voice_s) | named
        changed = _changed(row, names, actors, lines)
        for track in row["tracks"]:
            number = track["track_index"]
            scores[index, number] = [_cued(score, changed, number) for score in track["speech_scores"]]
    return scores


def by_lines(decided: Decision, spoken: Sequence[tuple[int, int]], row: Row, lines: Sequence[SheetLine]) -> Decision:
    """A track's verdict as it is after what became of its lines: one without sound, or too long, waits for a person.

    Args:
        decided: without the cue sheet.
        spoken: pts spans in which the track's mouth should follow its lines.
        row: the shot.
        lines: of the film's cue sheet.
    """
    if decided[0] is not Verdict.DUB:
        return decided
    time_base = fraction(row["time_base"])
    spans = [tuple(pts_to_sample(pts, time_base, ANALYSIS_RATE_HZ) for pts in span) for span in spoken]
    flaws = {
        line.flaw
        for line in lines
        if line.flaw and any(_shared((line.start, line.end), (start, end)) for start, end in spans)
    }
    if flaws - {LineFlaw.TAKE_TOO_LONG}:
        return Verdict.REVIEW, Reason.TAKE_MISSING
    return (Verdict.REVIEW, Reason.TAKE_TOO_LONG) if flaws else decided


def character_of(piece: tuple[int, int], lines: Sequence[SheetLine]) -> str | None:
    """Whose line a piece of the original's speech is; None where the sheet says nothing, or names two."""
    covered: dict[str, float] = defaultdict(float)
    for line in lines:
        if line.character:
            covered[line.character] += _shared(piece, (line.start, line.end)) / (piece[1] - piece[0])
    found = [who for who, share in covered.items() if share >= OTHER_LINE]
    return found[0] if len(found) == 1 and covered[found[0]] >= SAME_LINE else None


def _heard(
    shots: Sequence[Row], people: Mapping[TrackKey, Person], lines: Sequence[SheetLine], eligibility: Eligibility
) -> dict[tuple[str, str, int], float]:
    """Seconds in which a person is surely heard in lines of a character, by character, name and shot."""
    seconds: dict[tuple[str, str, int], float] = defaultdict(float)
    for row in shots:
        index = row["shot_index"]
        for track in row["tracks"]:
            person = people.get((index, track["track_index"]))
            for piece in sure_pieces(row, track, eligibility) if person else ():
                who = character_of((piece.start, piece.end), lines)
                if who and person:
                    seconds[who, person.name, index] += (piece.end - piece.start) / ANALYSIS_RATE_HZ
    return seconds


def _actors(heard: Mapping[tuple[str, str, int], float], shot_index: int, min_s: float) -> dict[str, str]:
    """The name of the person behind each character, as all shots but one tell."""
    totals: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for (who, name, index), seconds in heard.items():
        if index != shot_index:
            totals[who][name] += seconds
    actors = {}
    for who, by_name in totals.items():
        name = max(by_name, key=by_name.__getitem__)
        if by_name[name] >= max(min_s, MOSTLY * sum(by_name.values())):
            actors[who] = name
    return actors


def _changed(
    row: Row, names: Mapping[int, str], actors: Mapping[str, str], lines: Sequence[SheetLine]
) -> dict[int, dict[int, float]]:
    """First sample and new scores of each piece whose speaker the sheet tells."""
    changed: dict[int, dict[int, float]] = {}
    for piece in scored_pieces(row):
        who = character_of((piece.start, piece.end), lines)
        actor = actors.get(who or "")
        if actor is not None and piece.scores:
            changed[piece.start] = _with_actor(piece, names, actor)
    return changed


def _with_actor(piece: Piece, names: Mapping[int, str], actor: str) -> dict[int, float]:
    """The scores of a piece that is a line of the character that somebody plays."""
    seen = {track: names.get(track) for track in piece.scores}
    unknown = -CUED if actor in seen.values() else 0.0  # who is not recognised may be the one
    ratios = {track: CUED if name == actor else -CUED if name else unknown for track, name in seen.items()}
    scores = reweighed(piece.scores, ratios, [])
    return {track: max(score, CUED_SCORE) if seen[track] == actor else score for track, score in scores.items()}


def _cued(score: Row, changed: Mapping[int, Mapping[int, float]], track: int) -> Row:
    new = changed.get(score["start"], {}).get(track)
    if new is None:
        return score
    mouth = score["score"] if score.get("mouth_score") is None else score["mouth_score"]
    return score | {"score": float(np.float32(new)), "mouth_score": mouth}  # as the row holds it


def _shared(one: tuple[int, int], other: tuple[int, int]) -> int:
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))
