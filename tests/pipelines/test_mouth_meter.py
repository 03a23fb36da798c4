"""What is said of lips is what was put into them."""

from collections.abc import Sequence

import numpy as np
import pytest

from diff2lip.metrics import Alignment, Phone
from pipelines.face_config import DetectorConfig
from pipelines.face_detector import FaceDetector
from pipelines.face_mesh import FaceMesh
from pipelines.mouth_meter import Mouth, closure_of, leakage_of, lips_apart, mouths_of
from tests.portraits import spoken_face

LIPS = np.random.default_rng(1).normal(100, 10, (40, 2))
TALKING = [index % 25 / 24 for index in range(100)]  # from closed to wide, four times


def mouths(openings: Sequence[float | None]) -> list[Mouth | None]:
    return [None if opening is None else Mouth(LIPS, opening) for opening in openings]


def test_lips_are_compared_where_both_are_seen() -> None:
    opened = LIPS.copy()
    opened[:20, 1] += 6  # half the points by 6 px: after the means are aligned each is 3 px off
    there = Mouth(LIPS, 0.0)

    figures = lips_apart([Mouth(opened, 0.0), None, there, there], [there, there, None], Alignment.TRANSLATION)

    assert figures["lmd_px"] == pytest.approx(3)
    assert figures["lmd_share"] == 0.25


def test_lips_that_nobody_saw_have_no_distance() -> None:
    assert lips_apart([None], [None], Alignment.TRANSLATION) == {"lmd_px": None, "lmd_share": 0}


def test_a_mouth_that_closes_for_silence_does_not_leak_and_one_that_talks_on_does() -> None:
    assert leakage_of(mouths([0.0] * 20), mouths(TALKING)) == {"leakage": 0}
    assert leakage_of(mouths(TALKING), mouths(TALKING))["leakage"] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("hushed", "source"), [([0.1], [0.2] * 50), ([None], TALKING), ([0.1], [None])], ids=["still", "unseen", "nobody"]
)
def test_leakage_without_a_range_is_not_measured(
    hushed: Sequence[float | None], source: Sequence[float | None]
) -> None:
    assert leakage_of(mouths(hushed), mouths(source)) == {"leakage": None}


def test_closure_is_looked_up_at_the_moments_of_the_frames_that_show_a_mouth() -> None:
    openings: list[float | None] = [0.8, 0.9] * 25
    openings[10], openings[11], openings[30] = 0.0, None, 0.0  # closed at 0.40 s and at 1.20 s
    openings[20:24] = [0.0] * 4  # somewhere without a phone, so that there is a range
    phones = [Phone("p", 0.41, 0.44), Phone("M", 1.20, 1.24), Phone("b", 1.60, 1.64), Phone("AA", 0.0, 0.1)]

    assert closure_of(mouths(openings), phones) == {"bilabial_closure": pytest.approx(2 / 3)}
    assert closure_of(mouths(openings), []) == {"bilabial_closure": None}
    assert closure_of(mouths([0.5] * 50), phones) == {"bilabial_closure": None}


def test_the_opening_that_is_seen_grows_with_the_one_that_was_drawn() -> None:
    drawn = (0.0, 0.3, 0.6)
    detector = FaceDetector(DetectorConfig(min_side_px=192, max_side_px=192))

    found = [next(mouths_of([spoken_face(opening)], detector, FaceMesh())) for opening in drawn]

    seen = [mouth.opening for mouth in found if mouth is not None]
    assert len(seen) == len(drawn)
    assert seen == sorted(seen)
    assert seen[-1] - seen[0] > 0.2
