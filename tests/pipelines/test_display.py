"""A film that is coded lying, upside down or squeezed is looked at as it is shown, and places come back exactly."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipelines.face_frame import apply
from pipelines.media.display import View, display_view
from tests.synthetic import FilmSpec, make_film

MARKS = [(4, 7), (40, 7), (20, 12), (9, 25), (33, 26)]  # x and y in the film's own pixels
SPEC = FilmSpec(num_frames=3, cuts=(), width_px=96, height_px=64)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("aspect", [Fraction(1), Fraction(2), Fraction(1, 2)])
def test_places_in_the_view_come_back_to_the_films_own_pixels(turns: int, aspect: Fraction) -> None:
    view = View(width_px=50, height_px=30, aspect=aspect, quarter_turns=turns)
    for x, y in MARKS:
        picture = np.zeros((30, 50, 3), np.uint8)
        cv2.circle(picture, (x, y), 3, (255, 255, 255), -1)
        rows, columns = np.nonzero(view.of(picture)[..., 0] > 127)

        back = apply(view.to_film, np.array([columns.mean(), rows.mean()]))

        assert back == pytest.approx((x, y), abs=0.3)
    assert view.of(picture).shape[:2] == ((30, round(50 * aspect)) if turns % 2 == 0 else (round(50 * aspect), 30))


def test_boxes_stay_boxes() -> None:
    view = View(width_px=50, height_px=30, quarter_turns=1)
    (box,) = view.boxes_in_film(np.array([[5.0, 10.0, 15.0, 30.0]]))

    assert box.tolist() == [49 - 30, 5, 49 - 10, 15]


@pytest.mark.parametrize(("rotation", "turns"), [(0, 0), (90, 1), (180, 2), (-90, 3)])
def test_a_films_side_data_say_how_it_is_turned(tmp_path: Path, rotation: int, turns: int) -> None:
    film = make_film(tmp_path / "film.mp4", replace(SPEC, rotation=rotation))

    view = display_view(film.path, film.pts[0])

    assert (view.quarter_turns, view.width_px, view.height_px) == (turns, 96, 64)


def test_squeezed_pixels_are_made_square(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mkv", replace(SPEC, sample_aspect_ratio=Fraction(4, 3)))

    view = display_view(film.path, film.pts[0])

    assert (view.aspect, view.square_width_px) == (Fraction(4, 3), 128)


def test_a_shrunk_view_shows_the_same_places() -> None:
    view = View(width_px=1920, height_px=800, aspect=Fraction(1), quarter_turns=1)

    small = view.shrunk(480)

    assert (small.width_px, small.height_px) == (480, 200)
    assert (view.size / small.size).tolist() == [4, 4]
    assert view.size.tolist() == [800, 1920]
