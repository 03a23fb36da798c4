"""Stretches are runs of frames with a face, within the sound, none too long and none too short; windows fit."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diff2lip.config import CropConfig, whole_face
from pipelines.clip_face import of_one_size, stretches_of
from pipelines.clip_meter import judge_affine, sharpness
from pipelines.face_frame import apply
from pipelines.media.container import UndecodableError
from pipelines.training_window import TRAINING_WINDOW
from tests.vox_tree import portrait


def test_a_gap_parts_two_stretches_and_four_frames_are_none() -> None:
    seen = [True] * 8 + [False] + [True] * 4 + [False] + [True] * 5

    assert list(stretches_of(seen, 10, 1000)) == [range(10, 18), range(24, 29)]


def test_frames_without_sound_are_in_no_stretch() -> None:
    assert list(stretches_of([True] * 20, 3, 15)) == [range(3, 15)]
    assert list(stretches_of([True] * 20, 3, 7)) == []


def test_a_long_run_is_cut_into_equal_parts_so_that_no_frame_is_lost() -> None:
    assert list(stretches_of([True] * 251, 0, 251)) == [range(0, 125), range(125, 251)]


@given(st.lists(st.booleans(), max_size=600), st.integers(0, 5), st.integers(0, 700))
def test_stretches_never_overlap_and_hold_only_frames_with_a_face(seen: list[bool], first: int, heard: int) -> None:
    stretches = list(stretches_of(seen, first, heard))
    frames = [index for stretch in stretches for index in stretch]

    assert frames == sorted(set(frames))
    assert all(seen[index - first] and index < heard for index in frames)
    assert all(5 <= len(stretch) <= 250 for stretch in stretches)


@pytest.mark.parametrize("model", [whole_face(128), CropConfig()], ids=["whole_face", "small"])
def test_what_any_model_sees_lies_in_the_window_with_room_to_move(model: CropConfig) -> None:
    sides = [
        model.left - TRAINING_WINDOW.left,
        model.top - TRAINING_WINDOW.top,
        TRAINING_WINDOW.left + TRAINING_WINDOW.width - model.left - model.width,
        TRAINING_WINDOW.top + TRAINING_WINDOW.width - model.top - model.width,
    ]

    assert min(sides) >= 0.08 * whole_face(128).width  # a crop may be moved by that much and turned by 4 degrees
    assert TRAINING_WINDOW.size_px * model.width / TRAINING_WINDOW.width >= model.size_px  # never enlarged


def test_a_picture_that_changes_its_size_is_undecodable() -> None:
    with pytest.raises(UndecodableError, match="frame 1"):
        list(of_one_size([np.zeros((8, 8, 3), np.uint8), np.zeros((8, 6, 3), np.uint8)]))


def test_the_judge_sees_the_face_with_more_below_than_above() -> None:
    box = np.array([100.0, 50.0, 200.0, 150.0])  # half its side is 50: from 50 above the middle to 90 below it
    corners = apply(judge_affine(box), np.array([[80.0, 50.0], [220.0, 190.0]]))

    np.testing.assert_allclose(corners, [[-0.5, -0.5], [223.5, 223.5]], atol=0.9)  # pixel centres lie at integers


def test_a_blurred_face_is_less_sharp() -> None:
    face = cv2.resize(portrait(0.5), (192, 192))

    assert (
        sharpness(cv2.GaussianBlur(face, (0, 0), 2)) < sharpness(cv2.GaussianBlur(face, (0, 0), 1)) < sharpness(face)
    )
    assert sharpness(np.full((192, 192, 3), 90, np.uint8)) == 0
