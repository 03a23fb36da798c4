"""Whose line it is, in films whose people have voices made up: near vectors are one voice."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.eligibility import Eligibility
from pipelines.people import find_people
from pipelines.people_voices import KnownLine, judged_scores, known_lines, lines_elsewhere, reweighed, voice_odds
from pipelines.plan import plan_shots, plan_table
from pipelines.speaking import speech_pieces
from pipelines.stage import Row
from schemas.reason import Reason, Verdict
from schemas.shot import PLANNED_SHOT, TRACKED_SHOT
from tests.planned_rows import shot, spans, track

ANA, BEN, OFF_SCREEN = 0, 1, 2
SPEECH = spans(((10, 90),))  # frames: 3.2 s, three pieces
RULES = Eligibility()
SILENT = Eligibility(max_voice_doubt=0)


def voice(person: int, blend: float = 0.0) -> list[float]:
    """256 numbers of length 1: 0.45 is the cosine of any two people's, as it is of unlike voices."""
    middle = np.full(256, np.sqrt(0.45 / 256))
    own = np.zeros(256)
    own[person], own[person + 1] = np.sqrt(1 - blend), np.sqrt(blend)
    own *= np.sqrt(0.55)
    whole = middle + own
    return list(whole / np.linalg.norm(whole))


def face(index: int, person: int, score: float, **changes: Any) -> Row:
    who = np.zeros(128)
    who[person] = 1.0
    return track(index, speaking_score=score, descriptor=list(who), **changes)


def heard(place: int, who: int | None, *tracks: Row, **changes: Any) -> Row:
    """A shot in which a voice is heard all the time; None: it was not described."""
    pieces = speech_pieces([(span["start"], span["end"]) for span in SPEECH])
    voices = [{"start": start, "end": end, "descriptor": [] if who is None else voice(who)} for start, end in pieces]
    return shot(*tracks, shot_index=place, original_speech=SPEECH, original_voices=voices, **changes)


def planned(*shots: Row, eligibility: Eligibility | None = None) -> list[Row]:
    rows = plan_shots(pa.Table.from_pylist(list(shots), schema=TRACKED_SHOT), eligibility).to_pylist()
    return list(rows)


def verdict(row: Row, index: int = 0) -> tuple[str, str | None]:
    return row["verdicts"][index]["verdict"], row["verdicts"][index]["reason"]


ANA_SPEAKS = heard(0, ANA, face(0, ANA, 0.95))
CHEWS = heard(1, OFF_SCREEN, face(0, ANA, 0.95))
AGAIN = heard(2, ANA, face(0, ANA, 0.95))


def test_who_chews_to_another_voice_is_not_dubbed_once_its_own_is_known() -> None:
    assert verdict(planned(CHEWS)[0]) == (Verdict.DUB, None)

    speaks, chews, again = planned(ANA_SPEAKS, CHEWS, AGAIN)

    assert verdict(speaks) == verdict(again) == (Verdict.DUB, None)
    assert verdict(chews) == (Verdict.LEAVE, Reason.NOT_SPEAKING)


def test_of_two_lines_in_two_voices_a_person_must_say_which_is_wrong() -> None:
    assert {verdict(row) for row in planned(ANA_SPEAKS, CHEWS)} == {(Verdict.REVIEW, Reason.SPEAKER_UNSURE)}


def test_the_plan_says_what_the_mouth_alone_would_have() -> None:
    rows = planned(ANA_SPEAKS, CHEWS, AGAIN)
    line = plan_table(pa.Table.from_pylist(rows, schema=PLANNED_SHOT)).to_pylist()[1]

    assert line["speaking_score"] < RULES.min_doubt_score
    assert "its mouth alone 0.95" in line["measured"]
    assert {round(score["mouth_score"], 2) for score in rows[1]["tracks"][0]["speech_scores"]} == {0.95}


def test_a_doubtful_line_in_a_persons_own_voice_is_its_line() -> None:
    doubtful = heard(1, ANA, face(0, ANA, 0.55))

    assert verdict(planned(doubtful)[0]) == (Verdict.REVIEW, Reason.SPEAKER_UNSURE)
    assert verdict(planned(ANA_SPEAKS, doubtful)[1]) == (Verdict.DUB, None)


def test_a_voice_that_sounds_alike_does_not_make_a_listener_speak() -> None:
    listener = heard(1, ANA, face(0, ANA, 0.35))

    assert verdict(planned(ANA_SPEAKS, listener)[1])[0] != Verdict.DUB


@pytest.mark.parametrize(
    "others",
    [
        pytest.param([], id="seen in one shot"),
        pytest.param([heard(0, BEN, face(0, BEN, 0.95))], id="another person is known"),
        pytest.param([heard(0, None, face(0, ANA, 0.95))], id="too short to be described"),
        pytest.param([heard(0, ANA, face(0, ANA, 0.85))], id="never surely heard"),
        pytest.param([heard(0, ANA, face(0, ANA, 0.95), face(1, BEN, 0.4))], id="beside a rival"),
        pytest.param([heard(0, ANA, face(0, ANA, 0.95), original_overlap=SPEECH)], id="two voices at once"),
    ],
)
def test_a_person_whose_voice_is_not_known_elsewhere_keeps_the_scores_of_its_mouth(others: list[Row]) -> None:
    alone = planned(CHEWS)[0]
    beside = planned(*others, CHEWS)[-1]

    assert beside["tracks"] == alone["tracks"]
    assert {score["mouth_score"] for score in beside["tracks"][0]["speech_scores"]} == {None}


def test_two_voices_at_once_and_voices_set_aside_leave_the_mouths_scores() -> None:
    overlapped = CHEWS | {"original_overlap": SPEECH}

    assert planned(ANA_SPEAKS, overlapped)[1]["tracks"] == planned(overlapped)[0]["tracks"]
    assert planned(ANA_SPEAKS, CHEWS, eligibility=SILENT)[1]["tracks"] == planned(CHEWS)[0]["tracks"]


@given(st.integers(0, 200))
def test_no_shot_is_judged_by_what_is_said_in_it(own: int) -> None:
    """Whatever voice a shot teaches, it is judged by the same lines."""
    shots = [ANA_SPEAKS, heard(1, own, face(0, ANA, 0.95)), heard(2, BEN, face(0, BEN, 0.95))]
    people = find_people(shots)

    elsewhere = lines_elsewhere(known_lines(shots, people, RULES), 1, RULES.min_voice_s)

    [by_ana], [by_ben] = elsewhere[people[0, 0].number], elsewhere[people[2, 0].number]
    assert (by_ana.shot_index, by_ben.shot_index) == (0, 2)
    assert np.allclose(by_ana.voice, voice(ANA))


def test_a_line_that_is_wrong_does_not_make_the_right_ones_look_wrong() -> None:
    right = planned(ANA_SPEAKS, AGAIN)[0]["tracks"][0]["speaking_score"]
    beside_wrong = planned(ANA_SPEAKS, AGAIN, CHEWS)[0]["tracks"][0]["speaking_score"]

    assert beside_wrong == pytest.approx(right, abs=0.01)


def test_a_voice_of_somebody_else_who_is_not_seen_is_doubted_the_more() -> None:
    ben = heard(2, BEN, face(0, BEN, 0.95))
    chews_to_ben = heard(1, BEN, face(0, ANA, 0.95))

    of_anybody = planned(ANA_SPEAKS, CHEWS, ben)[1]["tracks"][0]["speaking_score"]
    of_ben = planned(ANA_SPEAKS, chews_to_ben, ben)[1]["tracks"][0]["speaking_score"]

    assert of_ben < of_anybody


def test_of_two_who_are_seen_the_line_goes_to_the_one_whose_voice_it_is() -> None:
    ben = heard(1, BEN, face(0, BEN, 0.95))
    both = heard(2, BEN, face(0, ANA, 0.6), face(1, BEN, 0.38))

    [score], [other] = (
        {round(score["score"], 3) for score in one["speech_scores"]}
        for one in planned(ANA_SPEAKS, ben, both)[2]["tracks"]
    )

    assert score < RULES.min_doubt_score < RULES.min_speaking_score < other


def test_a_piece_beside_another_faces_line_may_hold_two_voices_and_is_not_judged() -> None:
    """Without a pause between them the border of the two lines lies anywhere in their pieces."""
    pieces = speech_pieces([(span["start"], span["end"]) for span in SPEECH])
    mine = [{"start": a, "end": b, "score": s} for (a, b), s in zip(pieces, (0.1, 0.8, 0.95), strict=True)]
    others = [{"start": a, "end": b, "score": s} for (a, b), s in zip(pieces, (0.9, 0.1, 0.0), strict=True)]
    turn = heard(1, OFF_SCREEN, face(0, ANA, 0.95, speech_scores=mine), face(1, BEN, 0.9, speech_scores=others))

    scores = planned(ANA_SPEAKS, turn)[1]["tracks"][0]["speech_scores"]

    assert [score["mouth_score"] is None for score in scores] == [True, True, False]


def test_a_second_language_is_planned_by_the_same_scores_and_a_cast_list_changes_none() -> None:
    languages = [
        row | {"dub_id": language, "language": language} for language in ("es", "de") for row in (ANA_SPEAKS, CHEWS)
    ]
    rows = planned(*languages)

    assert [row["tracks"] for row in rows[:2]] == [row["tracks"] for row in rows[2:]]
    named = find_people([ANA_SPEAKS, CHEWS], {"Ana": np.array([ANA_SPEAKS["tracks"][0]["descriptor"]])})
    plain = find_people([ANA_SPEAKS, CHEWS])
    assert {key: one.number for key, one in named.items()} == {key: one.number for key, one in plain.items()}
    assert judged_scores([ANA_SPEAKS, CHEWS], named, RULES) == judged_scores([ANA_SPEAKS, CHEWS], plain, RULES)


def test_the_ratio_is_bounded_and_says_nothing_between_the_fits() -> None:
    line = KnownLine(0, 0, 3.0, np.eye(256)[0])

    def of(likeness: float) -> float:
        return voice_odds([line], np.eye(256)[0] * likeness, 4.0)

    assert of(0.0) == pytest.approx(np.log(0.95 * np.exp(-4) + 0.05))
    assert of(1.0) == pytest.approx(np.log(0.95 * np.exp(4) + 0.05))
    assert of(0.66) == of(0.70) == of(0.72) == pytest.approx(0)
    assert voice_odds([line] * 9, np.zeros(256), 4.0) == pytest.approx(-4)


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=4),
    st.lists(st.floats(-4, 4), min_size=4, max_size=4),
    st.lists(st.floats(-4, 4), max_size=3),
)
def test_scores_stay_posteriors_and_a_voice_that_says_nothing_changes_none(
    drawn: list[float], ratios: list[float], unseen: list[float]
) -> None:
    scores = {place: score / max(1.0, sum(drawn)) for place, score in enumerate(drawn)}

    found = reweighed(scores, dict(enumerate(ratios)), unseen)

    assert all(0 <= score <= 1 for score in found.values())
    assert sum(found.values()) <= 1 + 1e-9
    if sum(scores.values()) > 0.01:
        assert reweighed(scores, dict.fromkeys(scores, 0.0), []) == pytest.approx(scores)


def test_bayes_rule_by_hand() -> None:
    """Odds of 3 to 1, and a voice that is e times as likely anybody's: 3/e to 1."""
    assert reweighed({0: 0.75}, {0: -1.0}, [])[0] == pytest.approx(3 / np.e / (3 / np.e + 1))
