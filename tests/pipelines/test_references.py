"""What names a painted shot: its pixels' causes, and not how sure they are."""

from typing import Any

from pipelines.eligibility import Eligibility
from pipelines.references import scoreless
from pipelines.stage import Row
from schemas.reason import Verdict
from tests.planned_rows import shot, spans, track


def planned(*scores: float, verdict: Verdict = Verdict.DUB, **changes: Any) -> Row:
    verdicts = [{"track_index": index, "verdict": verdict, "reason": None} for index in range(len(scores))]
    row = shot(*(track(index, speaking_score=score) for index, score in enumerate(scores)), **changes)
    return row | {"verdicts": verdicts}


def named(row: Row) -> Row:
    return scoreless(row, Eligibility())


def test_a_score_that_another_shot_changed_paints_nothing_anew() -> None:
    assert named(planned(0.95)) == named(planned(0.81))
    voices = [{"start": 0, "end": 16_000, "descriptor": [1.0]}]
    assert named(planned(0.95)) == named(planned(0.95, original_voices=voices))


def test_a_score_by_which_a_line_goes_to_another_face_paints_anew() -> None:
    row, pieces = planned(0.9), ((20, 40), (40, 60))
    first, last = (
        [span | {"score": score} for span, score in zip(spans(pieces), scores, strict=True)]
        for scores in ((0.9, 0.1), (0.1, 0.9))
    )
    shots = [row | {"tracks": [row["tracks"][0] | {"speech_scores": scores}]} for scores in (first, last)]

    assert named(shots[0]) != named(shots[1])


def test_of_a_face_that_is_left_nothing_is_painted_whatever_its_score() -> None:
    assert named(planned(0.2, verdict=Verdict.LEAVE)) == named(planned(0.1, verdict=Verdict.LEAVE))
