"""Who is painted and where: every verdict and reason from facts made up for it."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.eligibility import Eligibility
from pipelines.paint_spans import num_frames_to_paint, spans_to_paint
from pipelines.verdict import decide_track, measured, shot_reason
from schemas.reason import Reason, Verdict
from tests.planned_rows import TICKS_PER_FRAME, shot, spans, track

RULES = Eligibility()
MARGIN = 3  # frames, at 25 fps


def decided(row: dict[str, Any]) -> list[tuple[Verdict, Reason | None]]:
    return [decide_track(row, one, RULES) for one in row["tracks"]]


def hidden(first: int, after: int, kind: str = "thing") -> list[dict[str, Any]]:
    """Something before the mouth in these frames."""
    return [{"start_pts": first * TICKS_PER_FRAME, "end_pts": after * TICKS_PER_FRAME, "kind": kind}]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({}, None),
        ({"face_height_px": 54.0, "enlargement": 0.4}, None),  # the two people of the demo, not upscaled
        ({"face_height_px": 20.0}, Reason.FACE_TOO_SMALL),
        ({"enlargement": 0.1}, Reason.FACE_TOO_SMALL),
        ({"enlargement": 5.0}, Reason.FACE_TOO_LARGE),
        ({"yaw_deg": -70.0}, Reason.FACE_TURNED),
        ({"pitch_deg": 43.0}, Reason.FACE_TURNED),
        ({"smear": 0.2}, Reason.MOTION_BLUR),
        ({"covers": hidden(20, 60)}, Reason.MOUTH_HIDDEN),
        ({"covers": hidden(20, 60, "text")}, Reason.TEXT_ON_MOUTH),
        ({"covers": hidden(20, 60, "face")}, Reason.MOUTH_HIDDEN),
        ({"num_frames": 4}, Reason.TRACK_TOO_SHORT),
        ({"speaking_score": 0.1}, Reason.NOT_SPEAKING),
        ({"start_pts": 70 * TICKS_PER_FRAME}, Reason.NO_SPEECH),
    ],
)
def test_one_face_is_dubbed_unless_something_speaks_against_it(facts: dict[str, Any], reason: Reason | None) -> None:
    expected = (Verdict.DUB, None) if reason is None else (Verdict.LEAVE, reason)

    assert decided(shot(track(**facts))) == [expected]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, None),
        ({"face_height_px": 20.0}, "face 20.0 px high, at least 36"),
        ({"enlargement": 0.1}, "0.10 film px a crop px, at least 0.2"),
        ({"enlargement": 5.0}, "5.00 film px a crop px, at most 4"),
        ({"enlargement": 3.2}, "3.20 film px a crop px, at most 3"),
        ({"yaw_deg": -70.0}, "yaw 70.0 deg, at most 45"),
        ({"spread": 0.8}, "pictures of it 0.80 apart, as of two people, at most 0.7"),
        ({"yaw_deg": 45.3}, "yaw 45.3 deg, at most 45"),
        ({"pitch_deg": 35.0}, "pitch 35.0 deg, at most 32"),
        ({"score": 0.6}, "detector score 0.600, at least 0.7"),
        ({"smear": 0.2}, "moves 0.20 of its width while the shutter is open, at most 0.12"),
        ({"covers": hidden(20, 60)}, "hidden by a thing for 87% of its frames, at most 0.35"),
        ({"num_frames": 4}, "4 frames, at least 10"),
        ({"speaking_score": 0.1}, "speaking score 0.100, at least 0.3"),
        ({"start_pts": 70 * TICKS_PER_FRAME}, "no speech while it is seen"),
    ],
)
def test_each_reason_says_what_was_measured_and_what_is_demanded(facts: dict[str, Any], words: str | None) -> None:
    row = shot(track(**facts))
    ((_, reason),) = decided(row)

    assert measured(row, row["tracks"][0], reason, RULES) == words


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"face_height_px": 40.0}, Reason.FACE_TOO_SMALL),
        ({"enlargement": 3.5}, Reason.FACE_TOO_LARGE),
        ({"yaw_deg": 40.0}, Reason.FACE_TURNED),
        ({"pitch_deg": -35.0}, Reason.FACE_TURNED),
        ({"score": 0.6}, Reason.FACE_UNSURE),
        ({"smear": 0.1}, Reason.MOTION_BLUR),
        ({"covers": hidden(30, 40)}, Reason.MOUTH_HIDDEN),
        ({"covers": hidden(30, 40, "text")}, Reason.TEXT_ON_MOUTH),
    ],
)
def test_what_a_person_should_see_first_waits_for_review_and_a_listener_is_left(
    facts: dict[str, Any], reason: Reason
) -> None:
    assert decided(shot(track(**facts))) == [(Verdict.REVIEW, reason)]
    assert decided(shot(track(speaking_score=0.1, **facts))) == [(Verdict.LEAVE, Reason.NOT_SPEAKING)]


def test_nothing_is_painted_where_something_hides_the_mouth() -> None:
    row = shot(track(covers=[*hidden(0, 5), *hidden(30, 34), *hidden(50, 52, "text"), *hidden(90, 100)]))

    assert painted_frames(row) == [[(20 - MARGIN, 30), (34, 50), (52, 60 + MARGIN)]]


def test_a_glimpse_of_a_hand_is_dubbed_around() -> None:
    assert decided(shot(track(covers=hidden(30, 32)))) == [(Verdict.DUB, None)]


def test_who_is_behind_another_face_for_a_while_is_dubbed_before_and_after() -> None:
    row = shot(track(covers=hidden(30, 40, "face")))

    assert decided(row) == [(Verdict.DUB, None)]
    assert painted_frames(row) == [[(20 - MARGIN, 30), (40, 60 + MARGIN)]]


@pytest.mark.parametrize(
    "settings", [{"sure_yaw_deg": 50.0}, {"max_smear": 0.01}, {"sure_face_score": 1.5}, {"min_frames": 0}]
)
def test_thresholds_out_of_order_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        Eligibility(**settings)


def test_who_is_unsure_says_how_much_and_a_person_gives_no_measure() -> None:
    row = shot(track(0, speaking_score=0.80), track(1, speaking_score=0.78))

    words = measured(row, row["tracks"][0], Reason.SPEAKER_UNSURE, RULES)
    assert words == "unsure for 100% of the 1.6 s it may be heard, at most 20%"
    assert measured(row, row["tracks"][0], Reason.BY_HAND, RULES) is None


def test_only_the_speaker_of_two_faces_is_dubbed() -> None:
    row = shot(track(0, speaking_score=0.2), track(1, speaking_score=0.8))

    assert decided(row) == [(Verdict.LEAVE, Reason.NOT_SPEAKING), (Verdict.DUB, None)]


@pytest.mark.parametrize("scores", [(0.9, 0.9), (0.5, 0.9), (0.45, 0.5)])
def test_two_faces_that_both_may_be_heard_at_once_wait_for_a_person(scores: tuple[float, float]) -> None:
    row = shot(track(0, speaking_score=scores[0]), track(1, speaking_score=scores[1]))

    assert decided(row) == [(Verdict.REVIEW, Reason.SPEAKER_UNSURE)] * 2


def test_a_face_that_may_be_heard_and_may_not_waits_for_a_person() -> None:
    assert decided(shot(track(speaking_score=0.6))) == [(Verdict.REVIEW, Reason.SPEAKER_UNSURE)]


def in_turn(*scores: tuple[float, ...], **changes: Any) -> dict[str, Any]:
    """A shot in which the original speaks in frames 10 to 30, 40 to 60 and 70 to 90; scores of each track in each."""
    spoken = spans(((10, 30), (40, 60), (70, 90)))
    tracks = [
        track(index, speech_scores=[span | {"score": score} for span, score in zip(spoken, of_track, strict=True)])
        for index, of_track in enumerate(scores)
    ]
    return shot(*tracks, **{"original_speech": spoken, "dub_speech": [], **changes})


def painted_frames(row: dict[str, Any]) -> list[list[tuple[int, int]]]:
    """Spans to paint of each track, in frames."""
    return [
        [(start // TICKS_PER_FRAME, end // TICKS_PER_FRAME) for start, end in spans_to_paint(row, one, RULES)]
        for one in row["tracks"]
    ]


def test_two_who_speak_in_turn_are_both_dubbed_each_in_their_own_lines() -> None:
    row = in_turn((0.9, 0.1, 0.9), (0.1, 0.9, 0.1))

    assert decided(row) == [(Verdict.DUB, None)] * 2
    assert painted_frames(row) == [[(7, 33), (67, 93)], [(37, 63)]]


def test_a_line_that_is_longer_than_the_original_goes_to_the_nearest_speaker_and_never_to_two() -> None:
    """The dub speaks from frame 8 to 92 without a pause: it changes faces in the middle of the original's pauses."""
    row = in_turn((0.9, 0.1, 0.1), (0.1, 0.9, 0.1), dub_speech=spans(((8, 92),)))

    (first,), (second,) = painted_frames(row)

    assert (first[0], second[1]) == (8 - MARGIN, 65 + MARGIN)  # the third line is nobody's who is seen
    assert (first[1] - MARGIN, second[0] + MARGIN) == (35, 35)


def test_who_only_may_be_heard_is_painted_nowhere_but_there() -> None:
    """The first face owns all lines; the second one may be heard in the last."""
    row = in_turn((0.95, 0.95, 0.5), (0.01, 0.01, 0.4), dub_speech=spans(((8, 92),)))

    (_, second) = painted_frames(row)

    assert decided(row)[1] == (Verdict.REVIEW, Reason.SPEAKER_UNSURE)
    assert second == [(65 - MARGIN, 92 + MARGIN)]


def test_lines_of_a_face_that_a_person_put_aside_go_to_the_one_that_may_be_heard_there() -> None:
    row = in_turn((0.6, 0.6, 0.3), (0.35, 0.35, 0.6))
    aside = {"track_index": 0, "verdict": Verdict.LEAVE, "reason": Reason.BY_HAND}
    edited = row | {"verdicts": [aside, {"track_index": 1, "verdict": Verdict.DUB, "reason": None}]}

    assert painted_frames(row)[1] == [(67, 93)]
    assert painted_frames(edited)[1] == [(7, 33), (37, 63), (67, 93)]


def test_one_face_whose_track_breaks_in_a_line_does_not_compete_with_itself() -> None:
    spoken = spans(((10, 45), (45, 80)))
    first = track(0, end_pts=40 * TICKS_PER_FRAME, speech_scores=[spoken[0] | {"score": 0.95}])
    second = track(1, start_pts=44 * TICKS_PER_FRAME, speech_scores=[one | {"score": 0.9} for one in spoken])
    row = shot(first, second, original_speech=spoken, dub_speech=[])

    assert decided(row) == [(Verdict.DUB, None)] * 2
    assert painted_frames(row) == [[(7, 40)], [(44, 83)]]


def test_two_voices_at_once_are_for_a_person() -> None:
    row = shot(track(speaking_score=0.95), original_overlap=spans(((40, 60),)))

    assert decided(row) == [(Verdict.REVIEW, Reason.SPEAKER_UNSURE)]


def test_a_moment_of_doubt_in_a_long_line_is_decided_by_the_rest_and_half_of_it_is_not() -> None:
    spoken = spans(tuple((start, start + 8) for start in range(0, 96, 16)))
    few = [span | {"score": 0.5 if index == 4 else 0.9} for index, span in enumerate(spoken)]
    many = [span | {"score": 0.5 if index % 2 else 0.9} for index, span in enumerate(spoken)]

    verdicts = [decided(shot(track(speech_scores=scores), original_speech=spoken)) for scores in (few, many)]

    assert verdicts == [[(Verdict.DUB, None)], [(Verdict.REVIEW, Reason.SPEAKER_UNSURE)]]


def test_a_face_that_is_heard_nowhere_is_painted_wherever_somebody_speaks_when_a_person_says_so() -> None:
    row = in_turn((0.1, 0.1, 0.1))

    assert decided(row) == [(Verdict.LEAVE, Reason.NOT_SPEAKING)]
    assert painted_frames(row) == [[(7, 33), (37, 63), (67, 93)]]


def test_who_is_put_in_the_place_of_the_speaker_gets_these_lines_and_no_one_elses() -> None:
    """The plan took the first for the speaker of the first line; a person says that it is the second."""
    row = in_turn((0.9, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.9))
    row["verdicts"] = [
        {"track_index": 0, "verdict": Verdict.LEAVE, "reason": Reason.BY_HAND, "person": None},
        {"track_index": 1, "verdict": Verdict.DUB, "reason": None, "person": None},
        {"track_index": 2, "verdict": Verdict.DUB, "reason": None, "person": None},
    ]

    _, second, third = painted_frames(row)

    assert third == [(67, 93)]
    assert second == [(7, 33), (37, 63)]  # nobody who is seen is heard in the line between


def test_faces_that_are_never_seen_together_do_not_compete() -> None:
    row = shot(
        track(0, end_pts=40 * TICKS_PER_FRAME, speaking_score=0.8),
        track(1, start_pts=40 * TICKS_PER_FRAME, speaking_score=0.8),
    )

    assert decided(row) == [(Verdict.DUB, None)] * 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (shot(), Reason.NO_FACE),
        (shot(dub_speech=[], original_speech=[]), Reason.NO_FACE),
        (shot(track(), dub_speech=[], original_speech=[]), Reason.NO_SPEECH),
        (shot(track(0, speaking_score=0.2), track(1, speaking_score=0.4, yaw_deg=80.0)), Reason.FACE_TURNED),
        (shot(track(0, speaking_score=0.2)), Reason.NOT_SPEAKING),
        (shot(track(0, speaking_score=0.2), track(1)), None),
        (shot(track(0, speaking_score=0.8), track(1, speaking_score=0.8)), None),
    ],
)
def test_a_shot_says_why_nothing_in_it_is_painted(row: dict[str, Any], reason: Reason | None) -> None:
    verdicts = [
        {"track_index": one["track_index"], "verdict": verdict, "reason": why}
        for one, (verdict, why) in zip(row["tracks"], decided(row), strict=True)
    ]

    assert shot_reason(row, verdicts) == reason


@pytest.mark.parametrize(
    ("dub", "original", "painted"),
    [
        (((20, 60),), (), [(20 - MARGIN, 60 + MARGIN)]),
        ((), ((20, 60),), [(20 - MARGIN, 60 + MARGIN)]),
        (((20, 40),), ((30, 60),), [(20 - MARGIN, 60 + MARGIN)]),
        (((10, 20),), ((70, 80),), [(10 - MARGIN, 20 + MARGIN), (70 - MARGIN, 80 + MARGIN)]),
        (((10, 20), (26, 30)), (), [(10 - MARGIN, 30 + MARGIN)]),  # a pause of two margins is painted through
        (((0, 20), (95, 100)), (), [(0, 20 + MARGIN), (95 - MARGIN, 100)]),  # never outside the shot
    ],
)
def test_painted_is_where_the_original_or_the_dub_speaks(
    dub: tuple[tuple[int, int], ...], original: tuple[tuple[int, int], ...], painted: list[tuple[int, int]]
) -> None:
    row = shot(track(), dub_speech=spans(dub), original_speech=spans(original))

    found = spans_to_paint(row, track())

    assert found == [(start * TICKS_PER_FRAME, end * TICKS_PER_FRAME) for start, end in painted]
    assert num_frames_to_paint(row, track(), RULES) == sum(end - start for start, end in painted)


@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(1, 30)), max_size=6),
    st.integers(0, 50),
    st.integers(51, 100),
)
def test_spans_lie_in_the_track_in_order_and_hold_all_speech_in_it(
    raw: list[tuple[int, int]], first: int, after: int
) -> None:
    spoken = tuple((start, min(start + length, 100)) for start, length in raw)
    one = track(start_pts=first * TICKS_PER_FRAME, end_pts=after * TICKS_PER_FRAME)

    found = spans_to_paint(shot(one, dub_speech=spans(spoken), original_speech=[]), one)

    assert all(left[1] < right[0] for left, right in pairwise(found))
    assert all(one["start_pts"] <= start < end <= one["end_pts"] for start, end in found)
    heard = {frame for start, end in spoken for frame in range(start, end) if first <= frame < after}
    assert all(any(start <= frame * TICKS_PER_FRAME < end for start, end in found) for frame in heard)


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_frames": 0},
        {"min_enlargement": 4.0},
        {"min_speaking_score": 1.5},
        {"min_doubt_score": 0.9},
        {"paint_margin_s": Fraction(-1)},
    ],
)
def test_wrong_thresholds_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        Eligibility(**wrong)


def halves(*values: dict[str, float]) -> list[dict[str, Any]]:
    """Stretches of ten frames each, of a track of 100; what is not said is as in a good one."""
    usual = {"face_height_px": 120.0, "enlargement": 1.0, "yaw_deg": 0.0, "pitch_deg": 0.0}
    edges = [{"start_pts": 10 * n * TICKS_PER_FRAME, "end_pts": 10 * (n + 1) * TICKS_PER_FRAME} for n in range(10)]
    return [edge | usual | value for edge, value in zip(edges, values, strict=True)]


@pytest.mark.parametrize(
    ("aside", "reason"),
    [({"yaw_deg": 70.0}, Reason.FACE_TURNED), ({"face_height_px": 24.0}, Reason.FACE_TOO_SMALL)],
)
def test_a_face_is_judged_by_what_is_seen_of_it_while_it_speaks(aside: dict[str, float], reason: Reason) -> None:
    """It speaks in frames 20 to 60, which is in the third to sixth stretch."""
    speaking = [*([{}] * 2), *([aside] * 5), *([{}] * 3)]
    listening = [*([aside] * 1), *([{}] * 6), *([aside] * 3)]

    assert of_one(stretches=halves(*speaking)) == (Verdict.LEAVE, reason)
    assert of_one(stretches=halves(*listening), yaw_deg=50.0, face_height_px=30.0) == (Verdict.DUB, None)


def of_one(**facts: Any) -> tuple[Verdict, Reason | None]:
    return decided(shot(track(**facts)))[0]


def test_a_head_that_turns_to_either_side_is_turned() -> None:
    swinging = halves(*([{"yaw_deg": 60.0}, {"yaw_deg": -60.0}] * 5))

    assert of_one(stretches=swinging, yaw_deg=0.0) == (Verdict.LEAVE, Reason.FACE_TURNED)


def test_a_track_whose_pictures_are_of_two_people_waits_for_a_person() -> None:
    assert of_one(spread=0.69) == (Verdict.DUB, None)
    assert of_one(spread=0.8) == (Verdict.REVIEW, Reason.FACE_UNSURE)
