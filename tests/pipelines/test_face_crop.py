"""Crops show the right place, and do not shimmer when they shrink."""

import numpy as np
import pytest

from pipelines.face_crop import crop_frame, enlargement


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


def test_finest_pattern_becomes_grey_when_shrunk() -> None:
    checkers = (np.indices((160, 160)).sum(0) % 2 * 255).astype(np.uint8)
    crop = crop_frame(np.repeat(checkers[..., None], 3, axis=2), np.array([[0.25, 0, 0.1], [0, 0.25, 0.2]]), 40)
    assert np.abs(crop[2:-2, 2:-2].astype(int) - 127).max() < 20
