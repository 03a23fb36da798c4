"""Whose the dub's line is where two speak at once, in films whose people, speech and lines are made up."""

from typing import Any

import pyarrow as pa
import pytest

from pipelines.eligibility import Eligibility
from pipelines.paint_spans import spans_to_paint
from pipelines.plan import plan_shots, plan_table
from pipelines.plan_edits import apply_edits
from pipelines.shared_lines import shared_lines
from pipelines.speaking import speech_pieces
from pipelines.stage import Row
from schemas.shot import PLAN, TRACKED_SHOT
from tests.pipelines.test_characters import (
    ANA,
    BEN,
    DUB,
    LINES,
    LISTENS,
    SHEET,
    SURE,
    UNSURE,
    decided,
    face,
    film,
    line,
    said,
)
from tests.planned_rows import TICKS_PER_FRAME, shot, spans, track

BOTH_AT_ONCE = spans(((0, 400),))


def at_once(*tracks: Row, **changes: Any) -> Row:
    """A shot in which two voices are heard at once wherever somebody speaks."""
    return said(*tracks, original_overlap=BOTH_AT_ONCE, **changes)


@pytest.mark.parametrize(("ana", "ben"), [(0.5, 0.45), (0.31, 0.65), (0.4, 0.58), (0.35, 0.9)])
def test_the_line_goes_to_the_character_of_the_sheet_and_not_to_the_other_who_speaks(ana: float, ben: float) -> None:
    """However much louder the other speaks."""
    both = at_once(face(0, ANA, ana), face(1, BEN, ben))

    assert decided(film(*SURE, both), LINES)[2][0] == UNSURE
    assert decided(film(*SURE, both), [*LINES, line(2, "ANA")])[2] == [DUB, LISTENS]
    assert decided(film(*SURE, both), [*LINES, line(2, "BEN")])[2] == [LISTENS, DUB]


def test_where_both_have_a_line_a_person_is_asked() -> None:
    both = at_once(face(0, ANA, 0.5), face(1, BEN, 0.45))
    assert decided(film(*SURE, both), [*LINES, line(2, "ANA"), line(2, "BEN")])[2] == [UNSURE, UNSURE]


def test_a_line_of_a_character_whom_nobody_is_known_to_play_goes_to_nobody_unasked() -> None:
    both = at_once(face(0, ANA, 0.5), face(1, BEN, 0.45))
    assert decided(film(*SURE, both), [*LINES, line(2, "CARL")])[2] == [UNSURE, UNSURE]


def test_who_speaks_along_with_somebody_off_screen_keeps_their_own_lines_alone() -> None:
    along = at_once(face(0, ANA, 0.9))

    assert decided(film(*SURE, along), LINES)[2] == [UNSURE]
    assert decided(film(*SURE, along), [*LINES, line(2, "ANA")])[2] == [DUB]
    assert decided(film(*SURE, along), [*LINES, line(2, "BEN")])[2] == [LISTENS]


def test_a_face_that_is_not_recognised_may_be_the_one_whose_line_it_is() -> None:
    along = at_once(face(0, None, 0.9))
    assert decided(film(*SURE, along), [*LINES, line(2, "BEN")])[2] == [UNSURE]


def test_a_mouth_that_rests_in_its_own_line_waits_for_a_person() -> None:
    still = at_once(face(0, ANA, 0.05), face(1, BEN, 0.9))
    assert decided(film(*SURE, still), [*LINES, line(2, "ANA")])[2][0] == UNSURE


# Frames: the first speaks from 4 to 67, the second from 36 to 99, so both from 36 to 67: the second of three pieces.
TALK_OVER = spans(((4, 99),))
MOUTHS = (0.97, 0.5, 0.01), (0.01, 0.48, 0.97)  # how surely each is heard in each


def talk_over(*dub: tuple[int, int], both: tuple[int, int] = (36, 67)) -> Row:
    """One who speaks, and another who falls in with them and goes on; where the dub speaks, and both, in frames."""
    pieces = speech_pieces([(TALK_OVER[0]["start"], TALK_OVER[0]["end"])])
    tracks = [
        track(
            index,
            speech_scores=[
                {"start": start, "end": end, "score": score}
                for (start, end), score in zip(pieces, scores, strict=True)
            ],
        )
        for index, scores in enumerate(MOUTHS)
    ]
    return shot(*tracks, original_speech=TALK_OVER, original_overlap=spans((both,)), dub_speech=spans(dub))


def planned(row: Row) -> Row:
    return plan_shots(pa.Table.from_pylist([row | {"lines_uri": None}], schema=TRACKED_SHOT)).to_pylist()[0]


def frames(row: Row) -> list[list[tuple[int, int]]]:
    """Where each track is painted, in frames."""
    return [
        [(start // TICKS_PER_FRAME, end // TICKS_PER_FRAME) for start, end in spans_to_paint(row, one)]
        for one in row["tracks"]
    ]


def verdicts(row: Row) -> list[tuple[str, str | None]]:
    return [(one["verdict"], one["reason"]) for one in row["verdicts"]]


def test_a_line_of_the_dub_that_goes_on_over_ones_own_speech_stays_ones_own() -> None:
    """Its first line reaches to where the second speaks alone. Only their margins of three frames meet at 67."""
    row = planned(talk_over((4, 62), (75, 99)))

    assert verdicts(row) == [DUB, DUB]
    assert frames(row) == [[(1, 70)], [(64, 100)]]


def test_a_line_of_the_dub_that_begins_where_the_other_falls_in_is_the_others() -> None:
    row = planned(talk_over((4, 25), (38, 99)))

    assert verdicts(row) == [DUB, DUB]
    assert frames(row) == [[(1, 38)], [(32, 100)]]


@pytest.mark.parametrize("dub", [((4, 99),), ((4, 50), (58, 99)), (), ((38, 60),)])
def test_a_dub_that_does_not_tell_leaves_it_to_a_person(dub: tuple[tuple[int, int], ...]) -> None:
    """One line over both, two that both reach into it, none, or one that replaces only what both say."""
    assert UNSURE in verdicts(planned(talk_over(*dub)))


@pytest.mark.parametrize(("both", "told"), [((36, 78), False), ((36, 95), True)])
def test_who_ends_alone_where_mouths_are_not_told_apart_may_be_the_other_one(
    both: tuple[int, int], told: bool
) -> None:
    """The last piece is of two voices, too, but in its last 21 (4) frames one is heard alone: it is not known who."""
    verdict = verdicts(planned(talk_over((4, 99), both=both)))[0]

    assert verdict == (DUB if told else UNSURE)


def test_the_plan_says_why_somebody_who_speaks_is_left() -> None:
    both = at_once(face(0, ANA, 0.5), face(1, BEN, 0.45))
    rows = pa.Table.from_pylist(film(*SURE, both), schema=TRACKED_SHOT)
    told = plan_table(plan_shots(rows, None, {}, {SHEET: [*LINES, line(2, "ANA")]})).to_pylist()[3]["measured"]

    assert "the dub's line is another's" in told


def test_two_mouths_move_to_one_line_only_where_a_person_asks_for_both_and_is_told() -> None:
    """The plan leaves the one who listens; somebody sets both to dub, who then share two seconds of the dub."""
    row = shot(track(0, speaking_score=0.95), track(1, speaking_score=0.1), original_speech=spans(((20, 60),)))
    table = plan_shots(pa.Table.from_pylist([row], schema=TRACKED_SHOT))
    edits = plan_table(table).to_pylist()
    assert [edit["verdict"] for edit in edits] == ["dub", "leave"]
    edited = apply_edits(table, pa.Table.from_pylist([edit | {"verdict": "dub"} for edit in edits], schema=PLAN))

    (told,) = shared_lines(edited.to_pylist(), Eligibility())

    assert list(shared_lines(table.to_pylist(), Eligibility())) == []
    assert "shot 0 at 00:00:00.000: faces 0 and 1 both move to one line of the dub for 1.6 s" in told
    assert list(shared_lines([planned(talk_over((4, 62), (75, 99)))], Eligibility())) == []
