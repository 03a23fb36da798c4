"""Stage 4: the plan. A verdict for every face track of every shot, as a flat table that a person may edit."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from pipelines.cast_list import CastList, by_cast, cast_words, named_by
from pipelines.characters import (
    SheetLine,
    by_lines,
    cued_scores,
    known_actors,
    lines_of_script,
    own_lines,
    sheet_lines,
)
from pipelines.eligibility import Eligibility
from pipelines.nobodys_speech import nobodys_speech
from pipelines.overlaps import Takers, takers_by_lines, takers_by_time, with_takers
from pipelines.paint_spans import num_frames_to_paint, spoken_spans
from pipelines.people import Person, TrackKey, find_people, names_in
from pipelines.people_voices import judged_scores
from pipelines.spoken_lines import SpokenLine
from pipelines.stage import Row
from pipelines.verdict import decide_track, measured, shot_reason
from schemas.reason import Reason, Verdict
from schemas.shot import PLAN, PLANNED_SHOT
from schemas.timing import clock, fraction

NOTHING = "nothing to paint"
MARK_LETTERS = 8  # one shot in 2e11 has the mark of another by chance
FilmKey = tuple[str, str | None, str | None, str | None]  # film_id, cast_uri, lines_uri, script_uri


def plan_shots(
    tracked: pa.Table,
    eligibility: Eligibility | None = None,
    casts: Mapping[str, CastList] | None = None,
    sheets: Mapping[str, Sequence[Row]] | None = None,
    scripts: Mapping[str, Sequence[SpokenLine]] | None = None,
) -> pa.Table:
    """TRACKED_SHOT rows with verdicts: PLANNED_SHOT, same rows in the same order.

    Args:
        tracked: TRACKED_SHOT, whole films: who is who is found over all shots of a film.
        eligibility: the thresholds.
        casts: what the catalog says of the people in a film, by `cast_uri`.
        sheets: LINE rows of cue sheets, by `lines_uri`.
        scripts: lines of dubs that are no cue sheet, by `script_uri`.
    """
    rules, rows = eligibility or Eligibility(), tracked.to_pylist()
    films: dict[FilmKey, dict[int, Row]] = defaultdict(dict)  # in any language
    for row in rows:
        seen = films[_film_key(row)]
        if row["shot_index"] not in seen or not row["picture_lost"]:  # it may be lost in one language alone
            seen[row["shot_index"]] = row
    known = {}
    for key, by_index in films.items():
        shots = list(by_index.values())
        lines = _lines_of(shots[0], sheets or {}, scripts or {})
        known[key] = _known(shots, (casts or {}).get(key[1] or ""), lines, rules)
    planned = [_planned(row, known[_film_key(row)], rules) for row in rows]
    return pa.Table.from_pylist(planned, schema=PLANNED_SHOT)


@dataclass(frozen=True, slots=True)
class _Film:
    """What is known of a film as a whole.

    Attributes:
        people: who each track is.
        scores: how surely each is heard, by mouth, voice and cue sheet.
        cast: what the catalog says of its people.
        lines: of its cue sheet or script.
        actors: who says a character's lines, by shot and character.
        takers: who takes the dub's line where two voices are heard at once, as far as that is written; by shot.
    """

    people: Mapping[TrackKey, Person]
    scores: Mapping[TrackKey, list[Row]]
    cast: CastList | None
    lines: Sequence[SheetLine]
    actors: Mapping[int, Mapping[str, str]]
    takers: Mapping[int, Takers]


def _film_key(row: Row) -> FilmKey:
    return row["film_id"], row["cast_uri"], row["lines_uri"], row["script_uri"]


def _lines_of(
    row: Row, sheets: Mapping[str, Sequence[Row]], scripts: Mapping[str, Sequence[SpokenLine]]
) -> list[SheetLine]:
    """Of the cue sheet that the dub was made of, else of its script."""
    if row["lines_uri"]:
        return sheet_lines(sheets.get(row["lines_uri"], ()), row)
    return lines_of_script(scripts.get(row["script_uri"] or "", ()), row)


def _known(shots: Sequence[Row], cast: CastList | None, lines: Sequence[SheetLine], rules: Eligibility) -> _Film:
    actors: Mapping[int, Mapping[str, str]] = {}
    takers: dict[int, Takers] = {}
    people = find_people(shots, named_by(cast))
    scores = judged_scores(shots, people, rules)
    if lines:
        judged = [_judged(row, scores) for row in shots]
        actors = known_actors(judged, people, lines, rules, named_by(cast))
        scores = cued_scores(judged, people, lines, rules, actors)
        for row in judged:
            index = row["shot_index"]
            takers[index] = takers_by_lines(row, names_in(row, people), actors[index], lines, rules)
    return _Film(people, scores, cast, lines, actors, takers)


def _judged(row: Row, scores: Mapping[TrackKey, list[Row]]) -> Row:
    """The row with its tracks' scores as the voices of the film's people leave them."""
    tracks: list[Row] = []
    for track in row["tracks"]:
        judged = scores.get((row["shot_index"], track["track_index"]), track["speech_scores"])
        if judged != track["speech_scores"]:
            surest = max(piece["score"] for piece in judged)
            track = track | {"speech_scores": judged, "speaking_score": surest}
        tracks.append(track)
    return row | {"tracks": tracks}


def _planned(row: Row, film: _Film, eligibility: Eligibility) -> Row:
    row, verdicts = _judged(row, film.scores), list[Row]()
    written = film.takers.get(row["shot_index"], {})
    row = with_takers(row, takers_by_time(row, film.lines, eligibility) | written)
    for track in row["tracks"]:
        person = film.people.get((row["shot_index"], track["track_index"]))
        decided = by_cast(decide_track(row, track, eligibility), person, film.cast)
        mine = own_lines(film.lines, film.actors.get(row["shot_index"], {}), person)
        verdict, reason = by_lines(decided, spoken_spans(row, track, eligibility), row, mine)
        told = cast_words(person, film.cast) if film.cast and reason is Reason.CAST else None
        facts = {"verdict": verdict, "reason": reason, "person": person.name if person else None, "measured": told}
        verdicts.append({"track_index": track["track_index"], **facts})
    return with_verdicts(row, verdicts)


def with_verdicts(row: Row, verdicts: list[Row]) -> Row:
    """The TRACKED_SHOT or PLANNED_SHOT row with these verdicts, and the reason that the shot has by them."""
    return row | {"verdicts": verdicts, "reason": shot_reason(row, verdicts)}


def plan_table(planned: pa.Table, eligibility: Eligibility | None = None) -> pa.Table:
    """The flat PLAN: one row per face track, and one for each shot without a face."""
    rules = eligibility or Eligibility()
    rows = [line for row in planned.to_pylist() for line in _plan_rows(row, rules)]
    return pa.Table.from_pylist(rows, schema=PLAN)


def _plan_rows(row: Row, eligibility: Eligibility) -> list[Row]:
    time_base = fraction(row["time_base"])
    shot = {name: row[name] for name in ("dub_id", "title", "language", "shot_index")} | {
        "start": clock(row["shot_start_pts"] * time_base),
        "end": clock(row["shot_end_pts"] * time_base),
        "faces": faces_mark(row),
    }
    if not row["tracks"]:
        told = f"no face in {row['shot_num_frames']} frames" if row["reason"] == Reason.NO_FACE else None
        return [shot | {"verdict": Verdict.LEAVE, "reason": row["reason"], "measured": told, "frames_to_paint": 0}]
    decided = {verdict["track_index"]: verdict for verdict in row["verdicts"]}
    return [shot | _track_columns(row, track, decided[track["track_index"]], eligibility) for track in row["tracks"]]


def faces_mark(row: Row) -> str | None:
    """What tells the faces of a shot from those of another look at it: eight letters, None without a face.

    Letters, as a spreadsheet makes numbers of digits. Of frames alone, whose numbers are whole: what was measured of
    a face has other last bits on other machines.

    Args:
        row: TRACKED_SHOT or wider.
    """
    if not row["tracks"]:
        return None
    spans = [(track["track_index"], track["start_pts"], track["end_pts"]) for track in row["tracks"]]
    digest = hashlib.sha256(repr(spans).encode("ascii")).digest()
    return "".join(chr(ord("a") + byte % 26) for byte in digest[:MARK_LETTERS])


def _track_columns(row: Row, track: Row, decided: Row, eligibility: Eligibility) -> Row:
    frames = num_frames_to_paint(row, track, eligibility)
    painted = decided["verdict"] != Verdict.LEAVE
    told = _measured(row, track, decided, eligibility)
    return {
        **decided,
        **{name: track[name] for name in ("speaking_score", "face_height_px", "enlargement")},
        "measured": told if frames or not painted else _nothing(row, track, eligibility),
        "frames_to_paint": frames if painted else 0,
    }


def _measured(row: Row, track: Row, decided: Row, eligibility: Eligibility) -> str | None:
    reason = Reason(decided["reason"]) if decided["reason"] else None
    if reason is Reason.CAST:
        told: str | None = decided["measured"]
        return told
    if decided["verdict"] == Verdict.DUB and reason in (None, Reason.BY_HAND):
        return nobodys_speech(row, track, eligibility)
    return measured(row, track, reason, eligibility)


def _nothing(row: Row, track: Row, eligibility: Eligibility) -> str:
    """Why nothing of a track is painted that a person wants painted."""
    is_heard = bool(spoken_spans(row, track, eligibility))
    return f"{NOTHING}: {'its mouth is hidden wherever it speaks' if is_heard else 'no speech while it is seen'}"
