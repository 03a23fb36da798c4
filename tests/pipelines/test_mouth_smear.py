"""A mouth that moves at a known speed is smeared by half of what it moves in a frame."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.face_frame import MOUTH_LEFT, MOUTH_RIGHT
from pipelines.face_tracks import SmoothTrack
from pipelines.mouth_smear import mouth_smear

WIDTH_PX = 40.0


def moving(steps_px: list[float]) -> SmoothTrack:
    """A track whose mouth moves to the right by so much from frame to frame."""
    count = len(steps_px) + 1
    landmarks = np.zeros((count, 468, 2))
    landmarks[:, MOUTH_RIGHT, 0] = WIDTH_PX
    landmarks[..., 0] += np.cumsum([0.0, *steps_px])[:, None]
    zeros = np.zeros(count)
    return SmoothTrack(
        pts=list(range(count)),
        detected=[True] * count,
        scores=zeros,
        boxes=np.zeros((count, 4)),
        landmarks=landmarks,
        openings=zeros,
        affines=np.zeros((count, 2, 3)),
    )


def test_smear_is_half_of_the_motion_over_the_mouths_width() -> None:
    assert mouth_smear(moving([8.0] * 20)) == pytest.approx(0.1)
    assert mouth_smear(moving([0.0] * 20)) == 0


def test_a_jerk_in_one_frame_of_many_does_not_smear_the_track() -> None:
    assert mouth_smear(moving([0.0] * 20 + [60.0])) == 0


def test_a_talking_mouth_that_stays_is_not_smeared() -> None:
    track = moving([0.0] * 20)
    swaying = track.landmarks.copy()
    swaying[::2, MOUTH_LEFT, 0] -= 3.0  # it grows wider and narrower
    swaying[::2, MOUTH_RIGHT, 0] += 3.0
    assert mouth_smear(replace(track, landmarks=swaying)) == 0


def test_one_frame_is_not_smeared() -> None:
    assert mouth_smear(moving([])) == 0
