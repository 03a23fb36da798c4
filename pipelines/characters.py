"""Whose line it is, by cue sheet or script: its characters become people of the film. Pure functions.

A character is the person of the cast list who is called so; else whoever is surely heard in its lines elsewhere in
the film. Lines of the shot in question never count, so a wrong guess does not confirm itself. What the sheet says
changes what mouths and voices say by Bayes' rule.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.eligibility import Eligibility
from pipelines.people import Person, TrackKey, names_in
from pipelines.people_voices import reweighed, sure_pieces
from pipelines.speech import join_near, shared_samples
from pipelines.spoken_lines import SpokenLine
from pipelines.stage import Row
from pipelines.verdict import Decision
from pipelines.voices import scored_pieces
from schemas.line import STEM_RATE_HZ
from schemas.reason import LineFlaw, Reason, Verdict
from schemas.timing import ANALYSIS_RATE_HZ, fraction, pts_to_sample

SAME_LINE, OTHER_LINE = 0.5, 0.25  # shares of a piece: what makes it a character's, and what makes it another's too
MOSTLY = 0.8  # of a character's sure lines that are one person's; two who are mixed up are nobody
CUED = 4.0  # log-likelihood ratio of a line being its character's rather than another face's: one in 55 is not
WAITS = 0.5  # of a face about which sheet and picture disagree
BEYOND_DOUBT = 0.25  # s of a line without sound: less is the margin of the line beside it
NOMINAL_S = 2  # of a line without an end
HEARD_FLAWS = {LineFlaw.TAKE_TOO_LONG, LineFlaw.OPPOSED_CHANNELS}  # their lines have a sound
UNNAMED = ""  # a line of nobody in particular
SAMPLES_A_SAMPLE = STEM_RATE_HZ // ANALYSIS_RATE_HZ


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetLine:
    """A line of a cue sheet or script in the film.

    Attributes:
        character: who says it, in small letters; empty where the sheet does not say.
        start: first sample at 16 kHz, film time.
        end: first sample after it.
        flaw: what is wrong with it.
    """

    character: str
    start: int
    end: int
    flaw: LineFlaw | None


def sheet_lines(lines: Sequence[Row], row: Row) -> list[SheetLine]:
    """The lines that have a start, in order of time; one without an end is as long as it is heard, or two seconds.

    Args:
        lines: LINE.
        row: FILM or wider, of their film.
    """
    zero = pts_to_sample(row["start_pts"], fraction(row["time_base"]), ANALYSIS_RATE_HZ)
    placed = []
    for line in lines:
        if line["start_sample"] is not None and line["flaw"] != LineFlaw.AFTER_FILM:
            end = line["end_sample"] or line["heard_end_sample"] or line["start_sample"] + NOMINAL_S * STEM_RATE_HZ
            start, end = (zero + at // SAMPLES_A_SAMPLE for at in (line["start_sample"], end))
            who, flaw = (line["character"] or UNNAMED).casefold(), line["flaw"]
            placed.append(SheetLine(character=who, start=start, end=end, flaw=LineFlaw(flaw) if flaw else None))
    return sorted(placed, key=lambda line: (line.start, line.end))


def lines_of_script(lines: Sequence[SpokenLine], row: Row) -> list[SheetLine]:
    """The lines of a script that have a place, in order of time. Nothing is wrong with their sound: it is no take.

    Args:
        lines: as `spoken_lines` reads them.
        row: FILM or wider, of their film.
    """
    zero = pts_to_sample(row["start_pts"], fraction(row["time_base"]), ANALYSIS_RATE_HZ)
    placed = [
        SheetLine(
            character=(line.character or UNNAMED).casefold(), start=zero + line.start, end=zero + line.end, flaw=None
        )
        for line in lines
        if not line.doubt
    ]
    return sorted(placed, key=lambda line: (line.start, line.end))


def known_actors(
    shots: Sequence[Row],
    people: Mapping[TrackKey, Person],
    lines: Sequence[SheetLine],
    eligibility: Eligibility,
    cast_names: Iterable[str],
) -> dict[int, dict[str, str]]:
    """The name of the person behind each character, for each shot as the cast list and all other shots tell.

    Args:
        shots: TRACKED_SHOT, all of one film, with scores by mouth and voice.
        people: who each track is.
        lines: of the film's cue sheet or script.
        eligibility: when a piece is surely a person's, and how long a character must be heard.
        cast_names: of the cast list: a character of one of these names is that person.
    """
    heard = _heard(shots, people, lines, eligibility)
    characters = {line.character for line in lines}
    named = {name.casefold(): name for name in cast_names if name.casefold() in characters}
    return {
        row["shot_index"]: _actors_elsewhere(heard, row["shot_index"], eligibility.min_voice_s) | named
        for row in shots
    }


def cued_scores(
    shots: Sequence[Row],
    people: Mapping[TrackKey, Person],
    lines: Sequence[SheetLine],
    eligibility: Eligibility,
    actors: Mapping[int, Mapping[str, str]],
) -> dict[TrackKey, list[Row]]:
    """SPEECH_SCORE of each track as the cue sheet leaves it.

    Args:
        shots: TRACKED_SHOT, all of one film, with scores by mouth and voice.
        people: who each track is.
        lines: of the film's cue sheet or script.
        eligibility: what a sure and a doubtful score are.
        actors: of `known_actors`.

    Returns:
        Of every track. Where the sheet says nothing the scores are as before, to the bit.
    """
    scores: dict[TrackKey, list[Row]] = {}
    for row in shots:
        changed = _changed(row, names_in(row, people), actors[row["shot_index"]], lines, eligibility)
        for track in row["tracks"]:
            number = track["track_index"]
            scores[row["shot_index"], number] = [_cued(score, changed, number) for score in track["speech_scores"]]
    return scores


def own_lines(lines: Sequence[SheetLine], actors: Mapping[str, str], person: Person | None) -> list[SheetLine]:
    """The lines that may be a track's: all but those of characters whom somebody else is known to play."""
    mine = person.name if person else None
    return [line for line in lines if actors.get(line.character, mine) in (mine, None) or mine is None]


def by_lines(decided: Decision, spoken: Sequence[tuple[int, int]], row: Row, lines: Sequence[SheetLine]) -> Decision:
    """A track's verdict as it is after what became of its lines: one without sound, or too long, waits for a person.

    Args:
        decided: without the cue sheet.
        spoken: pts spans in which the track's mouth should follow its lines.
        row: the shot.
        lines: of the film's cue sheet or script.
    """
    if decided[0] is not Verdict.DUB:
        return decided
    time_base = fraction(row["time_base"])
    spans = [tuple(pts_to_sample(pts, time_base, ANALYSIS_RATE_HZ) for pts in span) for span in spoken]
    flaws = {
        line.flaw
        for line in lines
        if line.flaw
        and sum(shared_samples((line.start, line.end), (start, end)) for start, end in spans)
        >= min(BEYOND_DOUBT * ANALYSIS_RATE_HZ, (line.end - line.start) / 2)
    }
    if flaws - HEARD_FLAWS:
        return Verdict.REVIEW, Reason.TAKE_MISSING
    return (Verdict.REVIEW, Reason.TAKE_TOO_LONG) if LineFlaw.TAKE_TOO_LONG in flaws else decided


def character_of(piece: tuple[int, int], lines: Sequence[SheetLine]) -> str | None:
    """Whose line a piece of the original's speech is; None where the sheet says nothing, or names two."""
    found = characters_of(piece, lines)
    is_one = len(found) == 1 and found[0] != UNNAMED and found == characters_of(piece, lines, SAME_LINE)
    return found[0] if is_one else None


def characters_of(piece: tuple[int, int], lines: Sequence[SheetLine], least: float = OTHER_LINE) -> list[str]:
    """The characters who have lines in a piece of the original's speech, none twice; "" is nobody in particular.

    Args:
        piece: first sample, and first after it.
        lines: of the sheet.
        least: the share of the piece that a character's lines cover at least.
    """
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for line in lines:
        if shared_samples(piece, (line.start, line.end)):
            spans[line.character].append((line.start, line.end))
    covered = {who: sum(shared_samples(piece, span) for span in join_near(parts, 1)) for who, parts in spans.items()}
    return [who for who, samples in covered.items() if samples >= least * (piece[1] - piece[0])]


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


def _actors_elsewhere(heard: Mapping[tuple[str, str, int], float], shot_index: int, min_s: float) -> dict[str, str]:
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
    row: Row,
    names: Mapping[int, str],
    actors: Mapping[str, str],
    lines: Sequence[SheetLine],
    eligibility: Eligibility,
) -> dict[int, dict[int, float]]:
    """First sample and new scores of each piece whose speaker the sheet tells."""
    changed: dict[int, dict[int, float]] = {}
    for piece in scored_pieces(row):
        who = character_of((piece.start, piece.end), lines)
        actor = actors.get(who or UNNAMED)
        if actor is not None and piece.scores:
            changed[piece.start] = with_actor(piece.scores, names, actor, eligibility)
    return changed


def with_actor(
    scores: Mapping[int, float], names: Mapping[int, str], actor: str, eligibility: Eligibility
) -> dict[int, float]:
    """The scores of a piece that is a line of the character that somebody plays.

    Where the sheet speaks against a mouth that surely follows the sound, or for one that does not, a person is asked:
    sheets are wrong at times, people think aloud with their mouths shut, and one person may be taken for two.

    Args:
        scores: by track, before.
        names: of the tracks that are recognised.
        actor: the name of whoever plays the character.
        eligibility: what a sure and a doubtful score are.
    """
    seen = {track: names.get(track) for track in scores}
    is_seen = actor in seen.values()
    others = {track for track, name in seen.items() if name != actor and (name or is_seen)}
    # Of two who are seen the character's is likelier by CUED; beside nobody, half of that is for it.
    ratios = {track: -CUED / (2 if is_seen else 1) if track in others else 0.0 for track in scores}
    ratios |= {track: CUED / 2 for track, name in seen.items() if name == actor}
    new = reweighed(scores, ratios, [])
    contradicted = {track for track in others if scores[track] >= eligibility.min_speaking_score}
    doubtful = {track for track, name in seen.items() if name == actor and scores[track] < eligibility.min_doubt_score}
    asked = contradicted | (doubtful if not contradicted else {track for track in seen if seen[track] == actor})
    return new | dict.fromkeys(asked, WAITS)


def _cued(score: Row, changed: Mapping[int, Mapping[int, float]], track: int) -> Row:
    new = changed.get(score["start"], {}).get(track)
    if new is None:
        return score
    mouth = score["score"] if score.get("mouth_score") is None else score["mouth_score"]
    return score | {"score": float(np.float32(new)), "mouth_score": mouth}  # as the row holds it
