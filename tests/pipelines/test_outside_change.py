"""What changes where nothing is painted is counted sample by sample, in every plane, whatever its grid."""

import numpy as np
import pytest

from pipelines.mask import Rect
from pipelines.media.coding import Coding
from pipelines.outside_change import outside_change
from pipelines.patch import Patch, lay

SIZE = HEIGHT, WIDTH = 48, 64
RECT = Rect(16, 12, 24, 16)
EVERYWHERE = np.array([0.0, 0.0, WIDTH, HEIGHT])
GRIDS = [pytest.param((1, 1), id="4:4:4"), pytest.param((2, 1), id="4:2:2"), pytest.param((2, 2), id="4:2:0")]


def coded(chroma: tuple[int, int]) -> Coding:
    return Coding(bits=8, chroma_x=chroma[0], chroma_y=chroma[1], matrix=1, full_range=False)


def black(coding: Coding) -> list[np.ndarray]:
    chroma = HEIGHT // coding.chroma_y, WIDTH // coding.chroma_x
    return [np.zeros(size, np.uint8) for size in (SIZE, chroma, chroma)]


def ellipse(coding: Coding) -> Patch:
    """White in an ellipse, and in the corners of its rectangle, where its mask is 0."""
    y, x = np.mgrid[: RECT.height, : RECT.width]
    mask = ((x - 11.5) / 12) ** 2 + ((y - 7.5) / 8) ** 2 < 1
    shapes = [(RECT.height, RECT.width), *[(RECT.height // coding.chroma_y, RECT.width // coding.chroma_x)] * 2]
    return Patch(0, 0, RECT, [np.full(shape, 255, np.uint8) for shape in shapes], mask)


@pytest.mark.parametrize("chroma", GRIDS)
def test_a_patch_changes_nothing_where_its_mask_is_0(chroma: tuple[int, int]) -> None:
    coding = coded(chroma)
    painted, patch = black(coding), ellipse(coding)

    lay(patch, painted, coding)

    assert all(plane.any() for plane in painted)
    assert outside_change(black(coding), painted, [patch], [EVERYWHERE], coding) == 0


@pytest.mark.parametrize("chroma", GRIDS)
@pytest.mark.parametrize("plane", [0, 1, 2])
def test_one_sample_beside_the_mask_is_counted_within_the_face_too(chroma: tuple[int, int], plane: int) -> None:
    coding = coded(chroma)
    painted, patch = black(coding), ellipse(coding)
    lay(patch, painted, coding)
    x, y = (RECT.x, RECT.y) if plane == 0 else (RECT.x // chroma[0], RECT.y // chroma[1])

    painted[plane][y, x] += 1  # a corner of the rectangle

    assert outside_change(black(coding), painted, [patch], [EVERYWHERE], coding) == 1


def test_what_is_masked_and_lies_beyond_the_face_is_counted() -> None:
    coding = coded((1, 1))
    painted, patch = black(coding), ellipse(coding)
    lay(patch, painted, coding)

    left_half = np.array([0.0, 0.0, RECT.x + RECT.width / 2, HEIGHT])

    assert outside_change(black(coding), painted, [patch], [left_half], coding) == 3 * patch.mask.sum() // 2
