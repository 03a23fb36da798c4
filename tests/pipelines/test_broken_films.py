"""Films that are broken, or change in the middle, are refused for the right reason, with nothing begun."""

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from pipelines.media.probe import probe_film
from pipelines.media.refusal import MediaRefusedError
from schemas.reason import Refusal
from tests.pipelines.test_splice import X265, film_of
from tests.pipelines.test_survival import remuxed
from tests.synthetic import FilmSpec, make_film


def refused(path: Path) -> MediaRefusedError:
    with pytest.raises(MediaRefusedError) as caught:
        probe_film(path)
    return caught.value


def with_long_first_frame(data: bytearray) -> None:
    place = data.index(b"stts") + 16
    data[place : place + 4] = struct.pack(">I", (1 << 31) - 1)


def with_chunks_beyond_the_end(data: bytearray) -> None:
    place = data.index(b"stco")
    (count,) = struct.unpack_from(">I", data, place + 8)
    for chunk in range(count):
        struct.pack_into(">I", data, place + 12 + 4 * chunk, 1 << 31)


def with_zeros_in_the_middle(data: bytearray) -> None:
    begin = data.index(b"mdat")
    middle = (begin + len(data)) // 2
    data[middle : middle + (len(data) - begin) // 3] = bytes((len(data) - begin) // 3)


@pytest.mark.parametrize(
    ("broken", "refusal"),
    [
        (with_long_first_frame, Refusal.TIMING),
        (with_chunks_beyond_the_end, Refusal.NO_FRAMES),
        (with_zeros_in_the_middle, Refusal.DAMAGED),
    ],
)
def test_a_damaged_mp4_is_refused(tmp_path: Path, broken: Callable[[bytearray], None], refusal: Refusal) -> None:
    film = film_of(tmp_path / "film.mp4", languages=("eng",), num_frames=100, cuts=(50,))
    assert probe_film(film.path).num_frames == 100
    data = bytearray(film.path.read_bytes())
    broken(data)
    film.path.write_bytes(data)

    assert refused(film.path).refusal is refusal


def test_damage_is_told_by_its_stretches(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mov", FilmSpec(codec="mjpeg", encoder=(), b_frames=0, pixel_format="yuvj420p"))
    with av.open(str(film.path)) as opened:
        packets = [packet for packet in opened.demux(video=0) if packet.size]
        spans = [(packet.pos, packet.size) for packet in packets]
    data = bytearray(film.path.read_bytes())
    for frame in (10, 11, 13, 40):
        place, size = spans[frame]
        data[place : place + size] = bytes(size)
    film.path.write_bytes(data)

    first, last, far = (film.pts[frame] for frame in (10, 13, 40))
    told = f"4 damaged places: pts {first} to {last} (0.40 to 0.52 s), pts {far} (1.60 s)"
    assert (refused(film.path).refusal, refused(film.path).detail) == (Refusal.DAMAGED, told)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_last_frame_that_is_held_long_is_no_damage(tmp_path: Path, suffix: str) -> None:
    film = film_of(tmp_path / f"film.{suffix}", num_frames=50, cuts=(25,), durations=(*[24] * 49, 12 * 600))

    assert probe_film(film.path).num_frames == 50


@pytest.mark.parametrize("percent", [30, 40, 50, 60, 65, 80, 90])
def test_a_fragmented_mp4_that_is_cut_off_is_refused(tmp_path: Path, percent: int) -> None:
    options = {"movflags": "frag_keyframe+delay_moov"}
    film = remuxed(film_of(tmp_path / "film.mp4", languages=("eng",)), "parts.mp4", options=options)
    assert probe_film(film.path).num_frames == 96
    data = film.path.read_bytes()
    film.path.write_bytes(data[: len(data) * percent // 100])

    assert refused(film.path).refusal is Refusal.TRUNCATED


def test_a_fragment_without_samples_is_refused(tmp_path: Path) -> None:
    options = {"movflags": "frag_keyframe+delay_moov"}
    film = remuxed(film_of(tmp_path / "film.mp4", languages=("eng",)), "parts.mp4", options=options)
    data = film.path.read_bytes()
    film.path.write_bytes(data[: data.rindex(b"mdat") - 4])

    assert refused(film.path).refusal is Refusal.TRUNCATED


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_a_film_that_lost_every_tenth_picture_is_damaged(tmp_path: Path, codec: str, suffix: str) -> None:
    more = {"codec": "libx265", "encoder": X265} if codec == "hevc" else {}
    film = film_of(tmp_path / "film.mp4", num_frames=48, cuts=(24,), **more)
    lossy = remuxed(film, f"lossy.{suffix}", keep=lambda index, number: number % 10 != 9)

    assert refused(lossy.path).refusal is Refusal.DAMAGED


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"width_px": 320, "height_px": 240}, Refusal.DIMENSIONS),
        ({"pixel_format": "yuv420p10le"}, Refusal.PIXEL_FORMAT),
        ({}, Refusal.TIMING),
    ],
)
def test_a_film_with_sound_behind_another_is_refused_for_what_differs(
    tmp_path: Path, more: dict[str, Any], refusal: Refusal
) -> None:
    common = {"num_frames": 24, "cuts": (12,), "languages": ("eng",)}
    first = remuxed(film_of(tmp_path / "one.mp4", **common), "one.ts")
    second = remuxed(film_of(tmp_path / "two.mp4", **common, **more), "two.ts")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.path.read_bytes() + second.path.read_bytes())

    assert refused(joined).refusal is refusal


@pytest.mark.parametrize(
    ("more", "refusal", "said"),
    [
        ({"width_px": 320, "height_px": 240}, Refusal.DIMENSIONS, "the frame size changes at frame 96"),
        ({"pixel_format": "yuv420p10le"}, Refusal.PIXEL_FORMAT, "the pixel format changes at frame 96"),
        (
            {"encoder": (("x264-params", "colormatrix=YCgCo"),), "colour": None},
            Refusal.PIXEL_FORMAT,
            "its matrix of colours from frame 96 on, 8 of ITU-T H.273, is not known; convert the film",
        ),
    ],
)
def test_a_broadcast_that_goes_on_in_another_form_is_refused(
    tmp_path: Path, more: dict[str, Any], refusal: Refusal, said: str
) -> None:
    first = remuxed(film_of(tmp_path / "one.mp4"), "one.ts")
    second = remuxed(film_of(tmp_path / "two.mp4", **more), "two.ts", shift_s=Fraction(98, 25))
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.path.read_bytes() + second.path.read_bytes())

    caught = refused(joined)

    assert (caught.refusal, caught.detail) == (refusal, said)


@pytest.mark.parametrize(
    ("matrix", "is_known"), [(1, True), (2, True), (9, True), (0, False), (8, False), (10, False), (14, False)]
)
def test_a_matrix_of_colours_that_nothing_here_can_paint_in_is_refused(
    tmp_path: Path, matrix: int, is_known: bool
) -> None:
    film = film_of(
        tmp_path / "film.mp4", encoder=(("x264-params", f"colormatrix={MATRIX_NAMES[matrix]}"),), colour=None
    )
    with av.open(str(film.path)) as opened:
        assert int(next(opened.decode(video=0)).colorspace) == matrix

    if is_known:
        assert probe_film(film.path).num_frames == 96
    else:
        caught = refused(film.path)
        assert caught.refusal == Refusal.PIXEL_FORMAT
        assert f"{matrix} of ITU-T H.273" in caught.detail


MATRIX_NAMES = {0: "GBR", 1: "bt709", 2: "undef", 8: "YCgCo", 9: "bt2020nc", 10: "bt2020c", 14: "ICtCp"}


def with_last_length(data: bytes, length: int) -> bytes:
    """The file with what its last box of samples says of its length; what lies behind that is left out."""
    place = data.rindex(b"mdat") - 4
    end = place + int.from_bytes(data[place : place + 4])
    return data[:place] + length.to_bytes(4) + data[place + 4 : end]


def test_samples_that_go_on_to_the_end_of_the_file_are_there(tmp_path: Path) -> None:
    """A length of 0 says so (ISO/IEC 14496-12, 4.2)."""
    options = {"movflags": "frag_keyframe+delay_moov"}
    film = remuxed(film_of(tmp_path / "film.mp4", languages=("eng",)), "parts.mp4", options=options)
    film.path.write_bytes(with_last_length(film.path.read_bytes(), 0))

    assert probe_film(film.path).num_frames == 96


def test_a_film_in_one_piece_is_believed_by_its_index(tmp_path: Path) -> None:
    """A recorder that set more room aside than it filled leaves a box that ends beyond the file."""
    film = remuxed(film_of(tmp_path / "film.mp4"), "fast.mp4", options={"movflags": "faststart"})
    data = film.path.read_bytes()
    place = data.rindex(b"mdat") - 4
    film.path.write_bytes(with_last_length(data, int.from_bytes(data[place : place + 4]) + 4096))

    assert probe_film(film.path).num_frames == 96
