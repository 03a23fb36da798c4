"""What a budget pays for: large faces first, each whole or not at all, and nothing is lost."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.plan import plan_shots, plan_table
from pipelines.plan_budget import within_budget
from pipelines.plan_edits import apply_edits
from schemas.reason import Reason, Verdict
from schemas.shot import PLAN, TRACKED_SHOT
from tests.planned_rows import shot, track

FRAMES = 46  # of a track in `planned_rows`: 40 of speech and three on either side


def planned(*heights_px: float) -> pa.Table:
    """Shots of one speaker each."""
    rows = [
        shot(track(face_height_px=height), shot_index=index, num_shots=len(heights_px))
        for index, height in enumerate(heights_px)
    ]
    return plan_shots(pa.Table.from_pylist(rows, schema=TRACKED_SHOT))


@pytest.mark.parametrize(
    ("max_frames", "painted"),
    [
        (4 * FRAMES, [True, True, True]),
        (3 * FRAMES, [True, True, True]),
        (3 * FRAMES - 1, [False, True, True]),
        (FRAMES, [False, True, False]),
        (FRAMES - 1, [False, False, False]),
        (0, [False, False, False]),
    ],
)
def test_large_faces_are_painted_first(max_frames: int, painted: list[bool]) -> None:
    plan = within_budget(plan_table(planned(50.0, 200.0, 100.0)), max_frames)

    assert plan.schema == PLAN
    assert [row["verdict"] == Verdict.DUB for row in plan.to_pylist()] == painted
    left = [row for row in plan.to_pylist() if row["verdict"] != Verdict.DUB]
    assert all((row["reason"], row["frames_to_paint"]) == (Reason.OVER_BUDGET, 0) for row in left)
    assert all(row["measured"].startswith("46 frames to paint, ") for row in left)


@given(st.lists(st.tuples(st.floats(36, 500, width=32), st.integers(0, 90)), max_size=8), st.integers(0, 400))
def test_a_budget_is_kept_and_no_track_that_would_fit_is_left(faces: list[tuple[float, int]], most: int) -> None:
    blank = dict.fromkeys(PLAN.names) | {"dub_id": "d", "title": "t", "language": "de", "start": "", "end": ""}
    rows = [
        blank | {"shot_index": index, "verdict": "dub", "face_height_px": height, "frames_to_paint": frames}
        for index, (height, frames) in enumerate(faces)
    ]

    found = within_budget(pa.Table.from_pylist(rows, schema=PLAN), most).to_pylist()

    spent = sum(row["frames_to_paint"] for row in found)
    assert [row["shot_index"] for row in found] == list(range(len(faces)))
    assert spent <= most
    for row, (height, frames) in zip(found, faces, strict=True):
        if row["reason"] == Reason.OVER_BUDGET:
            larger = sum(other["frames_to_paint"] for other in found if other["face_height_px"] >= height)
            assert frames > most - larger


def test_a_dub_that_follows_the_plan_leaves_what_the_budget_left() -> None:
    shots = planned(50.0, 200.0)

    rows = apply_edits(shots, within_budget(plan_table(shots), FRAMES)).to_pylist()

    assert [row["verdicts"][0]["verdict"] for row in rows] == [Verdict.LEAVE, Verdict.DUB]
    assert [row["reason"] for row in rows] == [Reason.OVER_BUDGET, None]
