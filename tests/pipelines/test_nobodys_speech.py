"""Who is dubbed in a part of the speech alone says so, where nobody else who is seen says the rest."""

from typing import Any

import pyarrow as pa

from pipelines.plan import plan_shots, plan_table
from pipelines.plan_edits import apply_edits
from schemas.shot import PLAN, TRACKED_SHOT
from tests.planned_rows import TICKS_PER_FRAME, shot, spans, track

LINES = spans(((5, 40), (60, 95)))  # of 1.4 s each


def face(index: int, *scores: float, **changes: Any) -> dict[str, Any]:
    pieces = [line | {"score": score} for line, score in zip(LINES, scores, strict=True)]
    return track(index, **{"speech_scores": pieces, "speaking_score": max(scores), **changes})


def planned(*faces: dict[str, Any]) -> pa.Table:
    row = shot(*faces, dub_speech=LINES, original_speech=LINES)
    return plan_shots(pa.Table.from_pylist([row], schema=TRACKED_SHOT))


def told(table: pa.Table) -> list[str | None]:
    words: list[str | None] = plan_table(table)["measured"].to_pylist()
    return words


def test_a_dubbed_face_says_how_much_speech_is_not_painted_and_how_it_is() -> None:
    table = planned(face(0, 0.9, 0.2))
    rows = plan_table(table).to_pylist()

    (words,) = told(table)

    assert (rows[0]["verdict"], rows[0]["reason"]) == ("dub", None)
    assert words is not None
    assert words.startswith("1.4 of 2.8 s of speech while it is seen is not painted: it scores 0.20 there at most")
    assert "dub with the reason by_hand" in words
    by_hand = apply_edits(table, pa.Table.from_pylist([rows[0] | {"reason": "by_hand"}], schema=PLAN))
    assert told(by_hand) == [None]


def test_nothing_is_said_where_all_is_painted_or_another_face_says_the_rest() -> None:
    assert told(planned(face(0, 0.9, 0.8))) == [None]
    assert told(planned(face(0, 0.9, 0.1), face(1, 0.05, 0.9))) == [None, None]


def test_only_what_is_said_while_the_face_is_seen_counts() -> None:
    """It is seen for the first fifth of a second of the second line, which is too little to tell."""
    seen_s = face(0, 0.9, 0.2, end_pts=65 * TICKS_PER_FRAME, num_frames=65)

    assert told(planned(seen_s)) == [None]
