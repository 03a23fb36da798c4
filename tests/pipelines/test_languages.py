"""The language of a dub, and of the film's own tracks, is read back from every container, or is named as lost."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.media.language_code import language_code
from pipelines.media.mov_language import write_languages
from pipelines.verify import verify_films
from tests.pipelines.deliveries import vouched
from tests.pipelines.test_roles import dubbed, languages
from tests.synthetic import FilmSpec, make_film

CODES = {  # ISO 639-2/T, and ISO 639-3 where that has none
    "af": "afr",
    "ar": "ara",
    "bn": "ben",
    "bo": "bod",
    "ca": "cat",
    "cy": "cym",
    "de": "deu",
    "el": "ell",
    "en-GB": "eng",
    "es-419": "spa",
    "eu": "eus",
    "fa": "fas",
    "fil": "fil",
    "fr-CA": "fra",
    "ga": "gle",
    "gl": "glg",
    "gsw": "gsw",
    "he": "heb",
    "hr": "hrv",
    "hy": "hye",
    "id": "ind",
    "in": "ind",
    "is": "isl",
    "iw": "heb",
    "ka": "kat",
    "mk": "mkd",
    "mo": "ron",
    "ms": "msa",
    "nb": "nob",
    "nl": "nld",
    "nn": "nno",
    "no": "nor",
    "pa": "pan",
    "pt-BR": "por",
    "sh": "srp",
    "sq": "sqi",
    "sr-Latn": "srp",
    "sv": "swe",
    "yue": "yue",
    "ZH-Hant": "zho",
    "zu": "zul",
}


def sounds(path: Path, codes: Sequence[str | None]) -> Path:
    """A file with a short sound of each language."""
    with av.open(str(path), "w") as out:
        streams = [out.add_stream("aac", rate=48_000, layout="mono") for _ in codes]
        for stream, code in zip(streams, codes, strict=True):
            stream.metadata.update({"language": code} if code else {})
        for stream in streams:
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate = 48_000
            out.mux([*stream.encode(frame), *stream.encode(None)])
    return path


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
def test_a_language_survives_its_container(tmp_path: Path, suffix: str) -> None:
    codes = [language_code(tag) for tag in CODES]

    made = sounds(tmp_path / f"sound.{suffix}", codes)
    if suffix == "mov":
        write_languages(made, codes)

    assert dict(zip(CODES, languages(made), strict=True)) == CODES


@pytest.mark.parametrize("codes", [[None, "eng", "und"], ["x", "ENG", "english"]])
def test_what_is_no_language_is_not_written(tmp_path: Path, codes: list[str | None]) -> None:
    made = sounds(tmp_path / "sound.mov", codes)
    before = made.read_bytes()

    write_languages(made, codes)

    assert made.read_bytes() == before


@pytest.mark.parametrize("tag", ["x-klingon", "i-klingon", "tlhingan"])
def test_a_tag_that_stands_for_no_language_has_no_code(tag: str) -> None:
    assert language_code(tag) is None


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "aac"), ("mkv", "flac"), ("mov", "pcm_s24le")])
@pytest.mark.parametrize(("tag", "code"), [("nb", "nob"), ("sr-Latn", "srp"), ("de", "deu")])
def test_the_dub_of_a_delivered_film_has_its_language(
    tmp_path: Path, suffix: str, codec: str, tag: str, code: str
) -> None:
    film = make_film(tmp_path / f"film.{suffix}", FilmSpec(sound_codec=codec))

    delivered = dubbed(tmp_path, film, tag)

    assert languages(delivered) == [code, "eng"]
    assert json.loads(delivered.with_name("manifest.json").read_text())["left_out"] == []


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "aac"), ("mkv", "flac"), ("mov", "pcm_s24le")])
def test_a_language_that_no_container_holds_is_named(tmp_path: Path, suffix: str, codec: str) -> None:
    film = make_film(tmp_path / f"film.{suffix}", FilmSpec(sound_codec=codec))

    delivered = dubbed(tmp_path, film, "x-klingon")

    manifest = json.loads(delivered.with_name("manifest.json").read_text())
    assert manifest["left_out"] == ["language of the dub"]
    assert verify_films(film.path, delivered).holds
    delivered.with_name("manifest.json").write_text(json.dumps(manifest | {"left_out": []}))
    assert [check.name for check in verify_films(film.path, delivered).failures] == ["dub_language"]


def test_a_mov_whose_own_sound_is_in_a_language_without_a_number_keeps_it(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mov", FilmSpec(sound_codec="pcm_s24le", languages=("hrv", "deu"), subtitle=None))
    write_languages(film.path, [None, "hrv", "deu"])
    assert languages(film.path) == ["hrv", "deu"]

    assert languages(dubbed(tmp_path, film)) == ["spa", "hrv", "deu"]


def test_a_language_that_mp4_cannot_hold_is_named_and_one_that_is_lost_unnamed_is_seen(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.ts", FilmSpec(languages=("eng", "NAR")))  # as broadcasters call a narration

    delivered = dubbed(tmp_path, film)

    assert languages(delivered)[:2] == ["spa", "eng"]
    manifest = json.loads(delivered.with_name("manifest.json").read_text())
    assert manifest["left_out"] == ["language of track 1"]
    delivered.with_name("manifest.json").write_text(json.dumps(manifest | {"left_out": []}))
    assert [check.name for check in verify_films(film.path, delivered).failures] == ["languages"]


@pytest.mark.parametrize("language", ["und", "eng"])
def test_a_dub_without_its_language_is_seen_though_its_title_names_it(tmp_path: Path, language: str) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec())
    delivered = dubbed(tmp_path, film)
    assert verify_films(film.path, delivered).holds
    data, spanish = delivered.read_bytes(), bytes.fromhex("4e01")  # s, p, a of five bits each
    assert data.count(spanish + bytes(2)) == 1
    wrong = Path(shutil.copy(delivered, tmp_path / "wrong.mp4"))
    packed = sum(ord(letter) - 0x60 << shift for letter, shift in zip(language, (10, 5, 0), strict=True))
    wrong.write_bytes(data.replace(spanish + bytes(2), packed.to_bytes(2) + bytes(2)))
    vouched(wrong, delivered.with_name("manifest.json"))

    assert [check.name for check in verify_films(film.path, wrong).failures] == ["dub_language"]
