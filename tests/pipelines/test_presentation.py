"""How a container has its picture shown comes back, or is named as left out."""

import struct
from dataclasses import replace
from pathlib import Path

import av
import pytest
from av.bitstream import BitStreamFilterContext

from pipelines.media.presentation import CROPPED, display_matrix
from pipelines.media.probe import probe_film
from tests.pipelines.test_splice import film_of
from tests.pipelines.test_survival import delivered
from tests.synthetic import SyntheticFilm

CODED_WHOLE = {"codec": "mpeg4", "encoder": (("qscale", "2"),), "b_frames": 0}
UNMOVED = {"movflags": "write_colr"}  # and not faststart: the table of contents grows behind all samples
MIRROR = (-65536, 0, 0, 0, 65536, 0, 160 << 16, 0, 1 << 30)
MATRIX_AT = 44  # from the name of `tkhd`
CLEAN_APERTURE = struct.pack(">I4s8I", 40, b"clap", 144, 1, 104, 1, 0, 1, 0, 1)


@pytest.mark.parametrize("more", [{}, CODED_WHOLE], ids=["spliced", "encoded whole"])
def test_a_mirrored_film_stays_mirrored(tmp_path: Path, more: dict[str, object]) -> None:
    film = film_of(tmp_path / "film.mp4", **more)
    data = bytearray(film.path.read_bytes())
    place = data.index(b"tkhd") + MATRIX_AT
    data[place : place + 36] = struct.pack(">9i", *MIRROR)
    film.path.write_bytes(data)

    path, manifest = delivered(tmp_path, film)

    assert manifest["picture"]["method"] == ("transcode" if more else "splice")
    with av.open(str(path)) as made:
        assert display_matrix(next(made.decode(video=0))) == MIRROR


def with_clean_aperture(film: Path) -> Path:
    data = bytearray(film.read_bytes())
    assert data.index(b"mdat") < data.index(b"moov"), "offsets of samples would change"
    place = 0
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"):
        place = data.index(name, place)
        _grow(data, place - 4)
    entry = place + 12
    end = entry + _grow(data, entry)
    data[end:end] = CLEAN_APERTURE
    path = film.with_name(f"cropped{film.suffix}")
    path.write_bytes(data)
    return path


def _grow(data: bytearray, box: int) -> int:
    size = int.from_bytes(data[box : box + 4])
    data[box : box + 4] = (size + len(CLEAN_APERTURE)).to_bytes(4)
    return size


@pytest.mark.parametrize(
    ("suffix", "more", "stays"),
    [
        pytest.param("mov", {}, True, id="spliced"),
        pytest.param("mov", CODED_WHOLE, False, id="encoded whole"),
        pytest.param("mp4", {}, True, id="spliced in MP4"),
    ],
)
def test_a_clean_aperture_comes_back_or_is_named(
    tmp_path: Path, suffix: str, more: dict[str, object], stays: bool
) -> None:
    film = film_of(tmp_path / f"film.{suffix}", extra=UNMOVED, **more)

    path, manifest = delivered(tmp_path, replace(film, path=with_clean_aperture(film.path)))

    assert (CLEAN_APERTURE in path.read_bytes(), manifest["left_out"]) == (stays, [] if stays else [CROPPED])


def cropped(film: SyntheticFilm, **pixels: int) -> SyntheticFilm:
    """The film with a bitstream that says which edges of its picture of 160 x 128 coded pixels are not shown."""
    path = film.path.with_name("edges.mp4")
    told = ":".join(f"crop_{edge}={count}" for edge, count in pixels.items())
    with av.open(str(film.path)) as source, av.open(str(path), "w") as out:
        stream = source.streams.video[0]
        copy = out.add_stream_from_template(stream)
        edges = BitStreamFilterContext(f"h264_metadata={told}", stream, copy)
        for packet in source.demux(stream):
            for made in edges.filter(packet if packet.size else None):
                made.stream = copy
                out.mux(made)
    return replace(film, path=path)


@pytest.mark.parametrize(
    ("pixels", "size", "reason"),
    [
        pytest.param({"left": 4, "top": 8, "right": 2, "bottom": 6}, (154, 114), "unlike", id="left"),
        pytest.param({"top": 8, "right": 2, "bottom": 6}, (158, 114), None, id="top"),
    ],
)
def test_a_picture_that_its_bitstream_crops_has_the_size_that_it_declares(
    tmp_path: Path, pixels: dict[str, int], size: tuple[int, int], reason: str | None
) -> None:
    film = cropped(film_of(tmp_path / "film.mp4"), **pixels)

    path, manifest = delivered(tmp_path, film)

    assert manifest["picture"]["reason"] == reason
    with av.open(str(path)) as made:
        assert {(frame.width, frame.height) for frame in made.decode(video=0)} == {size}
    assert (probe_film(path).width_px, probe_film(path).height_px) == size
