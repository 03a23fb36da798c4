"""Every frame by its pts, from any start; planes untouched; colours by their tags."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.media.container import UndecodableError
from pipelines.media.picture import plane_frames, rgb_frames
from tests.synthetic import FILM_24, NTSC_30, FilmSpec, frame_number, make_film

RATES = [
    pytest.param(FilmSpec(frame_rate=FILM_24), id="24000/1001"),
    pytest.param(FilmSpec(), id="25"),
    pytest.param(FilmSpec(frame_rate=NTSC_30), id="30000/1001"),
    pytest.param(FilmSpec(durations=(20, 40, 25, 25, 60) * 10), id="VFR"),
    pytest.param(FilmSpec(start_frame=7), id="late start"),
    pytest.param(FilmSpec(gop=50, b_frames=3), id="one GOP"),
]


@pytest.mark.parametrize("spec", RATES)
@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_all_frames_come_in_order_with_their_exact_pts(tmp_path: Path, spec: FilmSpec, suffix: str) -> None:
    film = make_film(tmp_path / f"film.{suffix}", spec)

    shown = [(pts, frame_number(rgb)) for pts, rgb in rgb_frames(film.path, film.pts[0], film.end_pts)]

    assert shown == list(zip(film.pts, range(50), strict=True))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("start", [0, 1, 11, 12, 13, 37, 49])
def test_a_span_is_half_open_wherever_it_starts(tmp_path: Path, suffix: str, start: int) -> None:
    film = make_film(tmp_path / f"film.{suffix}")
    pts = [at for at, _ in rgb_frames(film.path, 0, 1 << 40)]

    end = pts[min(start + 5, 49)]
    shown = [frame_number(rgb) for _, rgb in rgb_frames(film.path, pts[start], end)]

    assert shown == list(range(start, min(start + 5, 49)))


def test_frames_hidden_by_an_edit_list_are_hidden_here_too(tmp_path: Path) -> None:
    whole = make_film(tmp_path / "whole.mp4", FilmSpec(gop=25, subtitle=None, chapters=False, languages=()))
    with av.open(str(whole.path)) as source, av.open(str(tmp_path / "cut.mp4"), "w") as out:
        stream = source.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                packet.pts, packet.dts = packet.pts - whole.pts[10], packet.dts - whole.pts[10]
                out.mux(packet)

    shown = [frame_number(rgb) for _, rgb in rgb_frames(tmp_path / "cut.mp4", 0, 1 << 40)]
    middle = [frame_number(rgb) for _, rgb in rgb_frames(tmp_path / "cut.mp4", whole.pts[5], whole.pts[8])]

    assert shown == list(range(10, 50))
    assert middle == [15, 16, 17]


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le", "yuv444p", "yuv420p10le"])
def test_planes_are_those_of_the_decoder(tmp_path: Path, pixel_format: str) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(num_frames=6, cuts=(), pixel_format=pixel_format, width_px=162))

    ours = list(plane_frames(film.path, 0, film.end_pts))

    with av.open(str(film.path)) as container:
        for (_, planes), frame in zip(ours, container.decode(video=0), strict=True):
            assert [plane.shape for plane in planes] == [(p.height, p.width) for p in frame.planes]
            for plane, samples in zip(frame.planes, planes, strict=True):
                stored = np.frombuffer(plane, samples.dtype).reshape(plane.height, -1)[:, : plane.width]
                assert np.array_equal(stored, samples)


def test_writing_into_planes_harms_no_later_frame(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4")
    clean = [planes[0].copy() for _, planes in plane_frames(film.path, 0, film.end_pts)]

    for index, (_, planes) in enumerate(plane_frames(film.path, 0, film.end_pts)):
        assert np.array_equal(planes[0], clean[index])
        planes[0][:] = 0


@pytest.mark.parametrize("colour", [(1, 1, 1, 1), (5, 5, 6, 1), (9, 1, 1, 1), (1, 1, 1, 2)])
def test_colours_come_back_by_matrix_and_range(tmp_path: Path, colour: tuple[int, int, int, int]) -> None:
    spec = FilmSpec(num_frames=2, cuts=(), colour=colour, pixel_format="yuv444p")
    film = make_film(tmp_path / "film.mp4", spec, lambda index: np.full((120, 160, 3), (200, 60, 40), np.uint8))

    _, rgb = next(rgb_frames(film.path, 0, film.end_pts))

    assert np.abs(rgb.astype(int) - (200, 60, 40)).max() <= 3  # one code of Y, U and V each


def test_an_untagged_hd_film_is_read_as_bt709(tmp_path: Path) -> None:
    spec = FilmSpec(num_frames=1, cuts=(), width_px=1280, height_px=720, colour=(1, 1, 1, 1))
    tagged = make_film(tmp_path / "tagged.mp4", spec, lambda index: np.full((720, 1280, 3), (200, 60, 40), np.uint8))
    with av.open(str(tmp_path / "untagged.mp4"), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        _, planes = next(plane_frames(tagged.path, 0, tagged.end_pts))
        frame = av.VideoFrame.from_ndarray(
            np.vstack([planes[0], *(p.reshape(-1, 1280) for p in planes[1:])]), "yuv420p"
        )
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))

    _, rgb = next(rgb_frames(tmp_path / "untagged.mp4", 0, 1 << 40))

    assert np.abs(rgb.astype(int) - (200, 60, 40)).max() <= 4


def test_a_text_named_mp4_is_undecodable(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_text("this is no film")

    with pytest.raises(UndecodableError, match=r"film\.mp4"):
        next(rgb_frames(tmp_path / "film.mp4", 0, 10))


def test_a_film_that_starts_late_is_found_from_time_zero(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(start_frame=50))

    first, _ = next(rgb_frames(film.path, 0, film.end_pts))

    assert first * film.time_base == Fraction(2)
