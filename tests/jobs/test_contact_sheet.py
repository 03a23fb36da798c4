"""A contact sheet shows source, painted crop and difference, and no more columns than asked for."""

import io

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from jobs.contact_sheet import DIFFERENCE_GAIN, GAP_PX, MAX_COLUMNS, TILE_PX, crop_sheet, difference, evenly
from schemas.frames import NUM_LANDMARKS, PAINTED_FRAME


def painted_frames(num_frames: int, size_px: int = 16, shift: int = 0) -> pa.Table:
    grey = np.full((size_px, size_px, 3), 100, np.uint8)
    row = {
        "affine": [1.0, 0, 0, 0, 1, 0],
        "weight": 1.0,
        "landmarks": [0.0] * NUM_LANDMARKS * 2,
        "source": grey.tobytes(),
        "crop": (grey + shift).tobytes(),
    }
    return pa.Table.from_pylist([{"pts": pts, **row} for pts in range(num_frames)], schema=PAINTED_FRAME)


def opened(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


@pytest.mark.parametrize(("num_frames", "columns"), [(1, 1), (5, 5), (100, MAX_COLUMNS)])
def test_a_sheet_has_three_rows_and_at_most_so_many_columns(num_frames: int, columns: int) -> None:
    assert opened(crop_sheet(painted_frames(num_frames))).shape == (
        3 * (TILE_PX + GAP_PX),
        columns * (TILE_PX + GAP_PX),
        3,
    )


def test_the_third_row_is_the_difference_amplified() -> None:
    sheet = opened(crop_sheet(painted_frames(1, shift=20)))
    tiles = [sheet[row * (TILE_PX + GAP_PX) + 5, 5, 0] for row in range(3)]
    assert tiles == [100, 120, 20 * DIFFERENCE_GAIN]


def test_a_difference_is_the_same_both_ways_and_never_wraps() -> None:
    dark, bright = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    assert (difference(dark, bright) == 255).all()
    assert (difference(bright, dark) == 255).all()


def test_first_and_last_are_among_the_chosen() -> None:
    chosen = evenly(101, 5)
    assert (chosen[0], chosen[-1], len(chosen)) == (0, 100, 5)


def test_crops_that_are_not_square_are_our_mistake_and_raise() -> None:
    table = painted_frames(1).set_column(5, "crop", pa.array([b"12345"], pa.binary()))
    with pytest.raises(ValueError, match="no square"):
        crop_sheet(table)
