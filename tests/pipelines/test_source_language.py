"""A film's own sound is the one in the language that the catalog says it was made in, whatever its marks say."""

from pathlib import Path

import numpy as np
import pytest
from av.stream import Disposition

from pipelines.admit import AdmitRequest, admit_films
from pipelines.known_films import KnownFilms
from pipelines.media.encode import EncodeConfig
from pipelines.media.ledger import read_ledger
from pipelines.media.probe import probe_film
from pipelines.media.sound import read_channels
from pipelines.stitch import stitch_film
from pipelines.storage import ObjectStore
from pipelines.verify import verify_films
from tests.pipelines.deliveries import film_row, shot_rows
from tests.pipelines.test_own_sound import COMMENT, DEFAULT, DUB, NONE, ORIGINAL, noise
from tests.synthetic import FilmSpec, SyntheticFilm, make_film

FAST = EncodeConfig(preset="ultrafast")
Sounds = list[tuple[str, Disposition]]
CHOICES: list[tuple[str | None, Sounds, int, str]] = [
    ("en", [("fra", DEFAULT), ("eng", NONE)], 1, "as the only one in en that is no dub"),
    ("en-GB", [("fra", ORIGINAL), ("eng", NONE)], 1, "as the only one in en-GB that is no dub"),
    ("de", [("eng", DEFAULT), ("ger", NONE)], 1, "as the only one in de that is no dub"),
    ("en", [("fra", DEFAULT), ("eng", COMMENT), ("eng", NONE)], 2, "as the only one in en that is no dub"),
    ("en", [("fra", DEFAULT), ("eng", NONE), ("eng", ORIGINAL)], 2, "of those in en as it is marked as the original"),
    ("en", [("fra", DEFAULT), ("eng", NONE), ("eng", NONE)], 1, "of those in en as the first that is no dub"),
    ("en", [("fra", DEFAULT), ("eng", DUB)], 0, "as it is the default"),
    ("ja", [("fra", NONE), ("eng", DEFAULT)], 1, "as it is the default"),
    (None, [("fra", DEFAULT), ("eng", NONE)], 0, "as it is the default"),
]


def film_of(
    folder: Path, sounds: Sounds, layout: str = "stereo", heard: list[np.ndarray] | None = None
) -> SyntheticFilm:
    """A film with sounds of so many languages and marks."""
    given = iter(heard or [noise(place, 2) for place in range(len(sounds))])
    spec = FilmSpec(
        sound_codec="flac",
        languages=tuple(language for language, _ in sounds),
        marks=tuple(mark for _, mark in sounds),
        layout=layout,
        cuts=(),
    )
    return make_film(folder / "film.mkv", spec, sound=lambda number, _: next(given)[:, :number])


@pytest.mark.parametrize(("language", "sounds", "place", "why"), CHOICES)
def test_of_several_sounds_those_in_the_language_come_first_and_the_choice_is_told(
    tmp_path: Path, language: str | None, sounds: Sounds, place: int, why: str
) -> None:
    probe = probe_film(film_of(tmp_path, sounds).path, source_language=language)

    notes = {note.note: note.detail for note in probe.notes}
    assert probe.sound_place == place
    assert f": number {place + 1} is taken as its own, {why}" in notes["several_sounds"]
    is_foreign = language is not None and " in en" not in why and " in de" not in why
    assert ("source_language" in notes) is is_foreign
    assert f"is tagged {language}, its source_language" in notes.get("source_language", "") or not is_foreign


@pytest.mark.parametrize(("tag", "is_told"), [("fra", True), ("eng", False), ("und", False)])
def test_an_only_sound_is_told_of_where_it_is_tagged_with_another_language(
    tmp_path: Path, tag: str, is_told: bool
) -> None:
    probe = probe_film(film_of(tmp_path, [(tag, NONE)]).path, source_language="en")

    assert (probe.sound_place, [note.note for note in probe.notes]) == (0, ["source_language"] * is_told)


def test_a_stem_is_laid_around_it_and_it_is_marked_as_the_original(tmp_path: Path) -> None:
    sounds = [noise(seed, 6) for seed in (1, 2)]
    film = film_of(tmp_path, [("fra", DEFAULT), ("eng", NONE)], "5.1", sounds)
    row = film_row(film, source_language="en")
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), None)

    done = stitch_film(row, shots, str(tmp_path / "out"), encode=FAST).film

    delivered = Path(done["delivered_uri"])
    assert (done["failure"], row["sound_place"], row["source_language"]) == (None, 1, "en")
    found = read_channels(delivered)[0]
    for channel in (0, 1, 3, 4, 5):
        assert np.abs(found[channel] - sounds[1][channel, : found.shape[1]]).max() < 2**-14  # FLAC of 16 bits
    marks = ["original" in one.disposition for one in read_ledger(delivered).streams if one.kind == "audio"]
    assert marks == [False, False, True]
    assert verify_films(film.path, delivered, Path(row["dub_uri"])).holds
    (delivered.parent / "manifest.json").unlink()  # nothing says any more which sound it was laid around
    assert {"original", "dub_sound"} <= {
        check.name for check in verify_films(film.path, delivered, Path(row["dub_uri"])).failures
    }


def test_a_film_that_was_admitted_is_looked_at_anew_for_another_source_language(tmp_path: Path) -> None:
    film = film_of(tmp_path, [("fra", DEFAULT), ("eng", NONE)]).path

    def asked(language: str | None) -> AdmitRequest:
        kind = {"dub_kind": "dub_mix", "source_language": language}
        return AdmitRequest(row_number=1, title="a", language="es", film=film, dub=dub, **kind)  # type: ignore[arg-type]

    dub = make_film(tmp_path / "dub.mov").path
    known = KnownFilms(str(tmp_path / "work"))
    known.keep([one.film for one in admit_films([asked("en")], known) if one.film])

    again = list(admit_films([asked("en"), asked(None)], known))

    assert [one.found for one in again] == [True, False]
    assert [one.film and one.film["sound_place"] for one in again] == [1, 0]
