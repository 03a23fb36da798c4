"""Shots come out once: painted by the first try that passes the gate, or as they were filmed after the last."""

from collections.abc import Iterator
from typing import Any

from pipelines.gate import Try
from pipelines.waves import painted_in_waves
from schemas.reason import Reason
from schemas.shot import JUDGED_SHOT
from tests.planned_rows import shot, track

Row = dict[str, Any]


class Painter:
    """Paints shots that pass at a given try; notes what it was given."""

    def __init__(self, passes_at: dict[int, Try | None], lost: tuple[int, Try] | None = None) -> None:
        self.waves: list[tuple[Try, list[int]]] = []
        self._passes_at, self._lost = passes_at, lost

    def __call__(self, manifest: list[Row], how: Try) -> Iterator[Row]:
        self.waves.append((how, [row["shot_index"] for row in manifest]))
        for row in reversed(manifest):
            if (row["shot_index"], how) != self._lost:
                failed = [] if self._passes_at[row["shot_index"]] is how else ["seam_ratio"]
                facts = {"patch_uri": f"{how}", "reason": None, "num_frames_changed": 9, "crops_uri": "crops"}
                facts |= {
                    "painted": [f"by {how}"],
                    "review_patch_uri": None,
                    "covered_share": 0.3,
                    "hidden_tracks": [0],
                }
                yield (
                    row
                    | facts
                    | {
                        "tries": [{"how": how.value, "failed": failed}],
                        "timings": [{"stage": "paint", "seconds": 2.0, "peak_mib": 9.0}],
                    }
                )


def planned(*indices: int) -> list[Row]:
    return [shot(track()) | {"shot_index": index, "verdicts": [], "reason": None} for index in indices]


def painted(painter: Painter, *indices: int, max_tries: int = 3) -> dict[int, Row]:
    rows = list(painted_in_waves(planned(*indices), max_tries, painter))
    assert sorted(row["shot_index"] for row in rows) == sorted(indices)  # each once
    return {row["shot_index"]: row for row in rows}


def test_a_wave_paints_what_the_one_before_it_left() -> None:
    painter = Painter({0: Try.FIRST, 1: Try.SMALLER_MASK, 2: Try.OTHER_NOISE, 3: None})

    rows = painted(painter, 0, 1, 2, 3)

    assert painter.waves == [(Try.FIRST, [0, 1, 2, 3]), (Try.OTHER_NOISE, [3, 2, 1]), (Try.SMALLER_MASK, [1, 3])]
    assert [rows[index]["patch_uri"] for index in range(4)] == ["first", "smaller_mask", "other_noise", None]
    assert [len(rows[index]["tries"]) for index in range(4)] == [1, 3, 2, 3]
    assert rows[1]["timings"] == [{"stage": "paint", "seconds": 6.0, "peak_mib": 9.0}]  # one event a stage


def test_what_passes_no_try_stays_as_it_was_filmed_and_says_so() -> None:
    row = painted(Painter({0: None}), 0)[0]

    assert (row["reason"], row["patch_uri"], row["num_frames_changed"]) == (Reason.GATE_FAILED, None, 0)
    assert [one["failed"] for one in row["tries"]] == [["seam_ratio"]] * 3
    assert row["painted"] == ["by smaller_mask"]  # to be looked at
    assert (row["covered_share"], row["hidden_tracks"]) == (0.3, [0])
    assert not set(JUDGED_SHOT.names) - set(row)


def test_there_are_no_more_waves_than_tries() -> None:
    painter = Painter({0: None})

    assert painted(painter, 0, max_tries=2)[0]["reason"] == Reason.GATE_FAILED
    assert [how for how, _ in painter.waves] == [Try.FIRST, Try.OTHER_NOISE]


def test_a_shot_whose_worker_dies_is_not_tried_again_and_not_lost() -> None:
    painter = Painter({0: Try.FIRST, 1: None, 2: None}, lost=(1, Try.OTHER_NOISE))

    rows = painted(painter, 0, 1, 2)

    assert [rows[index]["reason"] for index in range(3)] == [None, Reason.WORKER_DIED, Reason.GATE_FAILED]
    assert painter.waves[-1] == (Try.SMALLER_MASK, [2])
    assert [len(rows[index]["tries"]) for index in range(3)] == [1, 1, 3]  # what was tried stays told


def test_nothing_to_paint_is_no_wave() -> None:
    painter = Painter({})
    assert painted(painter) == {}
    assert painter.waves == []
