"""A run of GOPs is encoded until it is good enough, and not with more bytes than that takes."""

import numpy as np
import pytest

from pipelines.media.coding import Coding
from pipelines.media.encode import EncodeConfig
from pipelines.media.run_quality import COARSEST_CRF, EQUAL_DB, MAX_TRIES, Quality, next_crf, rank, worst_plane_db

CODING = Coding(bits=8, chroma_x=2, chroma_y=2, matrix=1, full_range=False)


@pytest.mark.parametrize(
    ("tries", "crf"),
    [
        ([(14, 50.0, 1.2)], None),
        ([(14, 43.0, 1.1)], 12),
        ([(14, 40.0, 1.6)], 12),
        ([(14, 43.0, 1.1), (12, 44.5, 1.5)], 11),
        ([(14, 43.0, 2.0)], None),
        ([(14, 52.0, 4.0)], 20),
        ([(14, 47.5, 4.0)], 16),
        ([(14, 45.5, 4.0)], None),
        ([(14, 41.0, 4.0)], 20),
        ([(14, 52.0, 4.0), (20, 44.0, 1.9)], None),
        ([(14, 52.0, 4.0), (20, 44.0, 1.5)], 19),
        ([(5, 40.0, 1.0)], None),
        ([(22, 52.0, 9.0)], 26),
        ([(26, 50.0, 4.3)], None),
    ],
)
def test_the_next_crf(tries: list[tuple[int, float, float]], crf: int | None) -> None:
    assert next_crf([Quality(*one) for one in tries]) == crf


@pytest.mark.parametrize(
    ("codec", "tries", "crf"),
    [
        ("mjpeg", [(14, 44.0, 0.7)], 5),
        ("mjpeg", [(14, 44.0, 0.7), (5, 44.5, 1.1)], None),
        ("mjpeg", [(14, 60.0, 4.0)], None),
        ("mjpeg", [(14, 42.0, 2.1)], None),
        ("prores", [(14, 36.0, 0.7)], None),
        ("dnxhd", [(14, 42.0, 1.0)], None),
    ],
)
def test_mjpeg_has_two_steps_and_other_codecs_of_frames_by_themselves_have_one(
    codec: str, tries: list[tuple[int, float, float]], crf: int | None
) -> None:
    assert next_crf([Quality(*one) for one in tries], codec) == crf


@pytest.mark.parametrize("cost", [0.2, 1.0, 5.0, 20.0])
@pytest.mark.parametrize("noise", [38.0, 44.0, 52.0])
def test_the_search_ends_with_what_is_wanted(cost: float, noise: float) -> None:
    """Of films of which a CRF more costs a decibel, and six halve the bytes."""
    tries: list[Quality] = []
    crf: int | None = 14
    while crf is not None:
        tries.append(Quality(crf, noise + 14 - crf, cost * 2 ** ((14 - crf) / 6)))
        crf = next_crf(tries)

    best = min(tries, key=rank)

    assert len(tries) <= MAX_TRIES
    assert best.is_enough or best.crf == min(one.crf for one in tries) <= 5
    assert best.growth < 2.9 or best.psnr_db < 46.5


def test_painted_rectangles_do_not_count() -> None:
    old = [np.full(shape, 100, np.uint8) for shape in ((16, 16), (8, 8), (8, 8))]
    new = [plane.copy() for plane in old]
    new[0][4:8, 2:6] = 0
    new[1][2:4, 1:3] = 0

    assert worst_plane_db(old, new, [[2, 4, 4, 4]], CODING) == EQUAL_DB
    assert worst_plane_db(old, new, [], CODING) < 21
    new[2] += 1
    assert worst_plane_db(old, new, [[2, 4, 4, 4]], CODING) == pytest.approx(48.13, abs=0.01)


@pytest.mark.parametrize("crf", [-1, COARSEST_CRF + 1])
def test_a_crf_that_smears_what_was_painted_is_refused_before_anything_is_painted(crf: int) -> None:
    with pytest.raises(ValueError, match=f"crf must lie in 0..{COARSEST_CRF}"):
        EncodeConfig(crf=crf)
