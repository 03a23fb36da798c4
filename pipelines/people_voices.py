"""Whose line a piece of speech is, judged by what each person of the film sounds like elsewhere. Pure functions.

A mouth that chews may follow a voice by chance, but a person has one voice over the whole film. It is learnt from
pieces that are surely a person's, and a piece is judged by those of other shots only: a wrong line does not confirm
itself. The likeness of voices becomes a log-likelihood ratio by a logistic fit (Bruemmer and du Preez,
"Application-independent evaluation of speaker detection" (2006)), and changes the posterior of the mouths by Bayes'
rule.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipelines.eligibility import Eligibility
from pipelines.people import Person, TrackKey, people_in
from pipelines.stage import Row
from pipelines.voices import Piece, rivals, scored_pieces
from schemas.timing import ANALYSIS_RATE_HZ

Floats = NDArray[np.float64]

# A logistic fit's slope, and the likenesses that say nothing: of real voices it is the lower one, the upper one of a
# synthesiser's, which are more alike. `benchmarks.voice_likeness` fits them.
DECIDING, HALF_LIKENESS = 30.0, (0.66, 0.72)
WRONG_LINE = 0.05  # of the lines that mouths are sure of; where all of a person's are wrong, its voice is not known
KNOWN_UNSEEN = 0.5  # of the voices of nobody who is seen, so many are somebody's whom the film shows elsewhere


@dataclass(frozen=True, slots=True)
class KnownLine:
    """What a person surely says in a shot.

    Attributes:
        person: its number in the film.
        shot_index: where it is heard.
        length_s: of all pieces.
        voice: [256] the mean of their descriptors, which are of length 1.
    """

    person: int
    shot_index: int
    length_s: float
    voice: Floats


def judged_scores(
    shots: Sequence[Row], people: Mapping[TrackKey, Person], eligibility: Eligibility
) -> dict[TrackKey, list[Row]]:
    """SPEECH_SCORE of each track, its mouth's score and the voice of its person weighed together.

    Args:
        shots: TRACKED_SHOT, all of one film, as the mouths alone say.
        people: who each track is.
        eligibility: when a piece teaches a voice, how long it must be known, and how much it may say.

    Returns:
        Of every track. Where no voice says anything the scores are the mouths', to the bit.
    """
    lines = known_lines(shots, people, eligibility)
    judged: dict[TrackKey, list[Row]] = {}
    for row in shots:
        index = row["shot_index"]
        numbers = {track: person.number for track, person in people_in(row, people).items()}
        elsewhere = lines_elsewhere(lines, index, eligibility.min_voice_s)
        changed = dict(_changed_pieces(row, numbers, elsewhere, eligibility))
        for track in row["tracks"]:
            judged[index, track["track_index"]] = [_judged(score, track, changed) for score in track["speech_scores"]]
    return judged


def _judged(score: Row, track: Row, changed: Mapping[int, Mapping[int, float]]) -> Row:
    new = changed.get(score["start"], {}).get(track["track_index"])
    # As the row holds it, so that whoever reads the row later decides as the plan did.
    return score if new is None else score | {"score": float(np.float32(new)), "mouth_score": score["score"]}


def known_lines(shots: Sequence[Row], people: Mapping[TrackKey, Person], eligibility: Eligibility) -> list[KnownLine]:
    """What each person surely says, shot by shot; arguments as of `judged_scores`."""
    said: dict[tuple[int, int], list[tuple[float, Floats]]] = defaultdict(list)
    for row in shots:
        described, index = _descriptors(row, eligibility), row["shot_index"]
        for track in row["tracks"]:
            person = people.get((index, track["track_index"]))
            if person and described:
                said[person.number, index] += [
                    ((piece.end - piece.start) / ANALYSIS_RATE_HZ, described[piece.start])
                    for piece in sure_pieces(row, track, eligibility)
                    if piece.start in described
                ]
    return [
        KnownLine(*key, sum(length for length, _ in pieces), np.mean([voice for _, voice in pieces], 0))
        for key, pieces in said.items()
        if pieces
    ]


def sure_pieces(row: Row, track: Row, eligibility: Eligibility) -> Iterator[Piece]:
    """The pieces that are surely a track's own.

    Args:
        row: TRACKED_SHOT or wider.
        track: one of its tracks.
        eligibility: from which score on, and below which nobody else is heard.
    """
    others = rivals(row, track)
    for piece in scored_pieces(row):
        is_alone = piece.best_of(others) < eligibility.min_doubt_score
        if is_alone and piece.scores.get(track["track_index"], -1.0) >= eligibility.min_voice_score:
            yield piece


def lines_elsewhere(lines: Sequence[KnownLine], shot_index: int, min_length_s: float) -> dict[int, list[KnownLine]]:
    """The lines of each person in all shots but one; of those who are heard long enough there."""
    found: dict[int, list[KnownLine]] = defaultdict(list)
    for line in lines:
        if line.shot_index != shot_index:
            found[line.person].append(line)
    return {one: said for one, said in found.items() if sum(line.length_s for line in said) >= min_length_s}


def _changed_pieces(
    row: Row, numbers: Mapping[int, int], known: Mapping[int, Sequence[KnownLine]], eligibility: Eligibility
) -> Iterator[tuple[int, dict[int, float]]]:
    """First sample and new scores of each piece in which somebody is seen whose voice is known."""
    described, doubt = _descriptors(row, eligibility), eligibility.max_voice_doubt
    for piece in scored_pieces(row):
        seen = {numbers[track] for track in piece.scores if track in numbers}
        if doubt and piece.start in described and known.keys() & seen:
            ratios = {who: voice_odds(said, described[piece.start], doubt) for who, said in known.items()}
            mine = {who: min(ratio, eligibility.max_voice_trust) for who, ratio in ratios.items()}
            own = {track: mine.get(numbers.get(track, -1), 0.0) for track in piece.scores}
            yield piece.start, reweighed(piece.scores, own, [ratios[who] for who in ratios if who not in seen])


def voice_odds(said: Sequence[KnownLine], voice: Floats, most: float) -> float:
    """Log-likelihood ratio of a voice being a person's, over its being anybody's.

    The person may sound as in any of its lines, the longer the likelier: so one that is wrongly thought its own, with
    another's voice, does not make the right ones look wrong. Where two lines contradict each other and there is no
    third, both are doubted, and neither is ruled out.

    Args:
        said: by the person, elsewhere.
        voice: [256] of length 1.
        most: bound of each line's ratio, either way: who shouts or whispers is not to be recognised.
    """
    likeness = np.array([line.voice @ voice for line in said])
    telling = likeness - np.clip(likeness, *HALF_LIKENESS)
    ratios = np.exp(np.clip(DECIDING * telling, -most, most))
    all_wrong = WRONG_LINE ** len(said)
    return float(np.log(all_wrong + (1 - all_wrong) * np.average(ratios, weights=[line.length_s for line in said])))


def reweighed(scores: Mapping[int, float], own: Mapping[int, float], unseen: Sequence[float]) -> dict[int, float]:
    """Posteriors of the tracks after the voice was heard: Bayes' rule.

    That the voice is nobody's whom the film shows elsewhere makes nobody likelier who is seen; that it is, makes the
    seen unlikelier.

    Args:
        scores: posteriors of the tracks before; what they lack of 1 is that nobody who is seen speaks.
        own: log-likelihood ratio of the voice being each track's; 0 where that is not known.
        unseen: of its being each of the people whose voice is known and who are not seen.
    """
    somebody = float(np.mean(np.exp(unseen))) if unseen else 1.0
    nobody = max(0.0, 1 - sum(scores.values())) * max(1.0, 1 + KNOWN_UNSEEN * (somebody - 1))
    weights = {track: score * float(np.exp(own[track])) for track, score in scores.items()}
    whole = nobody + sum(weights.values())
    return {track: weight / whole if whole else 0.0 for track, weight in weights.items()}


def _descriptors(row: Row, eligibility: Eligibility) -> dict[int, Floats]:
    """By the first sample of the piece; of pieces long enough to tell, and of one voice."""
    blended = _blended(scored_pieces(row), eligibility.min_doubt_score)
    return {
        voice["start"]: np.asarray(voice["descriptor"], np.float64)
        for voice in row["original_voices"]
        if voice["descriptor"] and voice["start"] not in blended
    }


def _blended(pieces: Sequence[Piece], min_score: float) -> set[int]:
    """First samples of pieces that may hold two voices, which together are like neither.

    Those with two at once, and those beside which, without a pause, another face is likelier to be heard.
    """
    found = {piece.start for piece in pieces if piece.overlapped}
    for before, after in pairwise(pieces):
        faces = {max(piece.scores, key=piece.scores.__getitem__, default=-1) for piece in (before, after)}
        is_change = len(faces) == 2 and all(
            max(piece.scores.values(), default=0.0) >= min_score for piece in (before, after)
        )
        if is_change and before.end == after.start:
            found |= {before.start, after.start}
    return found
