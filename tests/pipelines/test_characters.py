"""Whose line it is by the cue sheet, in films whose people and lines are made up."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipelines.cast_list import CastList
from pipelines.characters import UNNAMED, SheetLine, by_lines, character_of, lines_of_script, sheet_lines, with_actor
from pipelines.eligibility import Eligibility
from pipelines.plan import plan_shots
from pipelines.spoken_lines import SpokenLine
from pipelines.stage import Row
from schemas.line import LINE, STEM_RATE_HZ
from schemas.reason import LineDoubt, LineFlaw, Reason, Verdict
from schemas.shot import TRACKED_SHOT
from tests.planned_rows import TICKS_PER_FRAME, shot, spans, track

ANA, BEN = 0, 1
SPEECH = spans(((10, 90),))  # frames of a shot of 100: three pieces
SECOND = STEM_RATE_HZ
SHEET, SCRIPT = "lines", "script"


def face(index: int, person: int | None, score: float) -> Row:
    who = np.zeros(128)
    if person is not None:
        who[person] = 1.0
    return track(index, speaking_score=score, descriptor=[] if person is None else list(who))


def said(*tracks: Row, **changes: Any) -> Row:
    """A shot in which somebody speaks nearly all the time."""
    changes = {"original_speech": SPEECH, "lines_uri": SHEET} | changes
    return shot(*tracks, **changes)


def film(*shots: Row) -> list[Row]:
    """The shots one after another: four seconds each, as `line` counts them."""
    return [moved(row, place) for place, row in enumerate(shots)]


def moved(row: Row, place: int) -> Row:
    """The shot as the so-manieth of its film; samples and pts as if time went on from shot to shot."""
    samples, pts = place * 4 * 16_000, place * 100 * TICKS_PER_FRAME
    heard = [{name: at + samples for name, at in span.items()} for span in row["original_speech"]]
    tracks = [
        one
        | {name: one[name] + pts for name in ("start_pts", "end_pts")}
        | {
            "speech_scores": [
                piece | {"start": piece["start"] + samples, "end": piece["end"] + samples}
                for piece in one["speech_scores"]
            ]
        }
        for one in row["tracks"]
    ]
    times = {name: row[name] + pts for name in ("shot_start_pts", "shot_end_pts")}
    return row | times | {"shot_index": place, "original_speech": heard, "dub_speech": heard, "tracks": tracks}


def line(place: int, character: str | None, flaw: LineFlaw | None = None) -> Row:
    """The whole of what is said in a shot."""
    start = place * 4 * SECOND
    row = dict.fromkeys(LINE.names) | {"line_id": str(place), "character": character, "flaw": flaw}
    return row | {"start_sample": start + SECOND // 4, "end_sample": start + 15 * SECOND // 4}


def decided(shots: list[Row], lines: list[Row], cast: CastList | None = None) -> list[list[tuple[str, str | None]]]:
    casts = {"cast": cast} if cast else {}
    rows = [row | {"cast_uri": "cast" if cast else None} for row in shots]
    planned = plan_shots(pa.Table.from_pylist(rows, schema=TRACKED_SHOT), None, casts, {SHEET: lines}).to_pylist()
    return [[(one["verdict"], one["reason"]) for one in row["verdicts"]] for row in planned]


SURE = [said(face(0, ANA, 0.97)), said(face(0, BEN, 0.97))]
LINES = [line(0, "ANA"), line(1, "BEN")]
UNSURE = (Verdict.REVIEW, Reason.SPEAKER_UNSURE)
LISTENS = (Verdict.LEAVE, Reason.NOT_SPEAKING)
DUB = (Verdict.DUB, None)


def test_who_is_heard_in_a_characters_lines_elsewhere_is_dubbed_in_a_doubtful_one() -> None:
    doubtful = said(face(0, ANA, 0.5), face(1, BEN, 0.45))

    assert decided(film(*SURE, doubtful), [*LINES, line(2, "ANA")])[2] == [DUB, LISTENS]
    assert decided(film(*SURE, doubtful), [*LINES, line(2, "BEN")])[2] == [LISTENS, DUB]
    assert decided(film(*SURE, doubtful), [*LINES, line(2, None)])[2] == [UNSURE, UNSURE]
    assert decided(film(*SURE, doubtful), LINES)[2] == [UNSURE, UNSURE]


def test_a_line_of_somebody_who_is_not_seen_is_painted_on_nobody() -> None:
    chews = said(face(0, ANA, 0.65))

    assert decided(film(*SURE, chews), LINES)[2] == [UNSURE]
    assert decided(film(*SURE, chews), [*LINES, line(2, "BEN")])[2] == [LISTENS]


def test_where_the_sheet_contradicts_a_sure_mouth_a_person_is_asked() -> None:
    alone, beside = said(face(0, ANA, 0.95)), said(face(0, ANA, 0.97), face(1, BEN, 0.005))

    assert decided(film(*SURE, alone), [*LINES, line(2, "ANA")])[2] == [DUB]
    assert decided(film(*SURE, alone), [*LINES, line(2, "BEN")])[2] == [UNSURE]
    assert decided(film(*SURE, beside), [*LINES, line(2, "BEN")])[2] == [UNSURE, UNSURE]


@pytest.mark.parametrize("score", [0.0, 0.05, 0.1, 0.29])
def test_a_mouth_that_does_not_move_in_its_own_line_waits_for_a_person(score: float) -> None:
    """Its mouth may not be followed, or somebody thinks aloud."""
    still = said(face(0, ANA, score))

    assert decided(film(*SURE, still), LINES)[2] == [LISTENS]
    assert decided(film(*SURE, still), [*LINES, line(2, "ANA")])[2] == [UNSURE]


def test_sheet_and_picture_are_weighed_once() -> None:
    """Of two who are seen the character's is 55 times as likely as before, no more."""
    new = with_actor({0: 0.32, 1: 0.5}, {0: "Ana", 1: "Ben"}, "Ana", Eligibility())
    assert new[0] / new[1] == pytest.approx(0.32 / 0.5 * np.exp(4), rel=1e-6)


def test_letters_of_any_size_are_the_same_character() -> None:
    doubtful = said(face(0, ANA, 0.5), face(1, BEN, 0.45))
    assert decided(film(*SURE, doubtful), [line(0, "Ana"), line(1, "BEN"), line(2, "ANA")])[2] == [DUB, LISTENS]


def test_a_character_called_like_somebody_without_a_name_is_not_that_person() -> None:
    shots = film(said(face(0, ANA, 0.5), face(1, BEN, 0.45)))
    assert decided(shots, [line(0, "person 1")])[0] == [UNSURE, UNSURE]


def test_a_face_that_cannot_be_recognised_may_be_the_one_unless_the_one_is_seen() -> None:
    unknown = said(face(0, None, 0.9))
    beside = said(face(0, ANA, 0.5), face(1, None, 0.45))

    assert decided(film(*SURE, unknown), [*LINES, line(2, "ANA")])[2] == [DUB]
    assert decided(film(*SURE, beside), [*LINES, line(2, "ANA")])[2] == [DUB, LISTENS]


def test_a_wrong_line_does_not_confirm_itself() -> None:
    """Ben seems to say what is Ana's, once: nothing else tells who Ana is."""
    shots = film(said(face(0, BEN, 0.97)), said(face(0, ANA, 0.5), face(1, BEN, 0.45)))

    assert decided(shots, [line(0, "ANA")])[0] == [DUB]
    assert decided(shots, [line(0, "BEN"), line(1, "ANA")])[1] == [UNSURE, UNSURE]


def test_two_who_are_heard_in_one_characters_lines_are_nobody() -> None:
    shots = film(*SURE, said(face(0, ANA, 0.5), face(1, BEN, 0.45)))

    assert decided(shots, [line(0, "ANA"), line(1, "ANA"), line(2, "ANA")])[2] == [UNSURE, UNSURE]


def test_a_name_of_the_cast_list_tells_who_a_character_is() -> None:
    picture = np.zeros((1, 128))
    picture[0, ANA] = 1.0
    cast = CastList(descriptors={"Ana": picture}, verdicts={})

    assert decided(film(said(face(0, ANA, 0.5), face(1, BEN, 0.45))), [line(0, "ANA")], cast)[0] == [DUB, LISTENS]


def test_other_films_and_dubs_without_a_sheet_are_planned_as_before() -> None:
    rows = film(*SURE, said(face(0, ANA, 0.5), face(1, BEN, 0.45)))
    plain = [row | {"lines_uri": None} for row in rows]
    assert decided(plain, [*LINES, line(2, "ANA")]) == decided(rows, [])


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        (LineFlaw.MISSING_TAKE, Reason.TAKE_MISSING),
        (LineFlaw.UNREADABLE_TAKE, Reason.TAKE_MISSING),
        (LineFlaw.SILENT_TAKE, Reason.TAKE_MISSING),
        (LineFlaw.TAKE_TOO_LONG, Reason.TAKE_TOO_LONG),
    ],
)
def test_whose_line_has_a_flaw_waits_for_a_person_and_nobody_else(flaw: LineFlaw, reason: Reason) -> None:
    lines = [line(0, "ANA", flaw), line(1, "BEN")]

    assert decided(film(*SURE), lines) == [[(Verdict.REVIEW, reason)], [DUB]]
    endless = [{**lines[0], "end_sample": None}, lines[1]]
    assert decided(film(*SURE), endless) == [[(Verdict.REVIEW, reason)], [DUB]]


def test_a_line_that_is_heard_by_one_of_two_opposed_channels_holds_nobody_up() -> None:
    assert decided(film(*SURE), [line(0, "ANA", LineFlaw.OPPOSED_CHANNELS), line(1, "BEN")]) == [[DUB], [DUB]]


def test_a_flawed_line_of_somebody_else_or_in_the_margin_beside_holds_nobody_up() -> None:
    again = film(*SURE, said(face(0, ANA, 0.97)))
    bens = {**line(2, "BEN", LineFlaw.SILENT_TAKE), "start_sample": 11 * SECOND}
    after = line(1, None, LineFlaw.SILENT_TAKE) | {
        "start_sample": 4 * SECOND - 19_200,
        "end_sample": 4 * SECOND + 9_600,
    }

    assert decided(again, [*LINES, line(2, "ANA"), bens])[2] == [DUB]
    assert decided(again, [*LINES, after])[0] == [DUB]


def test_what_is_left_for_another_reason_stays_left() -> None:
    lines = [SheetLine(character=UNNAMED, start=0, end=64_000, flaw=LineFlaw.SILENT_TAKE)]
    row = film(SURE[0])[0]
    assert by_lines(LISTENS, [(0, 100 * TICKS_PER_FRAME)], row, lines) == LISTENS
    assert by_lines(DUB, [(0, 0)], row, lines) == DUB


def test_a_piece_is_a_characters_when_most_of_it_is_and_no_other_speaks_in_it() -> None:
    ends = {"ana": 600, "ben": 240, UNNAMED: 1000}
    ana, ben, nobody = (SheetLine(character=who, start=0, end=end, flaw=None) for who, end in ends.items())

    assert character_of((0, 1000), [ana]) == "ana"
    assert character_of((0, 1300), [ana]) is None
    assert character_of((0, 1300), [ana, ana]) is None
    assert character_of((0, 1000), [ana, ben]) == "ana"
    assert character_of((0, 900), [ana, ben]) is None
    assert character_of((0, 1000), [ana, nobody]) is None


def script_line(place: int, character: str | None, doubt: LineDoubt | None = None) -> SpokenLine:
    """The whole of what is said in a shot, by a script; a line that has no place lies at 0."""
    start, end = (place * 4 * 16_000 + at for at in (4_000, 60_000))
    span = {"start": 0, "end": 0} if doubt else {"start": start, "end": end}
    return SpokenLine(line_index=place, line_id=str(place), character=character, text=None, doubt=doubt, **span)


def decided_by_script(shots: list[Row], script: list[SpokenLine]) -> list[list[tuple[str, str | None]]]:
    rows = [row | {"lines_uri": None, "script_uri": SCRIPT} for row in shots]
    planned = plan_shots(pa.Table.from_pylist(rows, schema=TRACKED_SHOT), scripts={SCRIPT: script}).to_pylist()
    return [[(one["verdict"], one["reason"]) for one in row["verdicts"]] for row in planned]


def test_the_characters_of_a_script_tell_who_speaks_as_those_of_a_sheet_do() -> None:
    shots = film(*SURE, said(face(0, ANA, 0.6), face(1, BEN, 0.4)))
    lines = [("Ana", 0), ("BEN", 1), ("Ana", 2)]

    by_sheet = decided(shots, [line(place, who) for who, place in lines])
    by_script = decided_by_script(shots, [script_line(place, who) for who, place in lines])

    assert by_script == by_sheet
    assert by_script[2] == [DUB, LISTENS]


def test_a_script_without_characters_or_places_tells_nothing() -> None:
    shots = film(*SURE, said(face(0, ANA, 0.6), face(1, BEN, 0.4)))
    nothing = decided_by_script(shots, [])

    assert nothing[2] == [UNSURE, UNSURE]
    assert decided_by_script(shots, [script_line(place, None) for place in range(3)]) == nothing
    doubted = [script_line(place, "Ana", LineDoubt.BAD_TIME) for place in range(3)]
    assert decided_by_script(shots, doubted) == nothing


def test_lines_of_a_script_lie_in_film_time() -> None:
    late = said(face(0, ANA, 1.0), start_pts=25 * TICKS_PER_FRAME)

    found = lines_of_script([script_line(1, "Ben"), script_line(0, None)], late)

    assert [(one.character, one.start, one.end, one.flaw) for one in found] == [
        (UNNAMED, 20_000, 76_000, None),
        ("ben", 84_000, 140_000, None),
    ]


def test_lines_lie_in_film_time_and_those_without_a_place_are_left_out() -> None:
    nothing = dict.fromkeys(LINE.names)
    rows = [
        nothing | {"line_id": "1", "start_sample": 3 * SECOND, "end_sample": None, "heard_end_sample": 4 * SECOND},
        nothing | {"line_id": "2", "start_sample": SECOND, "end_sample": 2 * SECOND, "flaw": "missing_take"},
        nothing | {"line_id": "3", "flaw": "bad_time"},
        nothing | {"line_id": "4", "start_sample": 5 * SECOND, "flaw": "bad_time"},
        nothing | {"line_id": "5", "start_sample": 99 * SECOND, "flaw": "after_film"},
    ]

    found = sheet_lines(rows, said(face(0, ANA, 1.0), start_pts=25 * TICKS_PER_FRAME))

    assert [(one.start, one.end, one.flaw) for one in found] == [
        (32_000, 48_000, LineFlaw.MISSING_TAKE),
        (64_000, 80_000, None),
        (96_000, 128_000, LineFlaw.BAD_TIME),
    ]
