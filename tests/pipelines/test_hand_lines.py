"""Whom a person has painted gets the lines in which they may be heard, and nobody's only where the person says so."""

from typing import Any

import pyarrow as pa
import pytest

from pipelines.eligibility import Eligibility
from pipelines.paint_spans import spans_to_paint
from pipelines.plan import plan_shots, plan_table
from pipelines.plan_edits import apply_edits
from pipelines.shared_lines import shared_lines
from pipelines.stage import Row
from schemas.shot import PLAN, TRACKED_SHOT
from tests.planned_rows import TICKS_PER_FRAME, shot, spans, track

LINES = spans(((5, 40), (60, 95)))
FIRST, BOTH = [(2, 43)], [(2, 43), (57, 98)]  # frames, with three more at either end


def face(index: int, *scores: float, **changes: Any) -> dict[str, Any]:
    """A track over the whole shot that is heard so surely in each of its two lines."""
    pieces = [line | {"score": score} for line, score in zip(LINES, scores, strict=True)]
    return track(index, speech_scores=pieces, speaking_score=max(scores), **changes)


def planned(*faces: dict[str, Any]) -> pa.Table:
    row = shot(*faces, dub_speech=LINES, original_speech=LINES)
    return plan_shots(pa.Table.from_pylist([row], schema=TRACKED_SHOT))


def edited(table: pa.Table, *decided: tuple[str, str | None]) -> pa.Table:
    rows = plan_table(table).to_pylist()
    edits = [
        row | {"verdict": verdict, "reason": reason} for row, (verdict, reason) in zip(rows, decided, strict=True)
    ]
    return apply_edits(table, pa.Table.from_pylist(edits, schema=PLAN))


def painted(table: pa.Table, index: int = 0) -> list[tuple[int, int]]:
    """Frames of a track of the shot; none where it is left."""
    row: Row = table.to_pylist()[0]
    if row["verdicts"][index]["verdict"] == "leave":
        return []
    spans_ = spans_to_paint(row, row["tracks"][index])
    return [(start // TICKS_PER_FRAME, end // TICKS_PER_FRAME) for start, end in spans_]


TURNED = face(1, 0.05, 0.6, yaw_deg=60.0)


def test_who_stays_as_filmed_is_no_rival_of_whom_a_person_dubs() -> None:
    """The second line may be either's; the other has turned away, and the person keeps that."""
    table = planned(face(0, 0.9, 0.35), TURNED)
    kept = [(row["verdict"], row["reason"]) for row in plan_table(table).to_pylist()]
    assert kept == [("review", "speaker_unsure"), ("leave", "face_turned")]
    assert painted(table) == FIRST

    by_hand = edited(table, ("dub", "speaker_unsure"), ("leave", "face_turned"))

    assert painted(by_hand) == BOTH
    assert plan_table(by_hand)["reason"].to_pylist() == [None, "face_turned"]


def test_a_line_that_is_surely_anothers_stays_theirs() -> None:
    table = planned(face(0, 0.5, 0.2), TURNED)

    assert painted(edited(table, ("dub", None), ("leave", "face_turned"))) == FIRST


def test_no_line_goes_to_two_faces_that_a_person_dubs() -> None:
    table = planned(face(0, 0.9, 0.35), face(1, 0.05, 0.6))
    by_hand = edited(table, ("dub", None), ("dub", None))

    assert painted(by_hand, 0) == FIRST
    assert painted(by_hand, 1) == [(57, 98)]
    assert list(shared_lines(by_hand.to_pylist(), Eligibility())) == []


def test_a_plan_that_nobody_edited_gives_no_line_to_anybody() -> None:
    table = planned(face(0, 0.95, 0.28), TURNED)
    decided = [(row["verdict"], row["reason"]) for row in plan_table(table).to_pylist()]

    assert edited(table, *decided) == table


def test_who_is_left_anyway_is_put_aside_where_a_person_writes_by_hand() -> None:
    """The plan dubs the one and leaves the other already: no verdict is changed."""
    rules = face(0, 0.9, 0.1), face(1, 0.05, 0.6, yaw_deg=60.0)
    by_hand = edited(planned(*rules), ("dub", "by_hand"), ("leave", "by_hand"))

    assert painted(by_hand) == BOTH
    assert plan_table(by_hand)["reason"].to_pylist() == ["by_hand", "by_hand"]
    assert painted(edited(planned(*rules), ("dub", "by_hand"), ("leave", "face_turned"))) == FIRST


@pytest.mark.parametrize(("reason", "frames"), [("by_hand", BOTH), (None, FIRST)])
def test_speech_of_nobody_who_is_seen_is_painted_where_a_person_writes_by_hand(
    reason: str | None, frames: list[tuple[int, int]]
) -> None:
    table = planned(face(0, 0.9, 0.2))
    assert painted(table) == FIRST

    assert painted(edited(table, ("dub", reason))) == frames


@pytest.mark.parametrize("score", [0.2, 0.35])  # the plan dubs, or waits for a person
@pytest.mark.parametrize("verdict", ["dub", "review"])
def test_the_plan_that_is_written_of_what_a_person_decided_decides_the_same(score: float, verdict: str) -> None:
    table = planned(face(0, 0.9, score))
    by_hand = edited(table, (verdict, "by_hand"))
    assert painted(by_hand) == BOTH

    again = apply_edits(table, plan_table(by_hand))

    assert again == by_hand
    assert painted(again) == BOTH
    assert again.to_pylist()[0]["reason"] is None  # of the shot, which is painted


@pytest.mark.parametrize("reason", ["by hand", "by-hand", "By_Hand", " BY\u2013HAND "])
def test_by_hand_is_understood_however_a_person_writes_it(reason: str) -> None:
    table = planned(face(0, 0.9, 0.2))

    assert edited(table, ("dub", reason)) == edited(table, ("dub", "by_hand"))


def test_a_reason_that_there_is_not_is_named_and_not_passed_over() -> None:
    with pytest.raises(ValueError, match=r"row 1 .*reason must be by_hand, empty or as it was .*got 'by hnd'"):
        edited(planned(face(0, 0.9, 0.2)), ("dub", "by hnd"))
