"""Tracks by construction: who is who, from when to when, and how calm the crops are."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.transform import SimilarityTransform

from diff2lip.config import CropConfig
from pipelines.face_config import TrackConfig
from pipelines.face_crop import enlargement
from pipelines.face_frame import RIGID_INDICES, RIGID_TEMPLATE, apply, crop_affine, invert, similarity
from pipelines.face_tracks import (
    FITTED_AT_ONCE,
    Face,
    Look,
    SmoothTrack,
    link_faces,
    smooth,
    smooth_track,
)
from pipelines.head_pose import NOSE_TIP

Floats = NDArray[np.float64]

TIME_BASE = Fraction(1, 25)  # so pts count frames
HALF_SECOND_PTS = 12
EYE_DISTANCE_PX = 40.0


def face(
    x: float, y: float = 100.0, size: float = 60.0, tremor: Floats | None = None, look: Look | None = None
) -> Face:
    """A face whose eyes' middle lies at (x, y)."""
    landmarks = np.zeros((468, 2))
    landmarks[list(RIGID_INDICES)] = RIGID_TEMPLATE
    landmarks = landmarks * EYE_DISTANCE_PX + (x, y) + (0 if tremor is None else tremor)
    box = np.array([x - size / 2, y - size / 2, x + size / 2, y + size / 2])
    return Face(box, 0.9, landmarks, look)


def smoothed(frames: list[tuple[int, list[Face]]]) -> list[SmoothTrack]:
    tracks = link_faces(frames, HALF_SECOND_PTS, 0.25)
    pts = [at for at, _ in frames]
    return [smooth_track(track, pts, TIME_BASE, CropConfig(), TrackConfig()) for track in tracks]


def test_crossing_people_keep_their_tracks() -> None:
    frames = []
    for at in range(61):
        left, right = face(100 + 5 * at, y=100), face(400 - 5 * at, y=110)
        hidden = abs(at - 30) < 5  # the nearer one hides the other
        frames.append((at, [right] if hidden else [right, left]))
    first, second = link_faces(frames, HALF_SECOND_PTS, 0.25)
    assert [round(one.box[0]) for one in first.faces] == [70 + 5 * at for at in first.pts]
    assert [round(one.box[0]) for one in second.faces] == [370 - 5 * at for at in second.pts]
    assert (first.pts[-1], second.pts[-1]) == (60, 60)


@pytest.mark.parametrize("goes_back", [False, True])
def test_two_who_meet_and_stand_are_told_apart_by_their_looks(goes_back: bool) -> None:
    """They come from both sides, stand nearly in one place, and each goes on, or back: places alone cannot tell."""
    one, other = np.eye(2, dtype=np.float32)
    frames = []
    for at in range(61):
        away = 5 * max(0, abs(at - 30) - 10) * (1 if at < 30 or goes_back else -1)
        frames.append((at, [face(198 - away, look=one), face(202 + away, look=other)]))

    first, second = link_faces(frames, HALF_SECOND_PTS, 0.25)

    looks = [track.looks for track in (first, second) if track.looks is not None]
    assert np.array_equal(looks, 61 * np.eye(2))  # of two, each with itself 61 times
    assert len(first.pts) == len(second.pts) == 61


def test_tracks_begin_and_end_with_the_frame() -> None:
    frames = [(at, [face(100)] * (10 <= at < 37) + [face(300)] * (at >= 20)) for at in range(50)]
    spans = [(track.pts[0], track.pts[-1]) for track in smoothed(frames)]
    assert spans == [(10, 36), (20, 49)]


def test_tracks_that_begin_together_are_ordered_from_left_to_right() -> None:
    frames = [(at, [face(300), face(100), face(200)]) for at in range(5)]
    assert [track.faces[0].box[0] for track in link_faces(frames, HALF_SECOND_PTS, 0.25)] == [70, 170, 270]


def test_short_gap_is_bridged_on_a_straight_line_and_marked() -> None:
    frames = [(at, [] if 20 <= at < 28 else [face(100 + 3 * at)]) for at in range(60)]
    (track,) = smoothed(frames)
    assert [at for at, seen in zip(track.pts, track.detected, strict=True) if not seen] == list(range(20, 28))
    assert np.allclose(track.boxes[:, 0], 70 + 3 * np.arange(60), atol=1e-6)
    assert np.allclose(track.landmarks[:, NOSE_TIP, 0], 100 + 3 * np.arange(60), atol=1e-6)


def test_long_gap_ends_the_track() -> None:
    frames = [(at, [] if 20 <= at < 20 + HALF_SECOND_PTS else [face(100)]) for at in range(60)]
    assert [(track.pts[0], track.pts[-1]) for track in smoothed(frames)] == [(0, 19), (32, 59)]


@pytest.mark.parametrize(
    "moments",
    [
        pytest.param([25 * at for at in range(20)], id="a frame a second"),
        pytest.param([at + (15 if at >= 25 else 0) for at in range(50)], id="one frame is shown for 0.64 s"),
    ],
)
def test_a_frame_that_is_shown_long_parts_no_track(moments: list[int]) -> None:
    (track,) = smoothed([(at, [face(100)]) for at in moments])

    assert track.pts == moments
    assert all(track.detected)


def test_a_face_that_is_gone_while_a_frame_is_shown_long_comes_back_as_another_track() -> None:
    frames = [(at, [] if at == 25 else [face(100)]) for at in [*range(26), *range(40, 60)]]

    assert [(track.pts[0], track.pts[-1]) for track in smoothed(frames)] == [(0, 24), (40, 59)]


def test_leap_begins_another_track() -> None:
    frames = [(at, [face(100 if at < 25 else 400)]) for at in range(50)]
    assert [(track.pts[0], track.pts[-1]) for track in smoothed(frames)] == [(0, 24), (25, 49)]


def test_face_of_one_frame_is_a_track() -> None:
    (track,) = smoothed([(7, [face(100)])])
    assert track.pts == [7]
    assert track.affines.shape == (1, 2, 3)


@settings(deadline=None, max_examples=25)
@given(
    steps=st.lists(st.floats(0.02, 0.09), min_size=4, max_size=40),
    parabola=st.tuples(*[st.floats(-50, 50)] * 3),
    sigma_s=st.floats(0.01, 0.3),
)
def test_steady_acceleration_comes_through_without_delay(
    steps: list[float], parabola: tuple[float, float, float], sigma_s: float
) -> None:
    times = np.cumsum(steps)
    values = np.polyval(parabola, times)[:, None]
    assert np.allclose(smooth(times, values, sigma_s), values, atol=1e-6 * (1 + np.abs(values).max()))


def test_each_frame_of_a_long_uneven_take_has_the_value_of_its_own_parabola() -> None:
    """More frames than are fitted at once; numpy's weighted fit says what each should be."""
    rng = np.random.default_rng(0)
    times, sigma = np.cumsum(rng.uniform(0.02, 0.06, FITTED_AT_ONCE + 80)), 0.1
    values = rng.normal(size=(len(times), 2))
    calm = smooth(times, values, sigma)
    for index in [0, 1, 7, *range(FITTED_AT_ONCE - 3, FITTED_AT_ONCE + 3), len(times) - 1]:
        near = np.abs(times - times[index]) < 3 * sigma
        weights = np.exp(-(((times[near] - times[index]) / sigma) ** 2) / 4)
        wanted = np.polyfit(times[near] - times[index], values[near], 2, w=weights)[-1]
        assert calm[index] == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_face_frame_is_the_nearest_similarity(mirrored: bool) -> None:
    """As scikit-image finds it by a decomposition; a mirrored target is only turned."""
    rng = np.random.default_rng(int(mirrored))
    for _ in range(50):
        source = rng.normal(size=(10, 2)) * rng.uniform(1, 100)
        target = source * ((-1 if mirrored else 1), 1) + rng.normal(size=(10, 2))
        ours = similarity(source, target)
        assert ours[0, 0] == pytest.approx(ours[1, 1])
        assert ours[0, 1] == pytest.approx(-ours[1, 0])
        left = ((apply(ours, source) - target) ** 2).sum()
        other = SimilarityTransform.from_estimate(source, target).params[:2]
        assert left <= ((apply(other, source) - target) ** 2).sum() + 1e-9
        if not mirrored:
            assert ours == pytest.approx(other, abs=1e-9 * np.abs(other).max())


def test_tremor_of_the_mesh_does_not_reach_the_crop() -> None:
    generator = np.random.default_rng(0)
    frames = [(at, [face(100 + 2 * at, tremor=generator.normal(0, 1, (468, 2)))]) for at in range(80)]
    (calm,) = smoothed(frames)
    raw = [crop_affine(faces[0].landmarks, CropConfig()) for _, faces in frames]
    trembling, steady = (np.std([enlargement(affine) for affine in affines]) for affines in (raw, calm.affines))
    assert steady < trembling / 2
    eyes = np.array([apply(affine, np.array([100.0 + 2 * at, 100])) for at, affine in enumerate(calm.affines)])
    assert np.abs(eyes - eyes.mean(0)).max() < 1.5  # a moving face stands still in its crop


def test_crop_shows_the_face_frames_window() -> None:
    crop = CropConfig()
    (track,) = smoothed([(at, [face(100, y=80)]) for at in range(10)])
    corner = apply(invert(track.affines[5]), np.array([-0.5, -0.5]))
    assert np.allclose(corner, [100 + crop.left * EYE_DISTANCE_PX, 80 + crop.top * EYE_DISTANCE_PX], atol=1e-6)


def test_a_face_that_another_one_hides_from_one_side_is_met_where_it_comes_out() -> None:
    """Its box shrinks before it is lost: the middle of what is left lags behind, its edges seem to close."""

    def box(place: int) -> np.ndarray:
        left, right = 300.0 + 20 * place, 420.0 + 20 * place
        return np.array([left, 100.0, min(right, 640 - 20 * place), 260.0])  # the other one comes from the right

    def other(place: int) -> np.ndarray:
        return np.array([640.0 - 20 * place, 100.0, 760.0 - 20 * place, 260.0])

    lost = range(8, 13)
    came_out = {place: np.array([300.0 + 20 * place, 100.0, 420.0 + 20 * place, 260.0]) for place in range(13, 25)}
    frames = [
        (
            place,
            [Face(one, 0.9, np.zeros((468, 2))) for one in (came_out.get(place, box(place)), other(place))]
            if place not in lost
            else [Face(other(place), 0.9, np.zeros((468, 2)))],
        )
        for place in range(25)
    ]

    tracks = link_faces(frames, 12, 0.25)

    assert [len(track.pts) for track in tracks] == [20, 25]
    assert [track.faces[-1].box[0] for track in tracks] == [300 + 20 * 24, 640 - 20 * 24]
