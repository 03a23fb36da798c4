"""What a sound is for - the film's own, a dub, a commentary, a description - is what it was for in the source."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest
from av.stream import Disposition

from pipelines.media.encode import EncodeConfig
from pipelines.stitch import stitch_film
from pipelines.storage import ObjectStore
from pipelines.verify import verify_films
from tests.pipelines.deliveries import film_row, shot_rows, vouched
from tests.synthetic import FilmSpec, SyntheticFilm, make_film

FAST = EncodeConfig(preset="ultrafast")
Roles = list[set[str]]


def remarked(source: Path, target: Path, roles: dict[int, Disposition]) -> Path:
    """The file muxed again with other marks on some of its sounds."""
    with av.open(str(source)) as film, av.open(str(target), "w") as out:
        copies = {one.index: out.add_stream_from_template(one) for one in film.streams if one.type != "data"}
        for one in film.streams:
            if one.index in copies:
                copies[one.index].metadata.update(one.metadata)
                copies[one.index].disposition = one.disposition
        for place, role in roles.items():
            copies[film.streams.audio[place].index].disposition = role
        out.metadata.update(film.metadata)
        out.set_chapters(film.chapters())
        for packet in film.demux():
            if packet.dts is not None and packet.stream.index in copies:
                packet.stream = copies[packet.stream.index]
                out.mux(packet)
    return target


def made(path: Path, marks: list[Disposition], codec: str = "flac") -> SyntheticFilm:
    """A film with as many sounds as marks."""
    film = make_film(
        path.with_name(f"plain{path.suffix}"), FilmSpec(sound_codec=codec, languages=("eng",) * len(marks))
    )
    return replace(film, path=remarked(film.path, path, dict(enumerate(marks))))


def dubbed(folder: Path, film: SyntheticFilm, language: str = "es") -> Path:
    row = film_row(film, language)
    shots = shot_rows(film, row, ObjectStore(str(folder / f"work-{language}")), None)
    done = stitch_film(row, shots, str(folder / "out"), encode=FAST).film
    assert done["failure"] is None
    return Path(done["delivered_uri"])


def roles(path: Path) -> Roles:
    with av.open(str(path)) as film:
        return [{flag.name for flag in Disposition if flag & one.disposition} for one in film.streams.audio]


def languages(path: Path) -> list[str | None]:
    with av.open(str(path)) as film:
        return [one.language for one in film.streams.audio]


@pytest.mark.parametrize(
    ("suffix", "codec", "wanted"),
    [
        ("mkv", "flac", [{"default", "dub"}, {"dub"}, {"original"}]),
        ("mp4", "aac", [{"default", "dub"}, {"dub"}, set()]),
        ("mov", "pcm_s24le", [{"default"}, set(), set()]),  # it has no marks
    ],
)
def test_all_tracks_of_a_film_stay_when_it_is_dubbed_again_into_another_language(
    tmp_path: Path, suffix: str, codec: str, wanted: Roles
) -> None:
    film = make_film(tmp_path / f"film.{suffix}", FilmSpec(sound_codec=codec))
    first = replace(film, path=Path(shutil.copy(dubbed(tmp_path, film), tmp_path / f"first.{suffix}")))

    second = dubbed(tmp_path, first, "fr")

    assert languages(second) == ["fra", "spa", "eng"]
    assert roles(second) == wanted


D = Disposition


@pytest.mark.parametrize(
    ("marks", "wanted"),
    [
        pytest.param([D.default, D(0)], [{"original"}, set()], id="the default one of two"),
        pytest.param([D(0), D.default], [set(), {"original"}], id="the default one, though it is the second"),
        pytest.param([D(0), D(0)], [{"original"}, set()], id="the first where none is default"),
        pytest.param([D.default | D.dub, D(0)], [{"dub"}, {"original"}], id="not a dub"),
        pytest.param([D.dub, D.original], [{"dub"}, {"original"}], id="the one that says so itself"),
        pytest.param([D.default, D.original], [set(), {"original"}], id="the one that says so and is not default"),
        pytest.param([D.default | D.comment], [{"comment"}], id="no commentary"),
        pytest.param(
            [D.visual_impaired, D.hearing_impaired, D(0)],
            [{"visual_impaired"}, {"hearing_impaired"}, {"original"}],
            id="nothing for those who see or hear badly",
        ),
    ],
)
def test_one_sound_is_marked_as_the_original_and_all_tracks_keep_their_roles(
    tmp_path: Path, marks: list[Disposition], wanted: Roles
) -> None:
    delivered = dubbed(tmp_path, made(tmp_path / "film.mkv", marks))

    assert roles(delivered) == [{"default", "dub"}, *wanted]


@pytest.mark.parametrize(
    "marks",
    [
        pytest.param({1: D.original, 2: D.original}, id="a dub too"),
        pytest.param({1: D(0), 2: D.original}, id="another"),
        pytest.param({1: D(0)}, id="none"),
    ],
)
def test_verify_sees_a_track_that_is_wrongly_marked_as_the_original(tmp_path: Path, marks: dict[int, Any]) -> None:
    film = made(tmp_path / "film.mkv", [D.default, D(0)])
    delivered = dubbed(tmp_path, film)
    assert verify_films(film.path, delivered).failures == []

    wrong = remarked(delivered, tmp_path / "wrong.mkv", marks)
    vouched(wrong, delivered.with_name("manifest.json"))

    assert {check.name for check in verify_films(film.path, wrong).failures} == {"original"}


def test_verify_sees_a_dub_that_is_not_marked_as_one_any_more(tmp_path: Path) -> None:
    film = made(tmp_path / "film.mkv", [D.default | D.dub, D.original])
    delivered = dubbed(tmp_path, film)

    wrong = remarked(delivered, tmp_path / "wrong.mkv", {1: D(0)})
    vouched(wrong, delivered.with_name("manifest.json"))

    assert {check.name for check in verify_films(film.path, wrong).failures} == {"dispositions"}


@pytest.mark.parametrize(
    ("mark", "wanted", "left_out"),
    [
        (D.visual_impaired, {"visual_impaired", "descriptions"}, []),  # one mark of MP4, which is read as both
        (D.hearing_impaired, {"hearing_impaired", "captions"}, []),
        (D.clean_effects, set(), ["role clean_effects of track 1"]),
    ],
)
def test_a_broadcast_with_tracks_for_those_who_see_or_hear_badly_is_delivered(
    tmp_path: Path, mark: Disposition, wanted: set[str], left_out: list[str]
) -> None:
    delivered = dubbed(tmp_path, made(tmp_path / "film.ts", [D(0), mark], "aac"))

    assert roles(delivered)[2] == wanted
    assert json.loads(delivered.with_name("manifest.json").read_text())["left_out"] == left_out
