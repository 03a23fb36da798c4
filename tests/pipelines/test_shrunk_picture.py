"""Pictures may be had smaller: the mean of what they show, in the same colours, and no larger than they are."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipelines.media.picture import rgb_frames, shrunk_size
from tests.synthetic import FilmSpec, make_film


@pytest.mark.parametrize(
    ("size", "most", "wanted"),
    [
        ((1920, 1080), 960, (960, 540)),
        ((720, 1280), 640, (360, 640)),
        ((320, 240), 960, (320, 240)),
        ((9, 9), None, (9, 9)),
    ],
)
def test_the_long_side_is_at_most_so_long(size: tuple[int, int], most: int | None, wanted: tuple[int, int]) -> None:
    assert shrunk_size(*size, most) == wanted


def test_a_shrunk_frame_is_the_mean_of_the_whole_one(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    scene = cv2.resize(rng.integers(80, 170, (6, 8, 3), np.uint8), (320, 240), interpolation=cv2.INTER_CUBIC)
    film = make_film(
        tmp_path / "film.mp4", FilmSpec(num_frames=3, cuts=(), width_px=320, height_px=240), lambda _: scene
    )

    whole = list(rgb_frames(film.path, film.pts[0], film.end_pts))
    small = list(rgb_frames(film.path, film.pts[0], film.end_pts, 80))

    assert [pts for pts, _ in small] == [pts for pts, _ in whole] == list(film.pts)
    mean = cv2.resize(whole[1][1], (80, 60), interpolation=cv2.INTER_AREA).astype(float)
    assert np.abs(small[1][1] - mean).mean() < 0.5
    assert np.abs((small[1][1] - mean).mean((0, 1))).max() < 0.2  # no tint
