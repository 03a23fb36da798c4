"""Frames at 25 fps are those of FFmpeg's own filter."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from av.filter import Graph

from pipelines.media.published_frames import at_25_fps, count_frames, published_frames
from tests.synthetic import FILM_24, NTSC_30, PAL_25, FilmSpec, frame_number, make_film

UNEVEN = (24, 30, 10, 10, 70, 24, 24, 5, 24, 50, 24, 24)  # 600ths of a second
SPECS = {
    "25": FilmSpec(num_frames=30, frame_rate=PAL_25),
    "24": FilmSpec(num_frames=30, frame_rate=FILM_24),
    "30": FilmSpec(num_frames=31, frame_rate=NTSC_30),
    "12": FilmSpec(num_frames=13, frame_rate=Fraction(12), cuts=()),
    "uneven": FilmSpec(num_frames=len(UNEVEN), durations=UNEVEN, cuts=()),
}


def shown_by_ffmpeg(path: Path) -> list[int]:
    """The frame numbers that come out of `fps=25`."""
    numbers = []
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        graph = Graph()
        source, sink = graph.add_buffer(template=stream), graph.add("buffersink")
        source.link_to(fps := graph.add("fps", "fps=25"))
        fps.link_to(sink)
        graph.configure()
        for frame in [*film.decode(stream), None]:
            graph.push(frame)
            while True:
                try:
                    numbers.append(frame_number(graph.pull().to_ndarray(format="rgb24")))  # type: ignore[union-attr]
                except (av.BlockingIOError, av.EOFError):
                    break
    return numbers


@pytest.mark.parametrize("name", SPECS)
def test_the_frames_are_those_of_ffmpegs_filter(tmp_path: Path, name: str) -> None:
    film = make_film(tmp_path / "film.mp4", SPECS[name])

    shown = [frame_number(frame) for frame in published_frames(film.path)]

    assert shown == shown_by_ffmpeg(film.path)
    assert count_frames(film.path, 1000) == len(shown)
    assert count_frames(film.path, 7) == 7


def test_a_film_at_25_fps_comes_as_it_is() -> None:
    moments = [(Fraction(index, 25), Fraction(index + 1, 25), index) for index in range(9)]

    assert list(at_25_fps(moments)) == list(range(9))


def test_of_several_frames_at_one_moment_the_last_is_shown() -> None:
    times = [Fraction(number, 100) for number in range(9)]

    assert list(at_25_fps((begin, end, index) for index, (begin, end) in enumerate(pairwise(times)))) == [1, 5]
