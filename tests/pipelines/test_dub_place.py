"""Of a dub's file with several sounds the one in its language is taken: delivered, and heard by all that listen."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from jobs.dub_notices import dub_notices
from pipelines.align import AlignDub
from pipelines.conform import ConformDub
from pipelines.delivery import read_manifest
from pipelines.delivery_key import manifest_key
from pipelines.media.encode import EncodeConfig
from pipelines.media.sound import read_channels
from pipelines.sound_check import stored_sounds
from pipelines.stitch import stitch_film
from pipelines.storage import ObjectStore, file_digest
from pipelines.stored_sound import stored_dub
from pipelines.verify import verify_films
from schemas.film import FILM
from schemas.shot import SHOT
from tests.film_rows import as_shot
from tests.film_rows import film_row as given_row
from tests.pipelines.deliveries import film_row, shot_rows
from tests.pipelines.test_own_sound import VOICE, noise
from tests.shared_sound import laid, music
from tests.synthetic import FilmSpec, make_film

FAST = EncodeConfig(preset="ultrafast")
HZ = 48_000


def dub_file(
    path: Path, sounds: list[np.ndarray], languages: tuple[str, ...] = ("eng", "spa"), start: int = 0
) -> Path:
    """A film that brings sounds [C, N] of several languages, in a picture that begins at some frame."""
    given = iter(sounds)
    frames = 25 * sounds[0].shape[-1] // HZ
    codec = "pcm_s24le" if path.suffix == ".mov" else "flac"
    spec = FilmSpec(num_frames=frames, cuts=(), languages=languages, sound_codec=codec, start_frame=start)
    make_film(path, spec, sound=lambda number, _: next(given)[:, :number])
    return path


@pytest.mark.parametrize(("name", "start"), [("dub.mkv", 0), ("dub.mov", 0), ("dub.mkv", 25)])
@pytest.mark.parametrize("kind", ["dub_mix", "dub_stem"])
def test_the_sound_in_the_language_is_delivered_to_the_sample_and_the_proof_holds(
    tmp_path: Path, name: str, start: int, kind: str
) -> None:
    sounds = [noise(1), noise(2)]
    film = make_film(tmp_path / "film.mkv", FilmSpec(sound_codec="flac"))
    dub = dub_file(tmp_path / name, sounds, start=start)
    row = film_row(film, "es-419", dub=dub, dub_kind=kind)
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), None)

    done = stitch_film(row, shots, str(tmp_path / "out"), encode=FAST).film

    delivered = Path(done["delivered_uri"])
    found = read_channels(delivered)[0]
    assert (done["failure"], row["dub_place"], found.shape) == (None, 1, (2, 2 * HZ))
    assert np.abs(found - sounds[1]).max() < 2**-14  # FLAC of 16 bits
    assert (read_manifest(delivered.parent) or {})["dub_place"] == 1
    assert verify_films(film.path, delivered, dub).holds
    other = verify_films(film.path, delivered, dub_file(tmp_path / f"other-{name}", sounds[::-1], start=start))
    assert [check.name for check in other.failures] == ["dub_sound", "dub_digest"]


def test_the_choice_is_told_before_anything_is_painted(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mkv")
    row = film_row(film, "es", dub=dub_file(tmp_path / "dub.mkv", [noise(1), noise(2)]))

    (told,) = [line for line in dub_notices([row | {"sounds_uri": None, "dub_lines": []}]) if "DUB SOUND" in line]

    assert told.endswith("number 2 is taken as the dub, the only one in es")


def test_all_that_listens_to_a_dub_hears_the_sound_that_is_taken(tmp_path: Path) -> None:
    """One file, one store: of one language it speaks, of the other it is silent."""
    voice = np.resize(read_channels(VOICE)[0][:1], (1, 4 * HZ)).repeat(2, 0).astype(np.float32)
    film = make_film(tmp_path / "film.mkv", FilmSpec(num_frames=100, cuts=()))
    dub = dub_file(tmp_path / "dub.mkv", [voice, 0 * voice])
    store = ObjectStore(str(tmp_path / "work"))
    for place, speaks in ((0, True), (1, False)):
        row = given_row(film, dub, dub_place=place, dub_kind="dub_mix", dub_digest=file_digest(dub))

        (heard,) = AlignDub(store.root_uri)(as_shot(row, 100).select(SHOT.names)).to_pylist()

        (sound,) = [one for one in stored_sounds(heard["sounds_uri"]) if one["role"] == "dub"]
        assert bool(heard["dub_speech"]) is speaks
        assert (sound["speech_s"] > 1, sound["sample_peak_dbfs"] is not None) == (speaks, speaks)
        assert [flaw["flaw"] for flaw in sound["flaws"]] == ([] if speaks else ["silent"])
        assert bool(np.abs(stored_dub(store, row)[:]).max() > 0) is speaks


def test_the_lag_of_a_mix_is_that_of_the_sound_that_is_taken(tmp_path: Path) -> None:
    shared = music(np.random.default_rng(1), 6, HZ)
    late, lag_s = laid(shared, 1.0, 0.1, HZ)
    film = make_film(tmp_path / "film.mkv", FilmSpec(num_frames=150, cuts=()), sound=lambda number, _: shared[:number])
    dub = dub_file(tmp_path / "dub.mkv", [one[None, : 6 * HZ].repeat(2, 0) for one in (shared, late)])
    row = given_row(film, dub, dub_kind="dub_mix", dub_digest=file_digest(dub))
    align = AlignDub(str(tmp_path / "work"))

    lags = [
        align(as_shot(row | {"dub_place": place}, 150).select(SHOT.names)).to_pylist()[0]["lag_samples"]
        for place in (0, 1)
    ]

    assert lags == [0, round(lag_s * 16_000)]


def test_a_late_mix_is_moved_out_of_its_file_and_is_then_the_only_sound_of_its_own(tmp_path: Path) -> None:
    own, other = (music(np.random.default_rng(seed), 20, HZ) for seed in (1, 2))
    film = make_film(tmp_path / "film.mkv", FilmSpec(num_frames=500, cuts=()), sound=lambda number, _: own[:number])
    late, lag_s = laid(own, 1.0, 0.5, HZ)
    dub = dub_file(tmp_path / "dub.mkv", [one[None, : 20 * HZ].repeat(2, 0) for one in (other, late)])
    row = given_row(film, dub, dub_kind="dub_mix", dub_digest=file_digest(dub))
    conform = ConformDub(str(tmp_path / "work"))

    first, second = (
        conform(pa.Table.from_pylist([row | {"dub_place": place}], schema=FILM)).to_pylist()[0] for place in (0, 1)
    )

    assert (first["conform"]["moved"], first["dub_uri"], first["dub_place"]) == (False, str(dub), 0)
    assert (second["conform"]["moved"], second["dub_place"]) == (True, 0)
    assert second["conform"]["lag_s"] == pytest.approx(lag_s, abs=1e-3)
    moved = read_channels(Path(second["dub_uri"]))[0]
    assert np.abs(moved[0, :HZ] - own[:HZ]).max() < 2**-14


def test_another_sound_of_the_same_file_is_another_delivery(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mkv")
    row = given_row(film)

    keys = {manifest_key(row | {"dub_place": place}, [], FAST, {}) for place in (0, 1, 2)}

    assert len(keys) == 3
