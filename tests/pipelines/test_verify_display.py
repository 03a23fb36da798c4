"""How a film is turned, mirrored and cropped by its container is proved: each change is seen."""

import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.media.encode import EncodeConfig
from pipelines.media.ledger import read_ledger
from pipelines.stitch import stitch_film
from pipelines.storage import ObjectStore
from pipelines.verify import verify_films
from tests.pipelines.deliveries import film_row, shot_rows, vouched
from tests.pipelines.test_survival import remuxed
from tests.synthetic import FilmSpec, SyntheticFilm, make_film

PARENTS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
ONE = 1 << 16


def delivered(film: SyntheticFilm, folder: Path) -> Path:
    row = film_row(film)
    shots = shot_rows(film, row, ObjectStore(str(folder / "work")), None)
    made = stitch_film(row, shots, str(folder / "out"), encode=EncodeConfig(preset="ultrafast")).film
    assert made["failure"] is None
    return Path(made["delivered_uri"])


def with_clap(film: SyntheticFilm, width: int, height: int) -> SyntheticFilm:
    """The film with a clean aperture in the middle of its picture, which is its first track."""
    data, places, start = bytearray(film.path.read_bytes()), [], 0
    assert data.find(b"mdat") < data.find(b"moov")  # no place of a sample moves
    for name in PARENTS:
        start = data.index(name, start) - 4
        places.append(start)
    places.append(start + 16)  # the sample entry
    (length,) = struct.unpack_from(">I", data, places[-1])
    clap = struct.pack(">I4s8I", 40, b"clap", width, 1, height, 1, 0, 1, 0, 1)
    data[places[-1] + length : places[-1] + length] = clap
    for place in places:
        struct.pack_into(">I", data, place, *(one + len(clap) for one in struct.unpack_from(">I", data, place)))
    target = film.path.with_name("cropped.mov")
    target.write_bytes(data)
    return replace(film, path=target)


def mirrored(data: bytes, matrix: Sequence[int]) -> bytes:
    """The movie with the matrix of its first track, [a, b, u, c, d], another one."""
    place = data.index(b"tkhd") + 4
    place += 40 if data[place] == 0 else 52
    return data[:place] + struct.pack(">5i", *matrix) + data[place + 20 :]


def failed(source: Path, broken: Path) -> list[str]:
    return [check.name for check in verify_films(source, broken).failures]


def test_a_film_that_is_mirrored_in_place_of_turned_is_seen_though_its_degrees_are_the_same(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(rotation=180))
    made = delivered(film, tmp_path)
    upside_down, broken = read_ledger(made).colour, tmp_path / "broken.mp4"

    broken.write_bytes(mirrored(made.read_bytes(), (-ONE, 0, 0, 0, ONE)))
    vouched(broken, made.with_name("manifest.json"))

    assert upside_down["display_matrix"] == [-1, 0, 0, -1]
    assert abs(read_ledger(broken).colour["rotation"]) == abs(upside_down["rotation"]) == 180
    assert failed(film.path, broken) == ["picture_tags", "side_data"]  # the latter of copied frames alone


@pytest.mark.parametrize(("width", "hidden"), [(144, 8.0), (152, 4.0)])
def test_another_clean_aperture_is_seen(tmp_path: Path, width: int, hidden: float) -> None:
    film = make_film(tmp_path / "film.mov", FilmSpec(subtitle=None, chapters=False))
    film = with_clap(remuxed(film, "plain.mov"), width, 104)
    made = delivered(film, tmp_path)
    data, broken = made.read_bytes(), tmp_path / "broken.mov"

    broken.write_bytes(data.replace(b"clap" + width.to_bytes(4), b"clap" + (width - 16).to_bytes(4)))
    vouched(broken, made.with_name("manifest.json"))

    assert read_ledger(film.path).crop == read_ledger(made).crop == [hidden, hidden, 8.0, 8.0]
    assert failed(film.path, broken) == ["picture_tags"]
