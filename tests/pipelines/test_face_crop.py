"""Crops show the right place, and do not shimmer when they shrink."""

import numpy as np
import pytest

from pipelines.face_crop import crop_frame, enlargement, shown_box


def test_identity_affine_gives_the_pixels_themselves() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    assert np.array_equal(crop_frame(frame, np.eye(2, 3), 32), frame)


@pytest.mark.parametrize("shrink", [0.7, 1.0, 1.6, 2.0, 3.3, 5.0])
def test_pixel_centres_lie_where_the_affine_says(shrink: float) -> None:
    x, y = np.meshgrid(np.arange(200.0), np.arange(200.0))
    frame = np.stack([x, y, x], axis=-1).astype(np.uint8)  # a picture whose colour is its place
    start = 20.0
    affine = np.array([[1 / shrink, 0, -start / shrink], [0, 1 / shrink, -start / shrink]])
    crop = crop_frame(frame, affine, 24)
    expected = start + shrink * np.arange(24)
    assert np.abs(crop[:, :, 0] - expected[None]).max() <= 1
    assert np.abs(crop[:, :, 1] - expected[:, None]).max() <= 1
    assert enlargement(affine) == pytest.approx(shrink)


@pytest.mark.parametrize("size", [(200, 200), (197, 203)])
@pytest.mark.parametrize("start", [-9.0, 20.0, 90.0])
@pytest.mark.parametrize("shrink", [0.7, 1.5, 2.1, 3.3, 4.0, 7.5])
def test_a_crop_for_those_who_only_look_shows_the_same_places(
    shrink: float, start: float, size: tuple[int, int]
) -> None:
    height, width = size
    x, y = np.meshgrid(np.arange(float(width)), np.arange(float(height)))
    frame = np.stack([x, y, x], axis=-1).astype(np.uint8)
    affine = np.array([[1 / shrink, 0, -start / shrink], [0, 1 / shrink, -start / shrink]])
    crop = crop_frame(frame, affine, 16, finest=1)
    places = start + shrink * np.arange(16)
    inside = (places > 2 * shrink) & (places < min(size) - 1 - 4 * shrink)  # at the edge it is repeated
    assert inside.sum() >= 4 or start != 20.0
    assert np.abs(crop[inside][:, inside, 0] - places[inside][None]).max(initial=0) <= 1.5
    assert np.abs(crop[inside][:, inside, 1] - places[inside][:, None]).max(initial=0) <= 1.5


def test_finest_pattern_becomes_grey_when_shrunk() -> None:
    checkers = (np.indices((160, 160)).sum(0) % 2 * 255).astype(np.uint8)
    crop = crop_frame(np.repeat(checkers[..., None], 3, axis=2), np.array([[0.25, 0, 0.1], [0, 0.25, 0.2]]), 40)
    assert np.abs(crop[2:-2, 2:-2].astype(int) - 127).max() < 20


def test_a_crop_over_the_far_edge_repeats_it() -> None:
    frame = np.full((101, 103, 3), 50, np.uint8)
    frame[-1], frame[:, -1] = 250, 250  # one pixel of an edge is in no whole block
    crop = crop_frame(frame, np.array([[1 / 8, 0, -11.0], [0, 1 / 8, -11.0]]), 24)
    assert crop[-1, -1].tolist() == [250] * 3
    assert np.ptp(crop[6:, 6:].astype(int)) < 5


def test_a_crop_beside_the_picture_is_its_edge() -> None:
    frame = np.full((60, 60, 3), 50, np.uint8)
    for away in (-5000.0, 5000.0):
        crop = crop_frame(frame, np.array([[1 / 5, 0, away], [0, 1 / 5, away]]), 16)
        assert (crop == 50).all()


@pytest.mark.parametrize("shrink", [1.5, 2.0, 3.0, 4.0, 6.0])
def test_a_texture_is_as_sharp_wherever_the_crop_lies(shrink: float) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
    crops = [
        crop_frame(frame, np.array([[1 / shrink, 0, -start / shrink], [0, 1 / shrink, -start / shrink]]), 40)
        for start in 20 + np.arange(8) / 4
    ]
    spreads = [float(crop.std()) for crop in crops]
    assert max(spreads) < 1.13 * min(spreads)


@pytest.mark.parametrize("shrink", [0.8, 1.0, 1.7, 2.3, 6.4, 13.0])
def test_nothing_outside_the_shown_box_is_looked_at(shrink: float) -> None:
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (400, 400, 3), np.uint8)
    turn = np.deg2rad(20)
    linear = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) / shrink
    affine = np.hstack([linear, (8 - linear @ [200.0, 190.0])[:, None]])
    left, top, right, bottom = shown_box(affine, 16).astype(int).clip(0, 400)
    other = rng.integers(0, 256, frame.shape, np.uint8)
    other[top:bottom, left:right] = frame[top:bottom, left:right]

    assert (right - left) * (bottom - top) < 400 * 400
    assert np.array_equal(crop_frame(frame, affine, 16), crop_frame(other, affine, 16))
