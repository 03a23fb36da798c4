"""What is odd in a film that is dubbed all the same is told when it is admitted, and beside what is delivered."""

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobs.delivered_picture import picture_section
from jobs.dub_notices import dub_notices
from pipelines.admission import film_facts
from pipelines.media.declared_colour import DeclaredColour, declared_colour
from pipelines.media.picture import coded_frames
from pipelines.media.probe import probe_film
from schemas.reason import FilmNote
from tests.film_rows import UNHEARD, film_row
from tests.pipelines.joined_films import joined
from tests.pipelines.test_splice import film_of
from tests.pipelines.test_survival import delivered
from tests.synthetic import SyntheticFilm

WOVEN: dict[str, Any] = {"encoder": (("x264-params", "tff=1"), ("threads", "1")), "num_frames": 4, "cuts": ()}
WIDE = struct.pack(">3HB", 5, 6, 5, 0x80)  # BT.601, full range


def notes_of(path: Path) -> dict[FilmNote, str]:
    return {note.note: note.detail for note in probe_film(path).notes}


def with_other_box(film: SyntheticFilm, said: bytes = WIDE) -> SyntheticFilm:
    """The MP4 with another word of its container on colours."""
    data = bytearray(film.path.read_bytes())
    place = data.index(b"colrnclx") + 8
    data[place : place + 7] = said
    path = film.path.with_name(f"other.{film.path.suffix}")
    path.write_bytes(data)
    return replace(film, path=path)


def test_an_ordinary_film_has_no_notes(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4")

    assert notes_of(film.path) == {}
    assert [(pts, tuple(tags)) for pts, tags in probe_film(film.path).colours] == [(film.pts[0], (1, 1, 1, 1))]


def test_a_container_that_contradicts_its_picture_is_noted_and_the_picture_believed(tmp_path: Path) -> None:
    film = with_other_box(film_of(tmp_path / "film.mp4"))

    assert notes_of(film.path) == {
        FilmNote.COLOUR_CONFLICT: "its container says matrix 5, primaries 5, full range, its picture matrix 1, "
        "primaries 1, limited range (numbers of ITU-T H.273); the picture is believed"
    }
    coding = next(coding for _, _, coding in coded_frames(film.path, film.pts[0], film.pts[0] + 1))
    assert (coding.matrix, coding.full_range) == (1, False)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(struct.pack(">3HB", 1, 6, 1, 0), id="another number of the same curve"),
        pytest.param(struct.pack(">3HB", 2, 2, 2, 0), id="it says nothing"),
    ],
)
def test_what_says_the_same_in_other_words_is_no_conflict(tmp_path: Path, said: bytes) -> None:
    assert notes_of(with_other_box(film_of(tmp_path / "film.mp4"), said).path) == {}


def test_a_container_that_alone_tells_the_colours_contradicts_nobody(tmp_path: Path) -> None:
    untold = film_of(tmp_path / "film.mp4", colour=None)
    alone = film_of(tmp_path / "film.mkv", codec="ffv1", encoder=(), b_frames=0)

    assert declared_colour(untold.path) is None
    assert declared_colour(alone.path) == DeclaredColour(primaries=1, transfer=1, matrix=1, full_range=False)
    assert notes_of(untold.path) == notes_of(alone.path) == {}


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_the_containers_word_is_read(tmp_path: Path, suffix: str) -> None:
    film = film_of(tmp_path / f"film.{suffix}", colour=(9, 9, 16, 2), pixel_format="yuv420p10le")

    said = declared_colour(film.path)

    assert said is not None
    assert (said.matrix, said.primaries, said.transfer) == (9, 9, 16)
    assert said.full_range is (None if suffix == "mov" else True)


def test_a_matroska_that_contradicts_its_picture_is_noted(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mkv")
    data = film.path.read_bytes()
    matrix, own = b"\x55\xb1\x81", b"\x55\xb1\x81\x01"  # MatrixCoefficients, one byte
    assert data.count(own) == 1
    film.path.write_bytes(data.replace(own, matrix + b"\x09"))

    assert declared_colour(film.path) == DeclaredColour(primaries=1, transfer=1, matrix=9, full_range=False)
    assert notes_of(film.path)[FilmNote.COLOUR_CONFLICT].startswith(
        "its container says matrix 9, its picture matrix 1"
    )


@pytest.mark.parametrize("data", [b"", b"\x1a\x45\xdf\xa3", b"\0\0\0\x10moovcolrnclx", b"\x1a\x45\xdf\xa3\x9f" * 40])
def test_what_is_no_whole_container_says_nothing(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "film"
    path.write_bytes(data)

    assert declared_colour(path) is None


def test_a_few_interlaced_frames_are_told_and_counted(tmp_path: Path) -> None:
    film = joined(tmp_path, {}, WOVEN)

    first = film.pts[96] * film.time_base
    assert notes_of(film.path) == {
        FilmNote.INTERLACED_FRAMES: f"4 of 100 frames are flagged interlaced, the first at 00:00:0{float(first):.3f}; "
        "shots with such frames keep their picture"
    }


def test_notes_are_told_before_painting_and_in_the_report(tmp_path: Path) -> None:
    film = with_other_box(film_of(tmp_path / "film.mp4"))
    facts = film_facts(probe_film(film.path))

    (told,) = dub_notices([film_row(film, num_sounds=0, notes=facts["notes"]) | UNHEARD])
    _, manifest = delivered(tmp_path, film)

    assert told.startswith("COLOUR CONFLICT: its container says matrix 5")
    assert manifest["notes"] == facts["notes"]
    assert "COLOUR CONFLICT" in picture_section(manifest)


def test_interlaced_frames_that_are_encoded_beside_a_mouth_are_named(tmp_path: Path) -> None:
    film = joined(tmp_path, {}, WOVEN, suffix="mp4")
    film = replace(film, cuts=(film.pts[98],))

    _, manifest = delivered(tmp_path, film, 1)

    assert [note["note"] for note in manifest["notes"]] == ["interlaced_frames"]
    assert "the interlaced flag of 4 frames" in manifest["left_out"]
