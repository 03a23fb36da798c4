"""What hides a mouth, and whether it is a face that passes in front: by construction."""

import numpy as np
import pytest

from pipelines.face_sight import LOOK_EVERY, HiddenMouth
from pipelines.face_tracks import SmoothTrack
from pipelines.hidden_mouth import FACE, THING, hidden_looks
from pipelines.mouth_cover import cover_spans
from schemas.reason import Cover

SIDE_PX = 50.0
NUM_FRAMES = 60
UNSEEN = range(24, 36)


def face(lefts: dict[int, float], unseen: range = range(0)) -> SmoothTrack:
    """A face of 50 px whose left edge lies there in each frame."""
    pts = list(lefts)
    boxes = np.array([[left, 0.0, left + SIDE_PX, SIDE_PX] for left in lefts.values()])
    return SmoothTrack(
        pts=pts,
        detected=[at not in unseen for at in pts],
        scores=np.ones(len(pts)),
        boxes=boxes,
        landmarks=np.zeros((len(pts), 468, 2)),
        openings=np.zeros(len(pts)),
        affines=np.zeros((len(pts), 2, 3)),
    )


STANDS = face(dict.fromkeys(range(NUM_FRAMES), 100.0), UNSEEN)
PASSES = face({at: 100.0 + 5 * (at - 30) for at in range(NUM_FRAMES)})  # touches it for 20 frames, behind or in front
FREE = [HiddenMouth(at, np.zeros(2)) for at in range(0, NUM_FRAMES, LOOK_EVERY) if at not in UNSEEN]


def test_a_face_that_is_not_found_is_hidden_by_a_thing_unless_another_face_touches_it() -> None:
    for beside, kind, other in (([], THING, FACE), ([PASSES], FACE, THING)):
        pts, shares = hidden_looks(STANDS, FREE, beside)

        hidden = np.isin(pts, UNSEEN)
        assert pts == sorted(pts)
        assert hidden.sum() == len(UNSEEN) / LOOK_EVERY
        np.testing.assert_array_equal(shares[:, kind], hidden.astype(float))
        assert not shares[:, other].any()


@pytest.mark.parametrize("beside", [face({0: 100.0, 1: 100.0}), face({30: 200.0}), face({30: 156.0})])
def test_a_face_elsewhere_or_at_another_time_hides_nothing(beside: SmoothTrack) -> None:
    _, shares = hidden_looks(STANDS, FREE, [beside])

    assert shares[:, THING].any()
    assert not shares[:, FACE].any()


def test_a_face_that_is_not_found_itself_hides_nothing() -> None:
    _, shares = hidden_looks(STANDS, FREE, [face(dict.fromkeys(range(NUM_FRAMES), 110.0), range(20, 40))])

    assert shares[8:12, THING].all()
    assert not shares[8:12, FACE].any()


def test_the_hair_that_hides_it_first_belongs_to_the_face_and_letters_stay_letters() -> None:
    looks = [HiddenMouth(at, np.array([0.4, 0.2]) if at == 18 else np.zeros(2)) for at in range(0, 24, LOOK_EVERY)]
    enters = face({at: 140.0 for at in range(21, 40)})  # found one look later than its hair is noticed

    pts, shares = hidden_looks(face(dict.fromkeys(range(24), 100.0)), looks, [enters])

    np.testing.assert_allclose(shares[pts.index(18)], [0.0, 0.2, 0.4])


def test_a_track_too_short_for_a_look_has_none() -> None:
    pts, shares = hidden_looks(face({0: 0.0, 1: 0.0}), [], [PASSES])

    assert pts == []
    assert cover_spans(pts, shares, 0.1, (0, 2), tuple(Cover)) == []


def test_a_head_beside_it_that_does_not_reach_the_mouth_leaves_a_hand_a_hand() -> None:
    looks = [HiddenMouth(at, np.array([0.9, 0.0])) for at in range(0, 24, LOOK_EVERY)]
    stands = face(dict.fromkeys(range(24), 100.0))

    for left, kind in ((156.0, THING), (154.0, FACE)):  # its hair ends 15 px before its face, the mouth at 140
        _, shares = hidden_looks(stands, looks, [face(dict.fromkeys(range(24), left))])
        assert shares[:, kind].all()
