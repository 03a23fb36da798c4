"""Colours meet in the feather, the mask stays on the face, chroma lies where its siting says."""

import numpy as np
import pytest

from diff2lip.config import CropConfig
from pipelines.blend import BlendConfig, colour_offset, replacement, to_film
from pipelines.face_frame import apply, crop_affine, invert
from pipelines.mask import MaskConfig, Rect, mask_rect, mouth_mask
from pipelines.media.coding import Coding
from pipelines.patch import Patch, chroma_blocks, lay, patch_of
from tests.pipelines.faces_drawn import drawn_landmarks

CROP = CropConfig(size_px=64)
LANDMARKS = drawn_landmarks((200.0, 150.0), 60.0, 0.2)
AFFINE = crop_affine(LANDMARKS, CROP)
SKIN = np.full((64, 64, 3), (180, 140, 120), np.uint8)
YUV420 = Coding(bits=8, chroma_x=2, chroma_y=2, matrix=1, full_range=False)


def offset_of(painted: np.ndarray) -> list[float]:
    crops = [(SKIN, painted, LANDMARKS, AFFINE)] * 3
    return colour_offset(crops, CROP, MaskConfig(), BlendConfig()).tolist()


def test_a_colour_cast_of_the_painter_is_taken_out() -> None:
    assert offset_of((SKIN + np.array([6, -4, 3])).astype(np.uint8)) == [-6, 4, -3]


def test_a_moved_jaw_is_no_colour_cast() -> None:
    painted = SKIN.copy()
    painted[48:] = (20, 20, 20)  # what was chin is background now

    assert offset_of(painted) == [0, 0, 0]


def test_the_colour_match_has_a_bound() -> None:
    assert max(map(abs, offset_of((SKIN - np.array([20, 20, 20])).astype(np.uint8)))) <= BlendConfig().max_offset


def mask_in(rect: Rect) -> np.ndarray:
    return mouth_mask(LANDMARKS, AFFINE, rect, CROP, MaskConfig())


def test_the_mask_is_whole_on_the_lips_and_empty_beside_the_face() -> None:
    rect = mask_rect(AFFINE, CROP, 400, 300)
    assert rect is not None
    mask = mask_in(rect)
    to_px = invert(AFFINE)

    def at(x: float, y: float) -> float:
        """At a place of the face frame."""
        u = (np.array([x - CROP.left, y - CROP.top]) / CROP.width) * CROP.size_px - 0.5
        column, row = np.round(apply(to_px, u)).astype(int) - (rect.x, rect.y)
        return float(mask[row, column])

    assert at(0.0, 0.8) == at(-0.2, 0.8) == at(0.2, 0.75) == 1  # lips
    assert at(0.0, 0.58) == 0  # nose
    assert at(-0.72, 0.95) == at(0.72, 0.95) == 0  # beside the jaw
    assert 0 <= mask.min() <= mask.max() <= 1
    assert all(not edge.any() for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))


def test_rectangles_are_even_and_within_the_film() -> None:
    for x in range(-100, 500, 37):
        rect = mask_rect(crop_affine(drawn_landmarks((x, 150.0), 60.0), CROP), CROP, 401, 303)
        if rect is not None:
            assert not any(side % 2 for side in (rect.x, rect.y, rect.width, rect.height))
            assert rect.x >= 0
            assert rect.x + rect.width <= 400
            assert rect.y + rect.height <= 302
    assert mask_rect(crop_affine(drawn_landmarks((2000.0, 150.0), 60.0), CROP), CROP, 400, 300) is None


def test_nothing_is_replaced_where_nothing_changed() -> None:
    skin = SKIN.astype(np.float32)

    assert not replacement(skin, skin, apply(AFFINE, LANDMARKS), CROP, BlendConfig()).any()


def test_a_crop_lands_where_its_affine_says() -> None:
    v, u = np.mgrid[:64, :64].astype(np.float32)
    rect = Rect(180, 180, 30, 20)

    found = to_film(np.stack([u, v, u], -1), AFFINE, rect)

    y, x = np.mgrid[: rect.height, : rect.width]
    wanted = apply(AFFINE, np.stack([x + rect.x, y + rect.y], -1).astype(float))
    assert np.abs(found[..., :2] - wanted).max() < 0.05  # OpenCV counts in 1/32 px


@pytest.mark.parametrize(("chroma_x", "chroma_y"), [(2, 2), (2, 1), (1, 1)])
def test_chroma_lies_on_even_columns_and_between_rows(chroma_x: int, chroma_y: int) -> None:
    coding = Coding(bits=8, chroma_x=chroma_x, chroma_y=chroma_y, matrix=1, full_range=False)
    y, x = np.mgrid[:8, :12].astype(np.float32)

    columns, rows = coding.at_chroma(x), coding.at_chroma(y)

    assert columns[0, 1:-1].tolist() == list(range(chroma_x, 12 - chroma_x, chroma_x))
    assert rows[:, 0].tolist() == [row + (chroma_y - 1) / 2 for row in range(0, 8, chroma_y)]


def test_a_patch_comes_back_from_its_row_and_writes_only_under_its_mask() -> None:
    rng = np.random.default_rng(0)
    rect = Rect(4, 2, 8, 6)
    planes = [rng.integers(0, 255, shape).astype(np.uint8) for shape in ((6, 8), (3, 4), (3, 4))]
    mask = rng.random((6, 8)) > 0.6
    patch = patch_of(Patch(7, 1, rect, planes, mask).row(), YUV420)

    frame = [np.zeros(shape, np.uint8) for shape in ((12, 16), (6, 8), (6, 8))]
    lay(patch, frame, YUV420)

    assert np.array_equal(frame[0][2:8, 4:12], np.where(mask, planes[0], 0))
    assert np.array_equal(frame[1][1:4, 2:6], np.where(chroma_blocks(mask, YUV420), planes[1], 0))
    assert frame[0][:2].sum() == frame[0][:, :4].sum() == 0
