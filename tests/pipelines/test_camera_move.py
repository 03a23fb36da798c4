"""Pans and zooms of every speed are no cuts; cuts between pictures that are alike are."""

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.camera_move import move_between
from tests.pipelines.timed_frames import cuts_at_25, cuts_of_uneven

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]
Path = Callable[[float], tuple[float, float, float]]  # of a moment in frames: middle of the view in px, and its scale

HEIGHT, WIDTH, SIDE = 144, 256, 1600


@cache
def place(seed: int) -> Floats:
    """A place with things of all sizes and strong colours, much larger than what is seen of it."""
    rng = np.random.default_rng(seed)
    picture = np.full((SIDE, SIDE, 3), rng.uniform(40, 200, 3))
    for _ in range(900):
        corner, size = rng.integers(0, SIDE, 2), rng.integers(10, 140, 2)
        cv2.rectangle(picture, corner.tolist(), (corner + size).tolist(), rng.uniform(10, 250, 3).tolist(), -1)
    return cv2.GaussianBlur(picture, (0, 0), 1.2)


def view(seed: int, x: float, y: float, scale: float) -> Floats:
    matrix = np.array([[scale, 0, WIDTH / 2 - scale * x], [0, scale, HEIGHT / 2 - scale * y]])
    return np.asarray(cv2.warpAffine(place(seed), matrix, (WIDTH, HEIGHT)), np.float64)


def filmed(seed: int, count: int, path: Path, shutter: float = 0.0) -> list[Pixels]:
    """Frames that are exposed for a share of their time."""
    rng = np.random.default_rng([seed, count])
    frames = []
    for index in range(count):
        moments = index + np.linspace(0, shutter, 9 if shutter else 1)
        picture = np.mean([view(seed, *path(float(moment))) for moment in moments], axis=0)
        noise = rng.normal(0, 2.5, (HEIGHT, WIDTH, 1))
        frames.append(np.asarray((picture + noise).clip(0, 255), np.uint8))
    return frames


def pan(speed: float, down: float = 0.0, begin: float = 250) -> Path:
    """To the right, and down, so many of the view's widths a frame."""
    return lambda at: (begin + speed * WIDTH * at, 300 + down * WIDTH * at, 1.0)


def still(x: float = 600, scale: float = 1.0) -> Path:
    return lambda _: (x, 600, scale)


@pytest.mark.parametrize("shutter", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("speed", [0.02, 0.05, 0.08, 0.15])
@pytest.mark.parametrize("way", [(1.0, 0.0), (0.0, 1.0), (1.0, 0.5)])
def test_a_pan_has_no_cut_however_fast(speed: float, shutter: float, way: tuple[float, float]) -> None:
    assert cuts_at_25(filmed(1, 18, pan(speed * way[0], speed * way[1]), shutter)) == []


@pytest.mark.parametrize("speed", [1.03, 1.08, 1.15, 1 / 1.03, 1 / 1.08, 1 / 1.15])
def test_a_zoom_has_no_cut(speed: float) -> None:
    begin = 0.7 if speed > 1 else 2.0
    assert cuts_at_25(filmed(2, 8, lambda at: (800, 800, begin * speed**at))) == []


def rolled(seed: int, turns: list[float], scale: float = 0.35) -> list[Pixels]:
    """Frames of a camera that is turned by so many degrees."""
    rng = np.random.default_rng(seed)
    frames = []
    for turn in turns:
        matrix = cv2.getRotationMatrix2D((700, 700), turn, scale)
        matrix[:, 2] += (WIDTH / 2 - 700, HEIGHT / 2 - 700)
        picture = cv2.warpAffine(place(seed), matrix, (WIDTH, HEIGHT), flags=cv2.INTER_AREA)
        frames.append(np.asarray((picture + rng.normal(0, 2.5, (HEIGHT, WIDTH, 1))).clip(0, 255), np.uint8))
    return frames


@pytest.mark.parametrize("speed", [3.0, 7.0, -9.0, 12.0, -15.0])
def test_a_roll_has_no_cut(speed: float) -> None:
    """So many degrees a frame."""
    assert cuts_at_25(rolled(2, [speed * index for index in range(10)])) == []


def test_a_camera_that_stands_tilted_at_once_and_a_cut_from_roll_to_roll_are_cuts() -> None:
    turns = [8.0 * index for index in range(10)]

    assert cuts_at_25(rolled(2, [0.0] * 10 + [12.0] * 10)) == [10]
    assert cuts_at_25([*rolled(2, turns), *rolled(3, turns)]) == [10]


def test_a_pan_that_begins_and_ends_gently_has_no_cut() -> None:
    def path(at: float) -> tuple[float, float, float]:
        return 250 + 400 * (1 - np.cos(np.pi * min(max(at - 5, 0), 12) / 12)), 300, 1.0

    assert cuts_at_25(filmed(1, 24, path)) == []


def test_a_pan_of_pictures_that_are_shown_twice_has_no_cut() -> None:
    twice = [frame for frame in filmed(1, 10, pan(0.1)) for _ in range(2)]

    assert cuts_at_25(twice) == []


@pytest.mark.parametrize("held", [[5], [4, 1, 4], [5] * 6])
@pytest.mark.parametrize("speed", [0.02, 0.025])
def test_a_pan_of_uneven_frames_has_no_cut(speed: float, held: list[int]) -> None:
    """Frames that are shown four or five times as long as those around: the camera is as much farther after them."""
    shown = [1] * 6 + held + [1] * 6
    moments = np.cumsum([0, *shown[:-1]])
    frames = filmed(1, len(shown), lambda at: pan(speed)(float(np.interp(at, range(len(shown)), moments))))

    assert cuts_of_uneven(frames, [17 * steps for steps in shown]) == []


@pytest.mark.parametrize("speed", [0.0, 0.03, 0.08, 0.15])
def test_a_cut_from_pan_to_pan_is_found_to_the_frame(speed: float) -> None:
    assert cuts_at_25([*filmed(1, 10, pan(speed)), *filmed(2, 12, pan(speed))]) == [10]


@pytest.mark.parametrize("speed", [0.05, 0.1])
def test_a_whip_pan_into_another_place_is_one_cut(speed: float) -> None:
    """Both pictures are smeared over the whole way between two frames."""
    assert cuts_at_25([*filmed(1, 10, pan(speed), 1.0), *filmed(2, 12, pan(speed), 1.0)]) == [10]


@pytest.mark.parametrize("then", [still(x=630), still(x=680), still(scale=1.3)], ids=["near", "far", "punch-in"])
def test_a_camera_that_stands_elsewhere_at_once_is_a_cut(then: Path) -> None:
    """A jump cut: the same picture moved, and nothing moves before it or after it."""
    assert cuts_at_25([*filmed(1, 10, still()), *filmed(1, 11, then)]) == [10]


@pytest.mark.parametrize("speed", [0.0, 0.01])
def test_another_person_before_the_same_place_is_a_cut(speed: float) -> None:
    frames = filmed(1, 20, pan(speed))
    for index, frame in enumerate(frames):
        person = view(5 if index < 10 else 6, 400, 400, 1.0)
        frame[20:, 60:210] = person[20:, 60:210]

    assert cuts_at_25(frames) == [10]


@pytest.mark.parametrize("speed", [0.0, 0.05])
def test_a_flash_in_a_pan_is_no_cut(speed: float) -> None:
    frames = filmed(1, 18, pan(speed))
    for index in (8, 9):
        frames[index] = np.asarray((frames[index] * 3.0).clip(0, 255), np.uint8)

    assert cuts_at_25(frames) == []


def test_the_move_is_the_one_that_was_made() -> None:
    one, other = filmed(1, 2, pan(0.125, 0.0625))

    move = move_between(one, other)

    assert move is not None
    assert np.abs(move.corners_px.reshape(4, 2) - (-16, -8)).max() < 0.5  # of 128 px


def test_other_pictures_and_tiny_ones_are_not_moved() -> None:
    pictures = [filmed(seed, 1, still())[0] for seed in range(6)]

    assert not any(move_between(pictures[a], pictures[b]) for a in range(6) for b in range(6) if a != b)
    assert move_between(pictures[0][:20, :20], pictures[0][:20, :20]) is None
