"""A stretch of stored sound is what the whole file's sound has there, to the bit; the file is decoded once."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from pipelines.media.container import UndecodableError
from pipelines.media.sound import read_mono, write_wav
from pipelines.storage import ObjectStore
from pipelines.stored_sound import stored_sound
from tests.synthetic import FilmSpec, make_film

DIGEST = "ab" * 32
STRETCHES = [(0, 10), (5000, 21_000), (31_990, 40_000), (50_000, 60_000), (7, 7), (-100, -3), (None, 300), (9, None)]
FILMS = [
    pytest.param("film.mp4", FilmSpec(), id="aac"),
    pytest.param("film.mkv", FilmSpec(sample_rate_hz=44_100), id="44.1 kHz"),
    pytest.param("film.mov", FilmSpec(sound_start_s=Fraction(1, 4)), id="late"),
]


@pytest.mark.parametrize(("name", "spec"), FILMS)
@pytest.mark.parametrize("root", ["", "memory://sounds"])
def test_every_stretch_is_that_of_the_whole_sound_to_the_bit(
    tmp_path: Path, name: str, spec: FilmSpec, root: str
) -> None:
    film = make_film(tmp_path / name, spec)
    whole = read_mono(film.path)

    sound = stored_sound(ObjectStore(f"{root}/{name}" if root else str(tmp_path / "store")), DIGEST, film.path)

    assert len(sound) == len(whole)
    for start, stop in STRETCHES:
        assert sound[start:stop].tobytes() == whole[start:stop].tobytes()
    later = sound.since(1234)
    assert (len(later), later[:50].tobytes()) == (len(whole) - 1234, whole[1234:1284].tobytes())
    assert len(sound.since(len(whole) + 1)) == 0


def test_a_stretch_may_be_written_into(tmp_path: Path) -> None:
    write_wav(tmp_path / "dub.wav", np.full(1000, 0.5, np.float32), 16_000)
    sound = stored_sound(ObjectStore(str(tmp_path)), DIGEST, tmp_path / "dub.wav")

    sound[:10][:] = 0

    assert sound[:10].min() > 0


def test_a_file_is_decoded_once(tmp_path: Path) -> None:
    write_wav(tmp_path / "dub.wav", np.linspace(-1, 1, 5000, dtype=np.float32), 48_000)
    store = ObjectStore(str(tmp_path / "store"))
    first = stored_sound(store, DIGEST, tmp_path / "dub.wav")[:]
    (tmp_path / "dub.wav").unlink()

    assert np.array_equal(stored_sound(store, DIGEST, tmp_path / "dub.wav")[:], first)


def test_a_stretch_has_no_step(tmp_path: Path) -> None:
    write_wav(tmp_path / "dub.wav", np.zeros(1000, np.float32), 16_000)

    with pytest.raises(ValueError, match="step"):
        stored_sound(ObjectStore(str(tmp_path)), DIGEST, tmp_path / "dub.wav")[::2]


def test_a_file_without_sound_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(languages=()))

    with pytest.raises(UndecodableError, match="no sound stream"):
        stored_sound(ObjectStore(str(tmp_path / "store")), DIGEST, film.path)

    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []
