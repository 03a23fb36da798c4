"""What people read of the gate: each try with its figures, and which shots were held back."""

from typing import Any

from jobs.gate_section import gate_metrics, gate_section, held_back
from jobs.hidden_mouths import all_hidden
from schemas.reason import Reason

FIGURES = {"seam_ratio": 0.97, "flicker_ratio": None, "sharpness_ratio": 0.8, "movement_ratio": 0.9}
FIGURES |= {"identity_distance": 0.12}


def tried(how: str, *failed: str) -> dict[str, Any]:
    return {"how": how, **FIGURES, "sync": 0.61, "sync_loss": 0.05, "outside_change": 0, "failed": list(failed)}


SHOTS: list[dict[str, Any]] = [
    {"shot_index": 0, "reason": None, "tries": [tried("first")]},
    {"shot_index": 1, "reason": "no_face", "tries": []},
    {"shot_index": 2, "reason": None, "tries": [tried("first", "sync_loss"), tried("other_noise")]},
    {"shot_index": 7, "reason": Reason.GATE_FAILED.value, "tries": [tried("first", "seam_ratio")] * 3},
]


def test_the_report_has_a_row_for_each_try() -> None:
    page = gate_section({"shots": SHOTS})

    assert page.count("<tr>") == 1 + 1 + 2 + 3
    assert "other noise" in page
    assert "0.97" in page
    assert "sync_loss" in page


def test_a_delivery_of_before_the_gate_has_an_empty_section() -> None:
    assert "Nothing was painted" in gate_section({"shots": [{"shot_index": 0, "reason": None}]})
    painted = {"shot_index": 4, "reason": None, "num_frames_changed": 9}
    assert "not judged: shots 4" in gate_section({"shots": [painted]})
    assert "Nothing was painted" not in gate_section({"shots": [painted]})
    assert held_back({"shots": [{"shot_index": 0, "reason": None}]}) == ""


def test_shots_that_were_held_back_are_named_with_what_they_broke() -> None:
    assert "shot 7 after 3 tries (seam_ratio)" in held_back({"shots": SHOTS})
    assert held_back({"shots": SHOTS[:3]}) == ""


def test_metrics_count_shots() -> None:
    assert gate_metrics(SHOTS) == {
        **{"shots_judged": 3.0, "shots_unjudged": 0.0},
        **{"shots_painted_again": 2.0, "shots_held_back": 1.0},
    }


def test_mouths_of_which_a_part_is_hidden_are_told_and_those_of_which_all_is_are_not_called_painted() -> None:
    part, whole = {"shot_index": 3, "reason": None, "covered_share": 0.31}, {"shot_index": 5, "covered_share": 0.97}
    shots = [*SHOTS, part, whole | {"reason": Reason.MOUTH_HIDDEN.value}]
    by_plan = {"shot_index": 6, "reason": Reason.MOUTH_HIDDEN.value, "covered_share": None}

    page, notice = gate_section({"shots": shots}), all_hidden({"shots": [*shots, by_plan]})

    assert "shot 3: 31 %, shot 5: 97 % (not painted)" in page
    assert "shot 5 (97 % of the mask)" in notice
    assert "shot 3" not in notice
    assert "shot 6" not in notice
    assert "before a mouth" not in gate_section({"shots": [*SHOTS, by_plan]})
    assert all_hidden({"shots": SHOTS}) == ""
