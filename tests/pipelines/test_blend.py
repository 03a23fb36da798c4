"""Colours meet in the feather, the mask stays on the face, chroma lies where its siting says."""

import numpy as np
import pytest

from diff2lip.config import CropConfig
from pipelines.blend import BlendConfig, blend_planes, colour_offset, replacement, to_film
from pipelines.face_frame import apply, crop_affine, invert
from pipelines.mask import MaskConfig, Rect, mask_rect, mouth_mask
from pipelines.media.coding import Coding
from pipelines.media.siting import Siting
from pipelines.painted_frame import PaintedFrame
from pipelines.patch import Patch, chroma_blocks, lay, patch_of
from tests.pipelines.faces_drawn import drawn_landmarks

CROP = CropConfig(size_px=64)
LANDMARKS = drawn_landmarks((200.0, 150.0), 60.0, 0.2)
AFFINE = crop_affine(LANDMARKS, CROP)
SKIN = np.full((64, 64, 3), (180, 140, 120), np.uint8)
YUV420 = Coding(bits=8, chroma_x=2, chroma_y=2, matrix=1, full_range=False)


FREE = np.ones((64, 64), np.float32)


def offset_of(painted: np.ndarray, source: np.ndarray = SKIN, free: np.ndarray = FREE) -> list[float]:
    frames = [(PaintedFrame(1.0, LANDMARKS, AFFINE, source, painted), free)] * 3
    return colour_offset(frames, CROP, MaskConfig(), BlendConfig()).tolist()


def test_a_colour_cast_of_the_painter_is_taken_out_of_the_composite() -> None:
    assert offset_of((SKIN + np.array([6, -4, 3])).astype(np.uint8)) == [-6, 4, -3]


def test_a_moved_jaw_is_no_colour_cast() -> None:
    painted = SKIN.copy()
    painted[48:] = (20, 20, 20)  # what was chin is background now

    assert offset_of(painted) == [0, 0, 0]


def test_a_red_thing_before_most_of_the_ring_is_no_colour_cast() -> None:
    """It is painted over in a red that is near: so near that the bound of small differences lets it pass."""
    thing = np.broadcast_to(np.arange(64) < 42, (64, 64))
    source = np.where(thing[..., None], (220, 20, 25), SKIN).astype(np.uint8)
    painted = np.where(thing[..., None], (202, 32, 35), SKIN + np.array([6, -4, 3])).astype(np.uint8)

    assert offset_of(painted, source, np.float32(~thing)) == [-6, 4, -3]
    assert offset_of(painted, source)[0] > 0
    assert offset_of(painted, source, 0 * FREE) == [0, 0, 0]


def test_the_colour_match_of_a_composite_has_a_bound() -> None:
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


def test_composited_rectangles_are_even_and_within_the_film() -> None:
    for x in range(-100, 500, 37):
        rect = mask_rect(crop_affine(drawn_landmarks((x, 150.0), 60.0), CROP), CROP, 401, 303)
        if rect is not None:
            assert not any(side % 2 for side in (rect.x, rect.y, rect.width, rect.height))
            assert rect.x >= 0
            assert rect.x + rect.width <= 400
            assert rect.y + rect.height <= 302
    assert mask_rect(crop_affine(drawn_landmarks((2000.0, 150.0), 60.0), CROP), CROP, 400, 300) is None


def test_nothing_is_replaced_in_a_composite_where_nothing_changed() -> None:
    skin = SKIN.astype(np.float32)

    assert not replacement(skin, skin, apply(AFFINE, LANDMARKS), CROP, BlendConfig()).any()


def test_a_composited_crop_lands_where_its_affine_says() -> None:
    v, u = np.mgrid[:64, :64].astype(np.float32)
    rect = Rect(180, 180, 30, 20)

    found = to_film(np.stack([u, v, u], -1), AFFINE, rect)

    y, x = np.mgrid[: rect.height, : rect.width]
    wanted = apply(AFFINE, np.stack([x + rect.x, y + rect.y], -1).astype(float))
    assert np.abs(found[..., :2] - wanted).max() < 0.05  # OpenCV counts in 1/32 px


PLACES = {  # of the first chroma sample of 4:2:0, in luma columns and rows (ITU-T H.264, Figure E-1)
    Siting.LEFT: (0, 0.5),
    Siting.CENTRE: (0.5, 0.5),
    Siting.TOP_LEFT: (0, 0),
    Siting.TOP: (0.5, 0),
    Siting.BOTTOM_LEFT: (0, 1),
    Siting.BOTTOM: (0.5, 1),
}


def sited(siting: Siting, chroma_x: int = 2, chroma_y: int = 2) -> Coding:
    return Coding(bits=8, chroma_x=chroma_x, chroma_y=chroma_y, matrix=1, full_range=False, siting=siting)


@pytest.mark.parametrize(("chroma_x", "chroma_y"), [(2, 2), (2, 1), (1, 1)])
@pytest.mark.parametrize("siting", Siting)
def test_chroma_is_composited_where_the_films_siting_puts_it(siting: Siting, chroma_x: int, chroma_y: int) -> None:
    coding = sited(siting, chroma_x, chroma_y)
    y, x = np.mgrid[:8, :12].astype(np.float32)
    column, row = (place * (step - 1) for place, step in zip(PLACES[siting], (chroma_x, chroma_y), strict=True))

    columns, rows = coding.at_chroma(x), coding.at_chroma(y)

    assert columns.shape == rows.shape == (8 // chroma_y, 12 // chroma_x)
    assert columns[0, 1:-1].tolist() == [place + column for place in range(chroma_x, 12 - chroma_x, chroma_x)]
    assert rows[1:-1, 0].tolist() == [place + row for place in range(chroma_y, 8 - chroma_y, chroma_y)]


@pytest.mark.parametrize("siting", Siting)
def test_the_masks_edge_covers_as_much_of_a_chroma_sample_as_lies_under_it(siting: Siting) -> None:
    mask = np.zeros((12, 12), np.float32)
    mask[6:, 6:] = 1  # its edges lie at 5.5, half way between samples
    column, row = PLACES[siting]

    def share(place: float) -> float:
        """Of the weights of samples on 6 and after: 1, 2, 1 around a place on a sample, 1, 1 around one between."""
        weights = {place - 0.5: 1, place + 0.5: 1} if place % 1 else {place - 1: 1, place: 2, place + 1: 1}
        return sum(weight for at, weight in weights.items() if at >= 6) / sum(weights.values())

    found = sited(siting).at_chroma(mask)

    wanted = [[share(2 * y + row) * share(2 * x + column) for x in range(1, 5)] for y in range(1, 5)]
    assert found[1:5, 1:5].tolist() == wanted


@pytest.mark.parametrize("siting", Siting)
def test_composited_chroma_is_the_colour_at_the_place_of_its_sample(siting: Siting) -> None:
    y, x = np.mgrid[:32, :32].astype(np.float32)
    painted = np.stack([80 + 3 * x, 128 + 0 * x, 60 + 3 * y], -1)
    whole, planes = np.ones((32, 32), np.float32), [np.zeros((size, size), np.uint8) for size in (32, 16, 16)]
    column, row = PLACES[siting]

    _, blue, red = blend_planes(planes, painted, painted, whole, whole, sited(siting))

    chroma_y, chroma_x = 2 * np.mgrid[:16, :16] + np.array([row, column])[:, None, None]
    there = np.stack([80 + 3 * chroma_x, 128 + 0 * chroma_x, 60 + 3 * chroma_y], -1).astype(np.float32)
    wanted = sited(siting).yuv(there)
    inner = np.s_[1:-1, 1:-1]
    assert np.abs(blue[inner] - wanted[..., 1][inner]).max() <= 0.51  # rounded once
    assert np.abs(red[inner] - wanted[..., 2][inner]).max() <= 0.51


def test_a_composited_patch_comes_back_from_its_row_and_writes_only_under_its_mask() -> None:
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
