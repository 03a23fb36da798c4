"""Parts of a frame: the very samples of the whole one, and nothing beside them."""

from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.media.picture import frames, to_rgb
from pipelines.media.picture_part import part_around, parts_as_rgb
from tests.real_assets import real_asset
from tests.synthetic import FilmSpec, SyntheticFilm, make_film

BOXES = {
    "inside": (50.0, 40.0, 90.0, 80.0),
    "top left": (-30.0, -9.0, 12.0, 20.0),
    "low right": (120.0, 90.0, 400.0, 300.0),
}


def noisy_film(path: Path, pixel_format: str, width_px: int = 162) -> SyntheticFilm:
    noise = np.random.default_rng(0).integers(0, 256, (120, width_px, 3), np.uint8)
    spec = FilmSpec(num_frames=2, cuts=(), pixel_format=pixel_format, width_px=width_px)
    return make_film(path, spec, lambda index: noise)


@pytest.mark.parametrize("where", list(BOXES))
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "yuv422p10le", "yuv444p"])
def test_a_part_is_what_the_whole_frame_shows_there(tmp_path: Path, pixel_format: str, where: str) -> None:
    film = noisy_film(tmp_path / "film.mp4", pixel_format)
    _, frame = next(frames(film.path, 0, film.end_pts))
    left, top, right, bottom = np.clip(np.array(BOXES[where], int), 0, [162, 120, 162, 120])

    picture = parts_as_rgb(frame, [part_around(np.array(BOXES[where]), frame.width, frame.height)])

    assert np.array_equal(picture[top:bottom, left:right], to_rgb(frame)[top:bottom, left:right])


@pytest.mark.parametrize("clip", ["clip-obama-speech", "clip-test-movie"])
def test_chroma_of_real_clips_lies_where_it_lies_in_the_whole_frame(clip: str) -> None:
    for _, frame in frames(real_asset(clip), 0, 10_000):
        picture = parts_as_rgb(frame, [part_around(np.array([101.0, 53.0, 181.0, 140.0]), frame.width, frame.height)])
        assert np.array_equal(picture[53:140, 101:181], to_rgb(frame)[53:140, 101:181])


def test_neighbouring_parts_do_not_spoil_each_other(tmp_path: Path) -> None:
    film = noisy_film(tmp_path / "film.mp4", "yuv420p")
    _, frame = next(frames(film.path, 0, film.end_pts))
    boxes = np.array([[20.0, 30.0, 80.0, 70.0], [77.0, 40.0, 120.0, 90.0]])
    parts = [part_around(box, frame.width, frame.height) for box in boxes]

    for order in (parts, parts[::-1]):
        picture = parts_as_rgb(frame, order)
        for left, top, right, bottom in boxes.astype(int):
            assert np.array_equal(picture[top:bottom, left:right], to_rgb(frame)[top:bottom, left:right])


@pytest.mark.parametrize("box", [(-900.0, 20.0, -500.0, 60.0), (500.0, 300.0, 900.0, 400.0)])
def test_of_a_box_beside_the_picture_its_edge_is_shown(tmp_path: Path, box: tuple[float, ...]) -> None:
    film = noisy_film(tmp_path / "film.mp4", "yuv420p")
    _, frame = next(frames(film.path, 0, film.end_pts))
    picture, whole = parts_as_rgb(frame, [part_around(np.array(box), 162, 120)]), to_rgb(frame)
    if box[0] < 0:
        assert np.array_equal(picture[20:60, :16], whole[20:60, :16])
    else:
        assert np.array_equal(picture[-16:, -16:], whole[-16:, -16:])


def test_a_small_part_of_an_untagged_hd_film_is_read_as_bt709_too() -> None:
    frame = av.VideoFrame(1280, 720, "yuv420p")
    for plane, code in zip(frame.planes, (120, 90, 170), strict=True):
        plane.update(bytes([code]) * plane.buffer_size)

    picture = parts_as_rgb(frame, [part_around(np.array([600.0, 300.0, 640.0, 340.0]), 1280, 720)])

    assert np.array_equal(picture[300:340, 600:640], to_rgb(frame)[300:340, 600:640])


def test_the_rest_is_black_and_costs_nothing_to_ask_for(tmp_path: Path) -> None:
    film = noisy_film(tmp_path / "film.mp4", "yuv420p")
    first, second = film.pts
    part = part_around(np.array([50.0, 40.0, 60.0, 50.0]), 162, 120)

    decoded = frames(film.path, first, film.end_pts)
    shown = {pts: parts_as_rgb(frame, [part] if pts == first else []) for pts, frame in decoded}

    assert list(shown) == [first, second]
    assert shown[first].any()
    shown[first][part.top : part.bottom, part.left : part.right] = 0
    assert not shown[first].any()
    assert not shown[second].any()
