"""Frames come out sorted into the shots that are found in all frames at once, and few of them wait."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.content_cuts import Bytes
from pipelines.shot_stream import HELD_FRAMES, ShotStream
from pipelines.shots import ShotConfig, detect_shots

SHORTEST = ShotConfig().min_shot_frames
TICKS = 40  # a frame
MS = Fraction(1, 1000)
PLACES = np.random.default_rng(5).integers(30, 226, (4, 9, 16, 3), np.uint8).repeat(16, 1).repeat(16, 2)


def lit(place: int, light: float) -> Bytes:
    return np.asarray((PLACES[place] * light).clip(0, 255), np.uint8)


def shown(parts: list[tuple[int, str, int]]) -> list[Bytes]:
    """Frames of a film of parts: a place, what happens to it, and for how many frames."""
    lights = {"seen": (1, 1), "black": (0, 0), "bright": (3, 3), "out": (1, 0), "in": (0, 1)}
    return [lit(place, light) for place, what, count in parts for light in np.linspace(*lights[what], count)]


def streamed(
    pictures: list[Bytes], config: ShotConfig, time_base: Fraction = MS
) -> tuple[list[list[int]], list[int], int]:
    """Pts of the frames of each shot, what came with each frame, and how many pictures were read again."""
    read_again: list[int] = []

    def again(start_pts: int, end_pts: int) -> Iterator[int]:
        places = [place for place in range(len(pictures)) if start_pts <= place * TICKS < end_pts]
        read_again.extend(places)
        yield from places

    stream = ShotStream[int](config.min_shot_frames, time_base, again, config.threshold)
    shots: dict[int, list[int]] = {}
    came = []
    for frame in stream.frames((place * TICKS, picture, place) for place, picture in enumerate(pictures)):
        shots.setdefault(frame.shot, []).append(frame.pts)
        came.append(frame.picture)
    return list(shots.values()), came, len(read_again)


def at_once(pictures: list[Bytes], config: ShotConfig, time_base: Fraction = MS) -> list[list[int]]:
    end_pts = len(pictures) * TICKS
    timed = ((place * TICKS, picture) for place, picture in enumerate(pictures))
    rows = detect_shots(timed, end_pts, time_base, config)
    return [list(range(row["shot_start_pts"], row["shot_end_pts"], TICKS)) for row in rows]


PARTS = st.lists(
    st.tuples(
        st.integers(0, 3), st.sampled_from(["seen", "seen", "black", "bright", "out", "in"]), st.integers(1, 45)
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=60)
@given(parts=PARTS, shortest=st.sampled_from([1, 6, 20]), rate=st.sampled_from([1, 12, 25, 60]))
def test_shots_of_a_stream_are_those_of_all_frames_at_once(
    parts: list[tuple[int, str, int]], shortest: int, rate: int
) -> None:
    pictures, config, time_base = shown(parts), ShotConfig(min_shot_frames=shortest), Fraction(1, rate * TICKS)

    shots, came, _ = streamed(pictures, config, time_base)

    assert shots == at_once(pictures, config, time_base)
    assert came == list(range(len(pictures)))  # each with its own picture


def test_a_long_black_is_read_again_and_nothing_else() -> None:
    parts = [(0, "seen", 40), (0, "out", 20), (0, "black", 120), (1, "in", 20), (1, "seen", 40), (2, "seen", 40)]
    pictures, config = shown(parts), ShotConfig()

    shots, _, read_again = streamed(pictures, config)

    assert len(shots) == 3
    assert 120 - HELD_FRAMES - SHORTEST <= read_again <= 120 + 2 * HELD_FRAMES
    assert streamed(shown(parts[:1] + parts[4:]), config)[2] == 0


def test_nothing_is_read_again_for_a_high_rate() -> None:
    pictures = shown([(0, "seen", 100), (0, "bright", 20), (0, "seen", 60), (1, "seen", 60)])

    shots, _, read_again = streamed(pictures, ShotConfig(), Fraction(1, 200 * TICKS))

    assert ([len(shot) for shot in shots], read_again) == ([180, 60], 0)


@pytest.mark.parametrize("flash", [3, 8])
def test_frames_wait_no_longer_than_a_flash(flash: int) -> None:
    pictures = shown([(0, "seen", 60), (0, "bright", flash), (0, "seen", 60), (1, "seen", 60)])
    given_out: list[int] = []
    waited = []

    def watched() -> Iterator[tuple[int, Bytes, int]]:
        for place, picture in enumerate(pictures):
            waited.append(place - len(given_out))
            yield place * TICKS, picture, place

    stream = ShotStream[int](SHORTEST, MS, lambda *_: pytest.fail("nothing is black"))
    for frame in stream.frames(watched()):
        given_out.append(frame.picture)

    assert max(waited) <= 8
