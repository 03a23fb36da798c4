"""Contact sheets: what was, what is painted, and the difference made plain, side by side for a person to judge."""

import io
from collections.abc import Sequence
from math import isqrt
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

MAX_COLUMNS = 12
TILE_PX = 128
DIFFERENCE_GAIN = 4  # an amplified difference of 64 levels is white: seams and boiling skin show
GAP_PX = 2
BACKGROUND = 32


def crop_sheet(painted: pa.Table) -> bytes:
    """A PNG of one painted track: source crops, painted crops, amplified difference; evenly spaced in time.

    Args:
        painted: PAINTED_FRAME, one row at least.
    """
    rows = painted.select(["pts", "source", "crop"]).to_pylist()
    chosen = [rows[index] for index in evenly(len(rows), MAX_COLUMNS)]
    source = [_crop(row["source"]) for row in chosen]
    crop = [_crop(row["crop"]) for row in chosen]
    return png(grid([source, crop, [difference(*pair) for pair in zip(source, crop, strict=True)]]))


def evenly(num_items: int, num_wanted: int) -> list[int]:
    """Indices of so many items, evenly spaced, first and last among them; all when there are fewer.

    Raises:
        ValueError: there is no item.
    """
    if num_items < 1:
        raise ValueError("there is nothing to choose from")
    wanted = min(num_items, num_wanted)
    return sorted({round(place) for place in np.linspace(0, num_items - 1, wanted)})


def difference(source: Bytes, painted: Bytes) -> Bytes:
    """[H, W, 3] absolute difference, amplified by `DIFFERENCE_GAIN` and clipped."""
    apart = np.abs(source.astype(np.int16) - painted.astype(np.int16)) * DIFFERENCE_GAIN
    amplified: Bytes = np.minimum(apart, 255).astype(np.uint8)
    return amplified


def grid(rows: Sequence[Sequence[Bytes]], tile_px: int = TILE_PX) -> Bytes:
    """Pictures in rows, each fitted to the height of a tile, on a dark ground."""
    lines = [np.hstack([_framed(fit(picture, tile_px)) for picture in row]) for row in rows if row]
    width = max(line.shape[1] for line in lines)
    return np.vstack([_padded(line, width) for line in lines])


def fit(picture: Bytes, height_px: int) -> Bytes:
    """[H, W, 3] scaled to a height, its aspect kept; small pictures are enlarged without smoothing."""
    import cv2

    height, width = picture.shape[:2]
    size = (max(1, round(width * height_px / height)), height_px)
    way = cv2.INTER_AREA if height > height_px else cv2.INTER_NEAREST
    scaled: Bytes = cv2.resize(picture, size, interpolation=way)
    return scaled


def png(picture: Bytes) -> bytes:
    """[H, W, 3] RGB as PNG."""
    from PIL import Image

    sink = io.BytesIO()
    Image.fromarray(picture).save(sink, format="PNG", optimize=True)
    return sink.getvalue()


def jpeg(picture: Bytes, quality: int = 88) -> bytes:
    """[H, W, 3] RGB as JPEG, for large frames in a report."""
    from PIL import Image

    sink = io.BytesIO()
    Image.fromarray(picture).save(sink, format="JPEG", quality=quality)
    return sink.getvalue()


def _crop(data: Any) -> Bytes:
    size = isqrt(len(data) // 3)
    if size * size * 3 != len(data):
        raise ValueError(f"{len(data)} bytes are no square RGB crop")
    return np.frombuffer(data, dtype=np.uint8).reshape(size, size, 3)


def _framed(picture: Bytes) -> Bytes:
    return np.pad(picture, ((0, GAP_PX), (0, GAP_PX), (0, 0)), constant_values=BACKGROUND)


def _padded(line: Bytes, width_px: int) -> Bytes:
    return np.pad(line, ((0, 0), (0, width_px - line.shape[1]), (0, 0)), constant_values=BACKGROUND)
