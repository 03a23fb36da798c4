"""All that is wrong with a catalog is found in one go, and one bad film loses no good one."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from av.stream import Disposition

from pipelines.admit import AdmitRequest, Refused, admit_films, dub_id
from pipelines.cue_sheet import sheet_digest
from pipelines.known_films import KnownFilms
from pipelines.media.sound import write_wav
from pipelines.stage import Row
from pipelines.storage import file_digest
from schemas.film import FILM
from schemas.reason import Refusal
from tests.synthetic import FILM_24, FilmSpec, make_film, ticking


def request(row_number: int, film: Path, dub: Path, **more: object) -> AdmitRequest:
    given = {"title": "one", "language": "fr", "dub_kind": "dub_stem"} | more
    return AdmitRequest(row_number=row_number, film=film, dub=dub, **given)  # type: ignore[arg-type]


def admitted(requests: list[AdmitRequest], **more: Any) -> tuple[list[Row], list[Refused]]:
    """All films, and all refusals."""
    outcomes = list(admit_films(requests, **more))
    return [one.film for one in outcomes if one.film], [refused for one in outcomes for refused in one.refused]


def stem(path: Path, seconds: float) -> Path:
    write_wav(path, ticking(round(seconds * 48_000), 48_000), 48_000)
    return path


def test_good_films_are_rows_of_the_schema_with_their_digests(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(frame_rate=FILM_24))
    dub = stem(tmp_path / "dub.wav", 2.1)

    rows, refused = admitted([request(1, film.path, dub), request(2, film.path, dub, language="de")])

    assert refused == []
    assert pa.Table.from_pylist(rows, schema=FILM).num_rows == 2
    assert [row["film_id"] for row in rows] == [file_digest(film.path)] * 2
    assert rows[0]["dub_id"] != rows[1]["dub_id"]
    assert (rows[0]["num_frames"], rows[0]["start_pts"], rows[0]["end_pts"]) == (50, film.pts[0], film.end_pts)


def test_every_problem_of_every_row_is_told_at_once(tmp_path: Path) -> None:
    film, dub = make_film(tmp_path / "film.mp4").path, stem(tmp_path / "dub.wav", 2)
    short, text, silent = stem(tmp_path / "short.wav", 0.5), tmp_path / "text.mp4", tmp_path / "silent.mp4"
    text.write_text("no film")
    make_film(silent, FilmSpec(languages=()))

    rows, refused = admitted(
        [
            request(1, tmp_path / "absent.mp4", dub),
            request(2, text, tmp_path / "absent.wav", dub_kind="dub_mix"),
            request(3, film, short),
            request(4, film, silent),
            request(5, film, dub, me_stem=short),
            request(6, film, dub),
        ]
    )

    assert [(r.row_number, r.column, r.refusal) for r in refused] == [
        (1, "film", Refusal.MISSING_FILE),
        (2, "film", Refusal.NOT_MEDIA),
        (2, "dub_mix", Refusal.MISSING_FILE),
        (4, "dub_stem", Refusal.NO_SOUND),
    ]
    assert [row["num_frames"] for row in rows] == [50] * 3  # sound that ends early is told when it is measured


def test_a_film_that_stalls_the_decoder_is_cut_off_and_the_others_go_on(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (4, 720, 1280, 3)).astype(np.uint8)
    spec = FilmSpec(num_frames=100, cuts=(), width_px=1280, height_px=720, languages=())
    slow = make_film(tmp_path / "slow.mp4", spec, lambda index: noise[index % 4]).path
    film = make_film(tmp_path / "film.mp4", FilmSpec(num_frames=25, cuts=())).path
    dub = stem(tmp_path / "dub.wav", 4)

    rows, refused = admitted([request(1, slow, dub), request(2, film, dub)], timeout_s=0.7)

    assert [(r.row_number, r.column, r.refusal) for r in refused] == [(1, "film", Refusal.PROBE_TIMEOUT)]
    assert [row["film_id"] for row in rows] == [file_digest(film)]


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "film.mp4")

    rows, refused = admitted([request(1, tmp_path / "film.mp4", stem(tmp_path / "dub.wav", 2))], timeout_s=10)

    assert rows == []
    assert refused[0].refusal == Refusal.NOT_REGULAR


def test_the_same_sound_as_stem_and_as_mix_is_two_dubs(tmp_path: Path) -> None:
    film, dub = make_film(tmp_path / "film.mp4").path, stem(tmp_path / "dub.wav", 2)

    rows, _ = admitted([request(1, film, dub), request(2, film, dub, dub_kind="dub_mix")])

    assert rows[0]["dub_id"] != rows[1]["dub_id"]


def test_films_that_were_kept_are_not_looked_at_again_and_nothing_is_written_before(tmp_path: Path) -> None:
    """The second time the examiner has no time at all: whoever asked it would be refused."""
    film, dub = make_film(tmp_path / "film.mp4").path, stem(tmp_path / "dub.wav", 2)
    store = str(tmp_path / "work")
    known = KnownFilms(store)
    first = list(admit_films([request(1, film, dub)], known))
    assert not (tmp_path / "work").exists()
    known.keep([one.film for one in first if one.film])

    second = list(
        admit_films([request(1, film, dub), request(2, film, dub, dub_kind="dub_mix")], KnownFilms(store), 0)
    )

    assert [one.found for one in first + second] == [False, True, False]
    assert second[0].film == first[0].film
    assert [one.refusal for one in second[1].refused] == [Refusal.PROBE_TIMEOUT]


def test_a_dub_of_which_another_sound_is_meant_is_refused_in_that_language_alone(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4").path
    marks = Disposition(0), Disposition.default, Disposition(0)
    dub = make_film(tmp_path / "dub.mkv", FilmSpec(languages=("eng", "eng", "fra"), marks=marks)).path
    known = KnownFilms(str(tmp_path / "work"))
    french = request(1, film, dub, language="fr-CA")

    rows, refused = admitted(
        [french, request(2, film, dub, language="en"), request(3, film, stem(tmp_path / "dub.wav", 2), me_stem=dub)],
        known=known,
    )
    known.keep(rows)
    again = list(admit_films([french, request(2, film, dub, language="en")], known))

    assert [(row["language"], row["dub_place"]) for row in rows] == [("fr-CA", 2)]
    assert [note["note"] for note in rows[0]["notes"]] == ["dub_sound"]
    assert [(one.row_number, one.column) for one in refused] == [(2, "dub_stem"), (3, "me_stem")]
    assert {one.refusal for one in refused} == {Refusal.SEVERAL_SOUNDS}
    assert [one.found for one in again] == [True, False]
    assert again[0].film == rows[0]


def sheet(folder: Path, *takes: str) -> Path:
    folder.mkdir()
    path = folder / "sheet.csv"
    path.write_text("\n".join(["start,take", *(f"{at},{take}" for at, take in enumerate(takes))]))
    return path


def test_a_cue_sheet_is_admitted_with_flaws_of_lines_and_refused_where_nothing_can_be_heard(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4").path
    sheets = [sheet(tmp_path / name, "a.wav", "b.wav", "gone.wav") for name in ("good", "dead")]
    stem(tmp_path / "good" / "a.wav", 0.5)
    for path in (tmp_path / "good" / "b.wav", tmp_path / "dead" / "a.wav"):
        path.write_text("no sound")
    (tmp_path / "words.csv").write_text("start,words\n0,hello\n")
    given = [*sheets, tmp_path / "words.csv", tmp_path / "gone.csv"]

    rows, refused = admitted([request(at, film, path, dub_kind="cue_sheet") for at, path in enumerate(given)])

    (row,) = rows
    assert pa.Table.from_pylist(rows, schema=FILM).num_rows == 1
    assert (row["sheet_uri"], row["dub_digest"], row["lines_uri"]) == (str(sheets[0]), row["sheet_digest"], None)
    assert [(one.row_number, one.column, one.refusal) for one in refused] == [
        (1, "cue_sheet", Refusal.NO_SOUND),
        (2, "cue_sheet", Refusal.BAD_ROW),
        (3, "cue_sheet", Refusal.BAD_ROW),
    ]


def test_a_sheet_in_the_time_of_the_programme_is_refused_with_what_is_wrong(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4").path
    path = sheet(tmp_path / "sheet", "a.wav")
    stem(tmp_path / "sheet" / "a.wav", 0.5)
    path.write_text("start,take\n01:00:00,a.wav\n")

    _, (refused,) = admitted([request(1, film, path, dub_kind="cue_sheet")])

    assert (refused.column, refused.refusal) == ("cue_sheet", Refusal.BAD_ROW)
    assert "begins at 01:00:00.000, and the film lasts 00:00:02.000" in refused.detail


def test_takes_lie_beside_the_sheet_also_where_that_is_a_link(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4").path
    path = sheet(tmp_path / "versions", "a.wav")
    (tmp_path / "job").mkdir()
    link = tmp_path / "job" / "sheet.csv"
    link.symlink_to(path)
    stem(tmp_path / "job" / "a.wav", 0.5)

    (row,), refused = admitted([request(1, film, link, dub_kind="cue_sheet")])

    assert refused == []
    assert row["sheet_uri"] == str(link)
    assert sheet_digest(Path(row["sheet_uri"])) == row["sheet_digest"]


def test_a_known_cue_sheet_is_not_looked_at_again_until_a_take_changes(tmp_path: Path) -> None:
    film, path = make_film(tmp_path / "film.mp4").path, sheet(tmp_path / "sheet", "a.wav")
    take = stem(tmp_path / "sheet" / "a.wav", 0.5)
    asked = request(1, film, path, dub_kind="cue_sheet", me_stem=stem(tmp_path / "me.wav", 2))

    def found() -> tuple[bool, str]:
        known = KnownFilms(str(tmp_path / "store"))
        (outcome,) = admit_films([asked], known)
        assert outcome.film
        known.keep([outcome.film])
        return outcome.found, outcome.film["dub_id"]

    first, again = found(), found()
    stem(take, 0.6)
    other = found()

    assert [first[0], again[0], other[0]] == [False, True, False]
    assert first[1] == again[1] != other[1]


def test_the_id_of_a_dub_of_takes_stays_when_they_are_placed() -> None:
    digests = {"sheet_digest": "s", "dub_digest": "s", "me_digest": None}
    made_of = {"film_id": "f", "language": "es", "dub_kind": "cue_sheet", **digests}
    assert dub_id(made_of) == dub_id(made_of | {"dub_digest": "stem"})
    assert dub_id(made_of) != dub_id(made_of | {"sheet_digest": "t"})
