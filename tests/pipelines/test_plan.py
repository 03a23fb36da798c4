"""The plan holds every track, and a person's edits are followed or refused as a whole."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipelines.cast_list import CastList
from pipelines.plan import plan_shots, plan_table
from pipelines.plan_edits import apply_edits
from schemas.reason import Reason, Verdict
from schemas.shot import PLAN, PLANNED_SHOT, TRACKED_SHOT
from schemas.timing import same_time
from tests.planned_rows import TICKS_PER_FRAME, shot, track


@pytest.fixture
def planned() -> pa.Table:
    """A speaker, a speaker beside a listener, and nobody."""
    end = 100 * TICKS_PER_FRAME
    rows = [
        shot(track(), num_shots=3),
        shot(track(0, speaking_score=0.2), track(1), num_shots=3, shot_index=1),
        shot(num_shots=3, shot_index=2, shot_end_pts=end),
    ]
    return plan_shots(pa.Table.from_pylist(rows, schema=TRACKED_SHOT))


def edited(plan: pa.Table, row: int, **changes: Any) -> pa.Table:
    lines = plan.to_pylist()
    lines[row] |= changes
    return pa.Table.from_pylist(lines, schema=PLAN)


def test_every_shot_keeps_its_row_and_every_track_has_a_verdict(planned: pa.Table) -> None:
    assert planned.schema == PLANNED_SHOT
    assert planned["shot_index"].to_pylist() == [0, 1, 2]
    assert [[v["verdict"] for v in row["verdicts"]] for row in planned.to_pylist()] == [["dub"], ["leave", "dub"], []]
    assert planned["reason"].to_pylist() == [None, None, "no_face"]


def test_the_table_has_a_row_for_each_track_and_each_shot_without_one(planned: pa.Table) -> None:
    plan = plan_table(planned)

    assert plan.schema == PLAN
    columns = ("shot_index", "track_index", "verdict", "reason", "frames_to_paint")
    assert [tuple(line[name] for name in columns) for line in plan.to_pylist()] == [
        (0, 0, "dub", None, 46),  # 40 frames of speech and three on either side
        (1, 0, "leave", "not_speaking", 0),
        (1, 1, "dub", None, 46),
        (2, None, "leave", "no_face", 0),
    ]
    assert plan["end"].to_pylist()[0] == "00:00:04.000"
    assert plan["measured"].to_pylist()[3] == "no face in 100 frames"


@pytest.mark.parametrize("lost_first", [True, False])
def test_a_shot_that_is_lost_in_one_language_is_planned_in_the_other(lost_first: bool) -> None:
    there = shot(track(0), language="fr", dub_id="e" * 64)
    lost = shot(picture_lost=True)
    rows = [lost, there] if lost_first else [there, lost]

    plan = plan_table(plan_shots(pa.Table.from_pylist(rows, schema=TRACKED_SHOT))).to_pylist()

    assert {line["language"]: line["verdict"] for line in plan} == {"fr": "dub", "es": "leave"}


def test_a_plan_that_nobody_edited_changes_nothing(planned: pa.Table) -> None:
    assert apply_edits(planned, plan_table(planned)) == planned
    assert apply_edits(planned, plan_table(planned).slice(0, 0)) == planned


def test_who_wants_a_mouth_painted_that_was_taken_for_hidden_gets_it() -> None:
    covers = [
        {"start_pts": 0, "end_pts": 100 * TICKS_PER_FRAME, "kind": "thing"},
        {"start_pts": 30 * TICKS_PER_FRAME, "end_pts": 36 * TICKS_PER_FRAME, "kind": "face"},  # never painted on
    ]
    hidden = plan_shots(pa.Table.from_pylist([shot(track(covers=covers))], schema=TRACKED_SHOT))
    row = plan_table(hidden).to_pylist()[0]
    assert (row["verdict"], row["reason"]) == (Verdict.LEAVE, Reason.MOUTH_HIDDEN)

    dubbed = apply_edits(hidden, edited(plan_table(hidden), 0, verdict="dub"))

    assert plan_table(dubbed)["frames_to_paint"].to_pylist() == [40]  # 40 of speech, three before and after, less six


def silent() -> dict[str, Any]:
    return shot(track(), dub_speech=[], original_speech=[])


def passed_in_front() -> dict[str, Any]:
    """Another face is before the mouth all the while: nobody can have that painted."""
    return shot(track(covers=[{"start_pts": 0, "end_pts": 100 * TICKS_PER_FRAME, "kind": "face"}]))


@pytest.mark.parametrize(
    ("row", "why"),
    [(silent(), "no speech while it is seen"), (passed_in_front(), "its mouth is hidden wherever it speaks")],
    ids=["silent", "hidden"],
)
def test_a_person_who_wants_painted_what_cannot_be_is_told_why(row: dict[str, Any], why: str) -> None:
    table = plan_shots(pa.Table.from_pylist([row], schema=TRACKED_SHOT))

    (line,) = plan_table(apply_edits(table, edited(plan_table(table), 0, verdict="dub"))).to_pylist()

    assert (line["verdict"], line["frames_to_paint"]) == ("dub", 0)
    assert line["measured"] == f"nothing to paint: {why}"


def test_a_person_may_leave_and_may_dub(planned: pa.Table) -> None:
    plan = edited(edited(plan_table(planned), 0, verdict="leave"), 1, verdict="dub")

    rows = apply_edits(planned, plan).to_pylist()

    assert rows[0]["verdicts"] == [
        {"track_index": 0, "verdict": Verdict.LEAVE, "reason": Reason.BY_HAND, "person": None, "measured": None}
    ]
    assert rows[0]["reason"] == Reason.BY_HAND
    assert rows[1]["verdicts"][0] == {
        "track_index": 0,
        "verdict": Verdict.DUB,
        "reason": None,
        "person": None,
        "measured": None,
    }
    assert rows[2]["reason"] == Reason.NO_FACE


def test_a_plan_of_other_cuts_is_refused(planned: pa.Table) -> None:
    plan = edited(plan_table(planned), 0, start="00:00:01.000")

    with pytest.raises(ValueError, match=r"row 1 .* starts at 00:00:0\d.000, not 00:00:01.000.* plan anew"):
        apply_edits(planned, plan)


def found_otherwise() -> pa.Table:
    """The shots of `planned`, in the first two of which a passer-by is found first, so that faces are counted on."""
    passer_by = track(0, num_frames=12, end_pts=12 * TICKS_PER_FRAME, speaking_score=0.02)
    rows = [
        shot(passer_by, track(1), num_shots=3),
        shot(passer_by, track(1, speaking_score=0.2), track(2), num_shots=3, shot_index=1),
        shot(num_shots=3, shot_index=2),
    ]
    return plan_shots(pa.Table.from_pylist(rows, schema=TRACKED_SHOT))


def test_a_plan_of_other_faces_is_refused_row_by_row(planned: pa.Table) -> None:
    """Its rows name tracks by numbers that are other people's now."""
    with pytest.raises(ValueError, match="faces are others than those of the plan") as refusal:
        apply_edits(found_otherwise(), plan_table(planned))

    assert [f"row {number} " in str(refusal.value) for number in (1, 2, 3, 4)] == [True, True, True, False]


def test_a_plan_without_the_mark_of_faces_is_followed_by_their_numbers(planned: pa.Table) -> None:
    """As plans of versions before, and rows that a person has typed."""
    plan = edited(edited(plan_table(planned), 0, verdict="leave", faces=None), 1, faces=" ")

    assert apply_edits(planned, plan)["reason"].to_pylist()[0] == Reason.BY_HAND


def test_the_mark_of_faces_knows_frames_alone(planned: pa.Table) -> None:
    """What is measured of a face has other last bits elsewhere; another last frame is another track."""
    rows = [
        shot(track(face_height_px=120.00001)),
        shot(track(end_pts=99 * TICKS_PER_FRAME)),
    ]
    marks = plan_table(plan_shots(pa.Table.from_pylist(rows, schema=TRACKED_SHOT)))["faces"].to_pylist()
    mark = plan_table(planned)["faces"].to_pylist()[0]

    assert marks[0] == mark
    assert marks[1] != mark
    assert mark.isalpha()


@pytest.mark.parametrize(
    ("written", "wanted", "same"),
    [
        ("00:00:04.000", "00:00:04.000", True),
        ("0:00:04", "00:00:04.040", True),
        ("00:04.0", "01:00:04.040", True),  # a spreadsheet that shows minutes and seconds
        ("59:59.9", "00:59:59.960", True),
        ("00:00,0", "01:00:00.040", True),
        ("1:00:04", "00:00:04.000", False),
        ("00:04.2", "00:00:04.000", False),
        (None, "00:00:04.000", True),
        ("Tuesday", "00:00:04.000", True),
    ],
)
def test_times_are_read_as_spreadsheets_leave_them(written: str | None, wanted: str, same: bool) -> None:
    assert same_time(written, wanted) == same


def test_who_is_protected_stays_so_by_whatever_else_they_were_left() -> None:
    """Ana listens; an editor who wants her painted is told why not."""
    ana = np.eye(128)[0]
    row = shot(track(0, speaking_score=0.0, descriptor=list(ana))) | {"cast_uri": "cast.csv"}
    cast = CastList(descriptors={"Ana": np.array([ana])}, verdicts={"Ana": Verdict.LEAVE})
    table = plan_shots(pa.Table.from_pylist([row], schema=TRACKED_SHOT), casts={"cast.csv": cast})
    (line,) = plan_table(table).to_pylist()
    assert (line["verdict"], line["reason"]) == (Verdict.LEAVE, Reason.CAST)

    with pytest.raises(ValueError, match="the catalog's cast list leaves Ana as filmed"):
        apply_edits(table, edited(plan_table(table), 0, verdict="dub"))


def test_all_edits_that_cannot_be_followed_are_listed_at_once(planned: pa.Table) -> None:
    plan = plan_table(planned)
    wrong = pa.concat_tables(
        [
            edited(plan, 0, verdict="maybe").slice(0, 1),
            edited(plan, 1, shot_index=9).slice(1, 1),
            plan.slice(2, 1),
            plan.slice(2, 1),
            edited(plan, 3, verdict="dub").slice(3, 1),
        ]
    )

    with pytest.raises(ValueError, match="cannot be followed") as refusal:
        apply_edits(planned, wrong)

    text = str(refusal.value)
    for part in ("row 1", "'maybe'", "row 2", "no such row", "row 4", "twice", "row 5", "no face"):
        assert part in text
    assert "row 3" not in text
