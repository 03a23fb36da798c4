"""What a delivered film says of its streams, and how long its subtitles stay, is proved: each change is seen."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from pipelines.media.encode import EncodeConfig
from pipelines.stitch import stitch_film
from pipelines.storage import ObjectStore
from pipelines.verify import verify_films
from tests.pipelines.deliveries import film_row, shot_rows, vouched
from tests.pipelines.test_survival import as_read
from tests.synthetic import FilmSpec, make_film

Retag = Callable[[Any, Any], None]


def again(
    source: Path,
    target: Path,
    retag: Retag = lambda stream, copy: None,
    mime: str | None = None,
    lasts: Fraction = Fraction(1),
    composer: str = "Bach",
) -> Path:
    """An MKV muxed again, with one thing about it changed, and with a font."""
    with av.open(str(source)) as film, av.open(str(target), "w") as out:
        copies: dict[int, Any] = {}
        for stream in film.streams:
            if stream.type != "attachment":
                copies[stream.index] = copy = out.add_stream_from_template(stream)
                copy.metadata.update(stream.metadata)
                copy.disposition = stream.disposition
                retag(stream, copy)
        out.add_attachment("a.ttf", mime or "font/ttf", b"font")
        out.metadata.update(film.metadata)
        out.set_chapters([one | {"metadata": one["metadata"] | {"COMPOSER": composer}} for one in film.chapters()])
        for packet in film.demux():
            if packet.dts is not None and packet.stream.index in copies:
                if packet.stream.type == "subtitle":
                    packet.duration = int((packet.duration or 0) * lasts)
                packet.stream = copies[packet.stream.index]
                out.mux(packet)
    return target


def names_of_the_source(stream: Any, copy: Any) -> None:
    if stream.type == "video":
        copy.metadata.update({"title": "Main picture", "language": "eng", "SHOT_ON": "35 mm"})


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An MKV whose picture, chapters and font have names, and its delivery."""
    folder = tmp_path_factory.mktemp("words")
    film = make_film(folder / "plain.mkv", FilmSpec())
    film = as_read(replace(film, path=again(film.path, folder / "film.mkv", names_of_the_source)))
    row = film_row(film)
    shots = shot_rows(film, row, ObjectStore(str(folder / "work")), None)
    made = stitch_film(row, shots, str(folder / "out"), encode=EncodeConfig(preset="ultrafast")).film
    assert made["failure"] is None
    return film.path, Path(made["delivered_uri"])


def of_picture(**words: str) -> Retag:
    def retag(stream: Any, copy: Any) -> None:
        if stream.type == "video":
            copy.metadata.update(words)

    return retag


def marked_as_a_still(stream: Any, copy: Any) -> None:
    if stream.type == "video":
        copy.disposition = av.stream.Disposition.comment


def renamed_dub(stream: Any, copy: Any) -> None:
    if stream.metadata.get("title", "").startswith("Dub"):
        copy.metadata["title"] = "English original"


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        pytest.param({}, set(), id="nothing"),
        pytest.param({"retag": of_picture(title="Other")}, {"picture_names"}, id="the picture's title"),
        pytest.param({"retag": of_picture(language="jpn")}, {"picture_names"}, id="its language"),
        pytest.param({"retag": marked_as_a_still}, {"picture_names"}, id="its marks"),
        pytest.param({"retag": of_picture(SHOT_ON="video")}, {"track_tags"}, id="a tag of its own"),
        pytest.param({"retag": renamed_dub}, {"dub_title"}, id="the dub's title"),
        pytest.param({"mime": "text/plain"}, {"tracks"}, id="the type of an attachment"),
        pytest.param({"lasts": Fraction(1, 4)}, {"copied_times"}, id="how long a subtitle stays"),
        pytest.param({"composer": "Brahms"}, {"chapters"}, id="what else is said of a chapter"),
    ],
)
def test_another_word_of_a_stream_or_a_chapter_is_seen(
    delivered: tuple[Path, Path], tmp_path: Path, change: dict[str, Any], seen: set[str]
) -> None:
    source, made = delivered
    other = vouched(again(made, tmp_path / "film.mkv", **change), made.with_name("manifest.json"))

    assert {check.name for check in verify_films(source, other).failures} == seen
