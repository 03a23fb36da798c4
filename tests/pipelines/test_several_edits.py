"""An MP4 that plays parts of itself one after the other is told from one that does not, before anything is painted."""

import struct
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.media.probe import probe_film
from pipelines.media.refusal import MediaRefusedError
from schemas.reason import Refusal
from tests.pipelines.test_splice import film_of
from tests.pipelines.test_survival import as_read, delivered
from tests.synthetic import SyntheticFilm

SECOND_EDIT_S = 2  # what lies between one second and this is not shown
UNMOVED = {"movflags": "write_colr"}  # and not faststart: the table of contents grows behind all samples


def with_two_edits(film: SyntheticFilm, tracks: Collection[int]) -> Path:
    """The film with one second of each of these tracks, then what comes after two seconds."""
    data = bytearray(film.path.read_bytes())
    moov = data.index(b"moov") - 4
    assert data.index(b"mdat") < moov, "offsets of samples would change"
    movie_scale = _number(data, data.index(b"mvhd") + 16)
    starts = _places(data, b"trak", moov)
    for place in sorted(tracks, reverse=True):
        begin = starts[place]
        scale, edits = _number(data, data.index(b"mdhd", begin) + 16), data.index(b"elst", begin) - 4
        assert _number(data, edits + 12) == 1
        length, at, rate = struct.unpack_from(">IiI", data, edits + 16)
        left = length - SECOND_EDIT_S * movie_scale
        entries = struct.pack(">IiIIiI", movie_scale, at, rate, left, at + SECOND_EDIT_S * scale, rate)
        data[edits + 16 : edits + 28] = entries
        data[edits + 12 : edits + 16] = (2).to_bytes(4)
        for box in (edits, data.index(b"edts", begin) - 4, begin, moov):
            data[box : box + 4] = (_number(data, box) + 12).to_bytes(4)
    path = film.path.with_name("edited.mp4")
    path.write_bytes(data)
    return path


def _number(data: bytearray, place: int) -> int:
    return int.from_bytes(data[place : place + 4])


def _places(data: bytearray, name: bytes, begin: int) -> list[int]:
    places, place = [], data.find(name, begin)
    while place >= 0:
        places.append(place - 4)
        place = data.find(name, place + 4)
    return places


def test_a_film_whose_sound_has_several_edits_is_refused_with_what_to_do(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4", languages=("eng",), subtitle=None, chapters=False, extra=UNMOVED)

    with pytest.raises(MediaRefusedError, match=r"stream 1 \(audio\) goes back .* export the film in one") as caught:
        probe_film(with_two_edits(film, (0, 1)))

    assert caught.value.refusal is Refusal.TIMING


@pytest.mark.parametrize("painted", [None, 0])
def test_a_picture_of_several_edits_is_encoded_whole_for_its_times(tmp_path: Path, painted: int | None) -> None:
    film = film_of(tmp_path / "film.mp4", languages=("eng",), subtitle=None, chapters=False, extra=UNMOVED)
    edited = as_read(replace(film, path=with_two_edits(film, (0,))))
    assert len(edited.pts) == 25 + 96 - 50

    path, manifest = delivered(tmp_path, edited, painted)

    assert (manifest["picture"]["method"], manifest["picture"]["reason"]) == ("transcode", "times")
    assert as_read(replace(film, path=path)).pts == edited.pts
