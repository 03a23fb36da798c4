"""Who is who in a film whose faces are points made up: near points are one person, unless they are seen at once."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.cast_list import CastList
from pipelines.people import MIN_FACE_HEIGHT_PX, ONE_PERSON
from pipelines.people import find_people as found_people
from pipelines.people_table import people_table
from pipelines.plan import plan_shots, plan_table
from pipelines.plan_edits import apply_edits
from schemas.reason import Reason, Verdict
from schemas.shot import TRACKED_SHOT
from tests.planned_rows import TICKS_PER_FRAME, shot, track

ANA, BEN, EVE = 0, 1, 2


def descriptor(person: int, away: float = 0.0, seed: int = 0) -> list[float]:
    """128 numbers; people lie 1.4 apart, pictures of one at `away` from the middle of theirs."""
    middle = np.zeros(128)
    middle[person] = 1.0
    off = np.random.default_rng([person, seed]).normal(size=128)
    return list(middle + away * off / np.linalg.norm(off))


def face(index: int, person: int, away: float = 0.1, **changes: Any) -> dict[str, Any]:
    return track(index, **{"descriptor": descriptor(person, away, seed=index), **changes})


def find_people(shots: list[dict[str, Any]], named: dict[str, Any] | None = None) -> dict[tuple[int, int], str]:
    """The name of each track."""
    return {key: person.name for key, person in found_people(shots, named).items()}


def film(*shots: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Shots with these tracks."""
    return [shot(*tracks, shot_index=place, num_shots=len(shots)) for place, tracks in enumerate(shots)]


def test_a_person_keeps_one_identity_across_shots_and_whoever_is_seen_longest_comes_first() -> None:
    ana, again = (face(index, ANA, end_pts=40 * TICKS_PER_FRAME) for index in range(2))
    eve = face(0, EVE, end_pts=9 * TICKS_PER_FRAME)

    people = find_people(film([ana, face(1, BEN)], [face(0, BEN)], [eve, again]))

    assert people == {
        (0, 0): "person 2",
        (0, 1): "person 1",
        (1, 0): "person 1",
        (2, 0): "person 3",
        (2, 1): "person 2",
    }


def test_two_faces_that_are_seen_at_once_are_two_people_however_alike() -> None:
    twins = find_people(film([face(0, ANA, 0.0), face(1, ANA, 0.0)], [face(0, ANA, 0.0)]))
    in_turn = [face(0, ANA, end_pts=40 * TICKS_PER_FRAME), face(1, ANA, start_pts=40 * TICKS_PER_FRAME)]

    assert twins[0, 0] != twins[0, 1]
    assert len(set(find_people(film(in_turn)).values())) == 1


def test_nobody_knows_who_a_tiny_face_is() -> None:
    tiny = face(1, ANA, face_height_px=MIN_FACE_HEIGHT_PX - 1)

    assert find_people(film([face(0, ANA), tiny, track(2)])) == {(0, 0): "person 1"}
    assert find_people([]) == {}


def test_names_go_to_the_nearest_and_a_name_joins_what_looks_apart() -> None:
    named = {"Ben": np.array([descriptor(BEN, 0.2, 7)]), "Zoe": np.array([descriptor(9)])}

    people = find_people(film([face(0, ANA), face(1, BEN)], [face(0, BEN)]), named)

    assert people == {(0, 0): "person 1", (0, 1): "Ben", (1, 0): "Ben"}


def test_a_name_goes_to_one_of_two_who_are_seen_at_once() -> None:
    named = {"Ana": np.array([descriptor(ANA)])}
    nearer, farther = face(0, ANA, 0.05), face(1, ANA, 0.3)

    assert find_people(film([nearer, farther]), named) == {(0, 0): "Ana", (0, 1): "person 1"}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.randoms())
def test_the_order_of_shots_changes_nobody(cast: list[int], dice: Any) -> None:
    shots = film(*[[track(0, descriptor=descriptor(person, 0.1, place))] for place, person in enumerate(cast)])
    shuffled = list(shots)
    dice.shuffle(shuffled)

    assert find_people(shuffled) == find_people(shots)


def test_pairs_farther_than_the_threshold_are_two_people() -> None:
    near, far = np.zeros((2, 128)), np.zeros((2, 128))
    near[1, 0], far[1, 0] = ONE_PERSON - 0.01, ONE_PERSON + 0.01

    for values, count in ((near, 1), (far, 2)):
        people = find_people(film(*[[track(0, descriptor=list(one))] for one in values]))
        assert len(set(people.values())) == count


def planned(cast: CastList | None) -> pa.Table:
    rows = film([face(0, ANA)], [face(0, BEN)])
    for row in rows:
        row["cast_uri"] = "cast.csv"
    casts = {"cast.csv": cast} if cast else {}
    return plan_shots(pa.Table.from_pylist(rows, schema=TRACKED_SHOT), casts=casts)


@pytest.mark.parametrize("wanted", [Verdict.LEAVE, Verdict.REVIEW])
def test_what_the_cast_list_says_of_a_person_holds_in_every_shot(wanted: Verdict) -> None:
    cast = CastList(descriptors={"Ana": np.array([descriptor(ANA)])}, verdicts={"Ana": wanted})

    plan = plan_table(planned(cast)).to_pylist()

    near = "0.10 from the pictures of Ana; one person's lie up to 0.5 apart, seldom 0.6"
    assert [(row["person"], row["verdict"], row["reason"], row["measured"]) for row in plan] == [
        ("Ana", wanted, Reason.CAST, near),
        ("person 1", Verdict.DUB, None, None),
    ]


def test_the_people_table_adds_up_to_the_plan() -> None:
    table = planned(None)

    people, plan = people_table(table).to_pylist(), plan_table(table).to_pylist()

    assert [row["person"] for row in people] == ["person 1", "person 2"]
    assert [row["seen_s"] for row in people] == [4.0, 4.0]  # 100 frames at 25 a second
    assert [row["heard_s"] for row in people] == [1.6, 1.6]  # 40 frames of speech
    assert sum(row["frames_to_paint"] for row in people) == sum(row["frames_to_paint"] for row in plan) > 0
    assert [(row["num_dub"], row["num_review"], row["num_leave"]) for row in people] == [(1, 0, 0)] * 2


def protected(away: float, *beside: dict[str, Any]) -> list[tuple[str, str]]:
    """Verdicts of a shot in which Ana, who is to be left, is seen so far from her picture, and others beside her."""
    row = film([face(0, ANA, 0.0, descriptor=_apart(away)), *beside])[0]
    row["cast_uri"] = "cast.csv"
    cast = CastList(descriptors={"Ana": np.array([descriptor(ANA)])}, verdicts={"Ana": Verdict.LEAVE})
    table = plan_shots(pa.Table.from_pylist([row], schema=TRACKED_SHOT), casts={"cast.csv": cast})
    return [(line["verdict"], line["reason"]) for line in plan_table(table).to_pylist()]


def _apart(away: float) -> list[float]:
    values = descriptor(ANA)
    values[EVE] += away
    return values


def test_who_is_to_be_left_is_left_even_beside_somebody_who_looks_more_like_their_picture() -> None:
    mirror = face(1, ANA, 0.0, speaking_score=0.1)

    assert protected(0.25, mirror)[0] == (Verdict.LEAVE, Reason.CAST)


@pytest.mark.parametrize(("away", "verdict"), [(0.49, "leave"), (0.55, "review"), (0.65, "dub")])
def test_who_may_be_somebody_to_be_left_waits_for_a_person(away: float, verdict: str) -> None:
    assert protected(away)[0][0] == verdict


@pytest.mark.parametrize(("wanted", "verdict"), [({"Ana": Verdict.LEAVE}, "review"), ({}, "dub")])
def test_a_face_that_cannot_be_recognised_waits_where_somebody_is_to_be_left(
    wanted: dict[str, Verdict], verdict: str
) -> None:
    row = film([track(0, descriptor=[])])[0] | {"cast_uri": "cast.csv"}
    cast = CastList(descriptors={"Ana": np.array([descriptor(ANA)])}, verdicts=wanted)
    table = plan_shots(pa.Table.from_pylist([row], schema=TRACKED_SHOT), casts={"cast.csv": cast})

    (line,) = plan_table(table).to_pylist()

    assert (line["person"], line["verdict"]) == (None, verdict)


def test_an_edited_plan_cannot_paint_whom_the_cast_list_leaves() -> None:
    cast = CastList(descriptors={"Ana": np.array([descriptor(ANA)])}, verdicts={"Ana": Verdict.LEAVE})
    before, now = planned(None), planned(cast)

    with pytest.raises(ValueError, match="cast list leaves Ana"):
        apply_edits(now, plan_table(before))
