"""The plan of a finished film says what became of each row; a broken shot never goes unseen."""

from typing import Any

from jobs.finished import final_plan


def line(shot_index: int, verdict: str, reason: str | None, track_index: int | None = 0) -> dict[str, Any]:
    place = {"shot_index": shot_index, "track_index": track_index}
    return place | {"verdict": verdict, "reason": reason, "frames_to_paint": 20 if verdict != "leave" else 0}


PLAN = [
    line(0, "dub", None),
    line(0, "leave", "not_speaking", 1),
    line(1, "review", "speaker_unsure"),
    line(2, "leave", "no_speech"),
    line(3, "leave", "no_face", None),
]


def reasons(*shots: str | None) -> list[tuple[str, str | None]]:
    rows = final_plan(PLAN, [{"shot_index": index, "reason": reason} for index, reason in enumerate(shots)])
    assert [row["frames_to_paint"] == 0 for row in rows] == [row["verdict"] == "leave" for row in rows]
    return [(row["verdict"], row["reason"]) for row in rows]


def test_a_film_that_went_as_planned_has_its_plan() -> None:
    planned = [(row["verdict"], row["reason"]) for row in PLAN]
    assert reasons(None, None, "no_speech", "no_face") == planned
    assert reasons() == planned


def test_what_was_to_be_painted_takes_the_reason_of_its_shot() -> None:
    assert reasons("worker_died", "undecodable", "no_speech", "no_face")[:3] == [
        ("leave", "worker_died"),
        ("leave", "not_speaking"),
        ("leave", "undecodable"),
    ]


def test_a_broken_shot_in_which_nothing_was_to_be_painted_says_so_too() -> None:
    assert reasons(None, None, "undecodable", "no_face")[3] == ("leave", "undecodable")


def test_a_face_that_was_found_hidden_is_left_and_another_in_its_shot_is_not() -> None:
    plan = [line(0, "dub", None), line(0, "review", "speaker_unsure", 1), line(0, "dub", None, 2)]
    left = {"verdict": "leave", "reason": "mouth_hidden"}
    verdicts = [
        {"track_index": 0} | left,
        {"track_index": 1} | left,
        {"track_index": 2, "verdict": "dub", "reason": None},
    ]

    rows = final_plan(plan, [{"shot_index": 0, "reason": None, "verdicts": verdicts}])

    assert [(row["verdict"], row["reason"]) for row in rows] == [("leave", "mouth_hidden")] * 2 + [("dub", None)]
    assert [row["frames_to_paint"] for row in rows] == [0, 0, 20]
