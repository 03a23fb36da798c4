"""The published crop: its boxes, its smoothing, its way there and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.face_box import (
    BoxPadding,
    lay_back,
    painted_part,
    smooth_boxes,
    squash,
    voxceleb2_box,
    whole_box,
)

FRAME = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)


def test_boxes_are_smoothed_as_published() -> None:
    boxes = np.arange(10)[:, None] + np.array([0, 100, 200, 300])

    assert smooth_boxes(boxes).T.tolist() == [
        [edge + place for place in (2, 3, 4, 5, 6, 7, 7, 7, 7, 7)] for edge in (0, 100, 200, 300)
    ]
    assert boxes[0, 0] == 0  # what was given stays


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=12), st.integers(0, 6))
def test_only_the_last_four_frames_depend_on_where_a_clip_ends(edges: list[int], more: int) -> None:
    boxes = np.array(edges + [7] * (4 + more))[:, None].repeat(4, 1)
    whole, cut = smooth_boxes(boxes), smooth_boxes(boxes[: len(edges) + 4])

    assert (whole[: len(edges)] == cut[: len(edges)]).all()


def test_a_face_that_rests_keeps_its_box() -> None:
    assert (smooth_boxes(np.full((3, 4), 17)) == 17).all()


def test_the_box_of_voxceleb2_is_the_published_one() -> None:
    left, top, right, bottom = voxceleb2_box(224, 224)

    assert (top, bottom - 1, left, right - 1) == (0, 157, 50, 173)


@pytest.mark.parametrize(
    ("box", "padding", "wanted"),
    [
        ((10.2, 20.4, 49.7, 69.0), BoxPadding(), (10, 20, 50, 69)),  # pixel centres at integers: edges half further
        ((-8.0, -3.0, 300.0, 200.0), BoxPadding(), (0, 0, 120, 90)),
        ((10.2, 20.4, 49.7, 69.0), BoxPadding(top=5, bottom=100, left=20, right=-10), (0, 15, 40, 90)),
    ],
)
def test_a_box_is_cut_padded_and_kept_within_the_frame(
    box: tuple[float, ...], padding: BoxPadding, wanted: tuple[int, ...]
) -> None:
    assert tuple(whole_box(np.array(box), padding, 120, 90)) == wanted


def test_a_box_of_the_crops_own_size_comes_back_as_it_was() -> None:
    box = np.array([30, 10, 94, 74])
    crop = squash(FRAME, box, 64)

    assert (crop == FRAME[10:74, 30:94]).all()
    assert (lay_back(FRAME, crop, box) == FRAME).all()


def test_nothing_outside_the_box_is_changed() -> None:
    box = np.array([30, 10, 80, 71])
    laid = lay_back(FRAME, np.zeros((64, 64, 3), np.uint8), box)

    assert not laid[10:71, 30:80].any()
    laid[10:71, 30:80] = FRAME[10:71, 30:80]
    assert (laid == FRAME).all()


def test_the_painted_part_is_the_lower_half_with_a_thin_border() -> None:
    part = painted_part(np.array([30, 10, 80, 70]), 0.5, 120, 90)

    assert (part[42:69, 32:78] == 1).all()
    assert not part[:39].any()
    assert not part[71:].any()
    assert 0 < part[40, 50] < 1
