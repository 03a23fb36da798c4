"""Films of odd size, in DNxHD or HLG, and those whose container alone tells their light, are spliced as they are."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.media.frame_tags import colour_tags
from pipelines.media.picture import frames
from tests.pipelines.test_splice import WHOLE_FILM, X264, X265, film_of, side_data_of
from tests.pipelines.test_survival import HDR, delivered

SHORT = {"num_frames": 36, "cuts": (12,), "gop": 12}
TEN_BITS_HLG = {"pixel_format": "yuv420p10le", "colour": (9, 9, 18, 1)}
HD = {"num_frames": 4, "cuts": (2,), "width_px": 1280, "height_px": 720, "b_frames": 0}
DNXHD = {"codec": "dnxhd", "encoder": (("b", "60M"),), "pixel_format": "yuv422p"}


@pytest.mark.parametrize(
    ("suffix", "more", "copied"),
    [
        pytest.param("mp4", {"width_px": 161, "height_px": 121, "pixel_format": "yuv444p"}, 12, id="odd 4:4:4"),
        pytest.param("mp4", {"height_px": 121, "pixel_format": "yuv422p"}, 12, id="odd height in 4:2:2"),
        pytest.param("mp4", TEN_BITS_HLG, 12, id="HLG in H.264"),
        pytest.param("mp4", TEN_BITS_HLG | {"codec": "libx265", "encoder": X265}, 4, id="HLG in HEVC"),
        pytest.param("mov", HD | DNXHD, 2, id="DNxHD 720p"),
    ],
)
def test_a_film_of_odd_size_or_other_light_is_spliced_as_it_is(
    tmp_path: Path, suffix: str, more: dict[str, Any], copied: int
) -> None:
    film = film_of(tmp_path / f"film.{suffix}", **SHORT | more)

    path, manifest = delivered(tmp_path, film)

    assert (manifest["picture"]["method"], manifest["left_out"]) == ("splice", [])
    assert manifest["num_frames"]["copied"] == copied
    assert manifest["num_frames"]["edited"] == len(film.pts) - film.spec.cuts[0]
    before, after = (list(looks_of(one)) for one in (film.path, path))
    assert len(set(before)) == 1
    assert before == after


def looks_of(path: Path) -> Iterator[tuple[Any, ...]]:
    """Size, samples and colour tags of each frame."""
    for _, frame in frames(path, *WHOLE_FILM):
        yield frame.width, frame.height, frame.format.name, colour_tags(frame)


SCREEN_BOX = struct.pack(">8H2I", 13250, 34500, 7500, 3000, 34000, 16000, 15635, 16450, 10_000_000, 1)
LIGHT_BOXES = {b"mdcv": SCREEN_BOX, b"clli": struct.pack(">2H", 1000, 400)}
SAMPLE_ENTRY = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")


def with_boxes(data: bytes, boxes: dict[bytes, bytes]) -> bytes:
    """An MP4 that ends with its header, with more boxes in the entry of its first stream."""
    more = b"".join((len(held) + 8).to_bytes(4) + name + held for name, held in boxes.items())
    start, lengths = 0, []
    for name in SAMPLE_ENTRY:
        while data[start + 4 : start + 8] != name:
            start += int.from_bytes(data[start : start + 4])
        lengths.append(start)
        start += 16 if name == b"stsd" else 8
    end, longer = start + int.from_bytes(data[start : start + 4]), bytearray(data)
    for place in (*lengths, start):
        longer[place : place + 4] = (int.from_bytes(data[place : place + 4]) + len(more)).to_bytes(4)
    return bytes(longer[:end]) + more + bytes(longer[end:])


@pytest.mark.parametrize("painted", [None, 1])
@pytest.mark.parametrize(("codec", "encoder"), [("libx264", X264), ("libx265", X265)])
def test_light_that_only_the_container_tells_stays_in_a_spliced_film(
    tmp_path: Path, codec: str, encoder: tuple[tuple[str, str], ...], painted: int | None
) -> None:
    film = film_of(tmp_path / "film.mp4", codec=codec, encoder=encoder, extra={"movflags": "0"}, **HDR | SHORT)
    film.path.write_bytes(with_boxes(film.path.read_bytes(), LIGHT_BOXES))
    light = {"MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"}
    assert all(light <= found for found in side_data_of(film.path))

    path, manifest = delivered(tmp_path, film, painted)

    assert (manifest["picture"]["method"], manifest["left_out"]) == ("splice", [])
    assert all(light <= found for found in side_data_of(path))
    made = path.read_bytes()
    assert all(name + held in made for name, held in LIGHT_BOXES.items())
