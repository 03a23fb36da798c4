"""Cuts of pictures made up: hard cuts to the frame, fades through black, and no cut in flashes, pans and shakes."""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.cuts import content_cuts
from pipelines.shots import ShotConfig, keep_apart
from tests.pipelines.timed_frames import cuts_at, cuts_at_25, cuts_of_uneven

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]

HEIGHT, WIDTH = 135, 240
GRAIN = 3.0


@cache
def place(seed: int) -> Floats:
    """A wide place with things of all sizes, of which a camera sees a part."""
    rng = np.random.default_rng(seed)
    picture = np.full((HEIGHT, 4 * WIDTH, 3), rng.uniform(40, 200, 3))
    for _ in range(60):
        centre, size = rng.uniform((0, 0), (4 * WIDTH, HEIGHT)), rng.uniform(4, 40, 2)
        corners = [tuple((centre + side * size).astype(int)) for side in (-1, 1)]
        cv2.rectangle(picture, *corners, rng.uniform(10, 250, 3).tolist(), -1)
    return cv2.GaussianBlur(picture, (0, 0), 1.2)


def seen(seed: int, count: int, x: float = 0.0, speed: float = 0.0, light: Floats | None = None) -> Iterator[Pixels]:
    """Frames of a place: the camera begins at x and moves so many px a frame; light may change."""
    rng = np.random.default_rng([seed, count])
    for index in range(count):
        left = round(x + speed * index)
        picture = place(seed)[:, left : left + WIDTH]
        if light is not None:
            picture = picture * light[index]
        yield np.asarray((picture + rng.normal(0, GRAIN, picture.shape)).clip(0, 255), np.uint8)


def film(*shots: Iterator[Pixels]) -> list[int]:
    return cuts_of([frame for shot in shots for frame in shot])


def cuts_of(frames: list[Pixels]) -> list[int]:
    """As the stage has them: without shots that are too short for a camera."""
    return keep_apart(cuts_at_25(frames), len(frames), ShotConfig().min_shot_frames)


def fade(count: int, *, out: int = 0, into: int = 0) -> Floats:
    """Light of a shot that comes from black over its first frames and goes there over its last."""
    light = np.ones(count)
    if into:
        light[:into] = np.linspace(0, 1, into)
    if out:
        light[-out:] = np.linspace(1, 0, out)
    return light


def test_hard_cuts_are_found_to_the_frame() -> None:
    lengths = [20, 31, 9, 44, 15]
    cuts = np.cumsum(lengths)[:-1].tolist()

    assert film(*(seen(seed, count) for seed, count in enumerate(lengths))) == cuts


@pytest.mark.parametrize("black", [1, 6, 25])
def test_a_fade_through_black_is_one_cut_in_the_middle_of_the_black(black: int) -> None:
    dark = np.zeros(black)
    first, second = np.concatenate([fade(40, out=15), dark]), fade(40, into=15)

    (cut,) = film(seen(1, 40 + black, light=first), seen(2, 40, light=second))

    assert 39 <= cut <= 42 + black


def test_a_cut_to_black_and_out_of_it_is_one_cut_where_the_picture_goes() -> None:
    assert film(seen(1, 30), seen(1, 12, light=np.zeros(12)), seen(2, 30)) == [30]


def test_a_cut_to_black_at_the_end_is_a_cut_and_a_fade_is_none() -> None:
    assert film(seen(1, 30), seen(1, 30, light=np.zeros(30))) == [30]
    assert film(seen(1, 60, light=np.concatenate([fade(30, out=15), np.zeros(30)]))) == []


def test_letters_on_black_are_a_shot() -> None:
    card = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    cv2.putText(card, "Ten years later", (40, 70), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1)

    assert film(seen(1, 30), iter([card] * 40), seen(2, 30)) == [30, 70]


@pytest.mark.parametrize("light", [0.1, 0.15, 0.3])
def test_hard_cuts_between_dark_shots_are_found(light: float) -> None:
    """Night scenes differ by a few codes only; grain is as dark."""
    lengths = [20, 31, 25, 44, 20]
    cuts = np.cumsum(lengths)[:-1].tolist()
    dark = [np.asarray(frame * light, np.uint8) for seed, count in enumerate(lengths) for frame in seen(seed, count)]

    assert set(cuts) <= set(cuts_at_25(dark, 27.0 * light))


def test_a_film_that_fades_in_and_out_has_no_cut() -> None:
    assert film(seen(1, 60, light=fade(60, into=12, out=12))) == []


FLASHES = [(4.0,), (4.0, 4.0), (3.0, 2.2, 1.7, 1.4, 1.2, 1.1), (0.1, 0.1), (0.0,), (0.0, 0.0, 0.0), (0.0,) * 6]


@pytest.mark.parametrize("shape", FLASHES)
@pytest.mark.parametrize("speed", [0.0, 0.6])
def test_a_flash_is_no_cut_even_where_the_camera_moves(shape: tuple[float, ...], speed: float) -> None:
    light = np.ones(50)
    light[20 : 20 + len(shape)] = shape

    assert film(seen(3, 50, speed=speed, light=light)) == []


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), Fraction(50), Fraction(60)])
@pytest.mark.parametrize(("light", "flash_s"), [(4.0, Fraction(17, 100)), (0.0, Fraction(1, 5))])
def test_a_flash_is_as_long_at_every_frame_rate(rate: Fraction, light: float, flash_s: Fraction) -> None:
    """A flash, or a blink to black, in the first shot; hard cuts stay where they are."""
    first, second = (round(seconds * rate) for seconds in (3, 2))
    lights = np.ones(first)
    begin = round(rate)
    lights[begin : begin + round(flash_s * rate)] = light
    frames = [*seen(3, first, light=lights), *seen(4, second)]

    assert keep_apart(cuts_at(rate, frames), len(frames), ShotConfig().min_shot_frames) == [first]


def test_what_does_not_come_back_in_a_third_of_a_second_is_a_shot_at_every_frame_rate() -> None:
    for rate in (Fraction(25), Fraction(60)):
        first, second = (round(seconds * rate) for seconds in (2, Fraction(1, 2)))
        frames = [*seen(3, first), *seen(4, second), *seen(3, first)]

        assert cuts_at(rate, frames) == [first, first + second]


UNEVEN = [(12, 60), (60, 12), (15, 60), (60, 15)]  # frames a second of two stretches; in the mean they are others


@pytest.mark.parametrize("rates", UNEVEN)
@pytest.mark.parametrize(("light", "flash_s"), [(4.0, 0.25), (4.0, 0.1), (0.0, 0.2)])
def test_a_flash_is_none_and_a_cut_is_one_in_each_stretch_of_an_uneven_film(
    rates: tuple[int, int], light: float, flash_s: float
) -> None:
    """Each stretch has a flash, or a blink to black, then another place for 0.42 s; no cut lies between stretches."""
    frames: list[Pixels] = []
    shown_ms: list[int] = []
    cuts: list[int] = []
    for rate in rates:
        lights = np.ones(2 * rate)
        lights[rate : rate + max(1, round(flash_s * rate))] = light
        first, short = len(frames) + len(lights), round(0.42 * rate)
        cuts += [first, first + short]
        frames += [*seen(3, 2 * rate, light=lights), *seen(4, short), *seen(3, rate)]
        shown_ms += [round(1000 / rate)] * (len(frames) - len(shown_ms))

    assert cuts_of_uneven(frames, shown_ms) == cuts


@pytest.mark.parametrize("length", [8, 12, 24])
def test_a_dissolve_is_no_cut(length: int) -> None:
    """The content detector sees none: a shot over it is one, with both pictures."""
    one, other = (np.stack(list(seen(seed, 40))) for seed in (1, 2))
    share = np.linspace(0, 1, length + 2)[1:-1, None, None, None]
    mixed = np.asarray(one[-length:] * (1 - share) + other[:length] * share, np.uint8)

    assert cuts_of([*one[:-length], *mixed, *other[length:]]) == []


def test_a_flash_at_a_cut_leaves_one_cut() -> None:
    light = np.ones(30)
    light[:2] = 4.0

    (cut,) = film(seen(1, 30), seen(2, 30, light=light))

    assert cut == 30


@pytest.mark.parametrize("shape", FLASHES[:3])
def test_a_flash_that_ends_or_begins_with_a_shot_leaves_the_cut_where_it_is(shape: tuple[float, ...]) -> None:
    before, after = np.ones(30), np.ones(30)
    before[-len(shape) :] = shape[::-1]
    after[: len(shape)] = shape

    assert film(seen(1, 30), seen(2, 30, light=after)) == [30]
    assert film(seen(1, 30, light=before), seen(2, 30)) == [30]


@pytest.mark.parametrize("white", [3, 5, 7])
def test_a_cut_through_white_is_one_cut_where_the_picture_goes(white: int) -> None:
    assert film(seen(1, 30), seen(1, white, light=np.full(white, 50.0)), seen(2, 30)) == [30]


@pytest.mark.parametrize("length", [3, 4, 5, 6, 8])
def test_a_montage_has_every_cut(length: int) -> None:
    shots = [seen(seed, length) for seed in range(20)]

    assert film(seen(30, 25), *shots, seen(31, 25)) == [25 + length * index for index in range(21)]


def test_a_montage_of_one_place_has_every_cut() -> None:
    """The same background, another person every fifth of a second."""
    frames = list(seen(1, 60))
    for index, frame in enumerate(frames):
        frame[20:, 40:220] = place(40 + index // 5)[20:, 40:220]

    assert cuts_of(frames) == list(range(5, 60, 5))


@pytest.mark.parametrize("rate", [Fraction(15), Fraction(24000, 1001), Fraction(25), Fraction(60)])
@pytest.mark.parametrize("lasts_s", [0.2, 0.27, 0.32])
def test_another_picture_that_is_held_for_a_fifth_of_a_second_is_a_shot(rate: Fraction, lasts_s: float) -> None:
    for bright in (0.5, 1.0, 1.6):
        short = max(3, round(lasts_s * rate))
        frames = [*seen(1, 20), *seen(2, short, light=np.full(short, bright)), *seen(1, 30)]

        assert cuts_at(rate, frames) == [20, 20 + short]


@pytest.mark.parametrize(("rate", "short", "shortest"), [(10, 2, 3), (8, 2, 3), (25, 6, 10)])
def test_a_picture_that_is_held_for_less_than_a_shortest_shot_leaves_the_shot_around_it_whole(
    rate: int, short: int, shortest: int
) -> None:
    frames = [*seen(1, 20), *seen(2, short), *seen(1, 30)]

    found = content_cuts(enumerate(frames), None, Fraction(1, rate), shortest)

    assert keep_apart(found, len(frames), shortest) == []


def test_two_pictures_in_turn_have_every_cut() -> None:
    assert film(seen(9, 25), *(seen(seed, 6) for seed in (1, 2) * 6), seen(9, 25)) == list(range(25, 98, 6))


SIDE = np.linspace(0, 1, WIDTH)[None, :, None]
LIGHTS = {  # what a lamp does to a picture for a third of a second
    "from the side": lambda frame: frame * (1 + 3 * SIDE),
    "from the other side alone": lambda frame: frame * (0.3 + 3 * SIDE),
    "red": lambda frame: frame * (2.5, 0.2, 0.2),
    "blue": lambda frame: frame * (0.1, 0.3, 2.0),
    "fog": lambda frame: 0.5 * frame + (90, 60, 120),
    "negative": lambda frame: 255 - frame,
    "muzzle": lambda frame: 0.9 * frame + (250, 220, 150) * np.exp(-25 * (SIDE - 0.3) ** 2),
}


@pytest.mark.parametrize("lamp", LIGHTS)
@pytest.mark.parametrize("speed", [0.0, 2.0])
@pytest.mark.parametrize("length", [5, 8])
def test_another_light_is_no_shot_however_long_it_is_held(lamp: str, speed: float, length: int) -> None:
    frames = list(seen(3, 50, speed=speed))
    for index in range(20, 20 + length):
        frames[index] = np.asarray(LIGHTS[lamp](frames[index].astype(np.float64)).clip(0, 255), np.uint8)

    assert cuts_of(frames) == []


@pytest.mark.parametrize("length", [1, 2, 4])
def test_another_picture_that_nobody_takes_in_is_no_shot(length: int) -> None:
    assert film(seen(1, 30), seen(2, length), seen(1, 30)) == []


@pytest.mark.parametrize("speed", [2.0, 6.0, 10.0])
def test_a_pan_has_no_cut(speed: float) -> None:
    assert film(seen(4, 60, speed=speed)) == []


def test_a_shaking_camera_has_no_cut() -> None:
    rng = np.random.default_rng(0)
    shaken = [frame for index in range(60) for frame in seen(5, 1, x=100 + rng.uniform(-4, 4) + index * 0.0)]

    assert cuts_of(shaken) == []


def test_f1_of_a_mixed_programme_is_at_least_095() -> None:
    """A hundred and twenty shots with hard cuts, fades, flashes and pans in random turn."""
    rng = np.random.default_rng(7)
    frames: list[Pixels] = []
    true: list[tuple[int, int]] = []  # a cut lies in [first, last]
    for seed in range(100, 220):
        count, light = int(rng.integers(14, 50)), None
        kind = rng.choice(["plain", "plain", "flash", "pan", "fade"])
        if kind == "flash":
            light = np.ones(count)
            at = int(rng.integers(2, count - 4))
            light[at : at + int(rng.integers(1, 4))] = rng.uniform(2, 5)
        if kind == "fade":
            light = fade(count, out=min(10, count // 2))
        frames += seen(seed, count, speed=rng.uniform(1, 8) if kind == "pan" else 0.0, light=light)
        true.append((len(frames) - 3, len(frames) + 3) if kind == "fade" else (len(frames), len(frames)))
    true.pop()

    found = cuts_of(frames)

    hits = sum(any(first <= cut <= last for cut in found) for first, last in true)
    f1 = 2 * hits / (len(found) + len(true))
    assert len(true) == 119
    assert f1 >= 0.95
