"""Every wrong row of a catalog is found at once, with its place; the right ones come out with absolute paths."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.catalog import DUB_KINDS, CatalogProblem, folder_name, read_catalog
from jobs.catalog_file import CatalogUnreadableError
from schemas.reason import Refusal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.mp4", "b.mp4", "dub.wav"):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def write(folder: Path, text: str, name: str = "catalog.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def places(problems: list[CatalogProblem]) -> list[tuple[int, str, str]]:
    return [(problem.row, problem.column, str(problem.reason)) for problem in problems]


def test_a_right_row_comes_out_with_absolute_paths_and_a_folder_name(folder: Path) -> None:
    rows, problems = read_catalog(write(folder, "film,language,dub_stem\na.mp4,de-at,dub.wav\n"))

    assert problems == []
    assert (rows[0].film, rows[0].dub) == (str(folder / "a.mp4"), str(folder / "dub.wav"))
    assert (rows[0].language, rows[0].title, rows[0].dub_kind, rows[0].row) == ("de-AT", "a", "dub_stem", 2)


@pytest.mark.parametrize(("cell", "read"), [("en-gb", "en-GB"), ("", None), ("  ", None)])
def test_the_language_of_the_film_s_own_sound_may_be_said(folder: Path, cell: str, read: str | None) -> None:
    rows, problems = read_catalog(write(folder, f"film,language,dub_stem,source_language\na.mp4,de,dub.wav,{cell}\n"))

    assert (problems, rows[0].source_language) == ([], read)


def test_a_source_language_that_is_none_is_refused_as_one_of_a_dub_is(folder: Path) -> None:
    text = "film,language,dub_stem,source_language\na.mp4,de,dub.wav,english\n"

    assert places(read_catalog(write(folder, text))[1]) == [(2, "source_language", "unknown_language")]


def test_every_wrong_row_is_reported_at_once_with_its_place(folder: Path) -> None:
    text = (
        "film,language,dub_stem,dub_mix\n"
        "a.mp4,xx-klingonish,dub.wav,\n"  # 2: a language that nobody speaks
        "gone.mp4,zz,dub.wav,\n"  # 3: two things are wrong
        "b.mp4,de,,\n"  # 4: no dub
        "b.mp4,fr,dub.wav,dub.wav\n"  # 5: two dubs
        "b.mp4,fr\n"  # 6: too few cells
        "a.mp4,de,dub.wav,\n"  # 7: right
        "a.mp4,de,dub.wav,\n"  # 8: the same again
    )
    rows, problems = read_catalog(write(folder, text))

    assert [row.row for row in rows] == [7]
    assert places(problems) == [
        (2, "language", "unknown_language"),
        (3, "film", "missing_file"),
        (3, "language", "unknown_language"),
        (4, "", "bad_row"),
        (5, "", "bad_row"),
        (6, "", "bad_row"),
        (8, "film", "bad_row"),
    ]


def test_an_unknown_column_is_named_once_at_the_header_and_spoils_no_row(folder: Path) -> None:
    text = "film,language,dub_stem,colour\na.mp4,de,dub.wav,red\nb.mp4,de,dub.wav,red\n"
    rows, problems = read_catalog(write(folder, text))

    assert [row.row for row in rows] == [2, 3]
    assert places(problems) == [(1, "colour", "bad_row")]


def test_a_dub_comes_as_stem_mix_or_cue_sheet(folder: Path) -> None:
    rows = []
    for kind in DUB_KINDS:
        me_stem = "dub.wav" if kind != "dub_mix" else ""
        text = f"film,language,{kind},me_stem\na.mp4,de,dub.wav,{me_stem}\n"
        found, problems = read_catalog(write(folder, text))
        assert problems == []
        rows += found

    assert [row.dub_kind for row in rows] == list(DUB_KINDS)
    assert {row.dub for row in rows} == {str(folder / "dub.wav")}


def test_a_row_has_one_dub(folder: Path) -> None:
    text = "film,language,dub_stem,cue_sheet\na.mp4,de,dub.wav,dub.wav\n"
    (problem,) = read_catalog(write(folder, text))[1]
    assert problem.message == "give the dub in one of the columns dub_stem, dub_mix and cue_sheet"


def test_two_films_of_one_title_clash(folder: Path) -> None:
    text = "film,language,dub_stem,title\na.mp4,de,dub.wav,The Film\nb.mp4,de,dub.wav,the film\n"
    rows, problems = read_catalog(write(folder, text))

    assert [row.title for row in rows] == ["The-Film"]
    assert places(problems) == [(3, "title", "bad_row")]


def test_the_three_kinds_of_file_say_the_same(folder: Path) -> None:
    cells = [{"film": "a.mp4", "language": "de", "dub_stem": "dub.wav"}, {"film": "b.mp4", "language": "fr"}]
    write(folder, "film,language,dub_stem\na.mp4,de,dub.wav\nb.mp4,fr,\n", "c.csv")
    write(folder, "\n".join(json.dumps(row) for row in cells), "c.jsonl")
    pq.write_table(pa.Table.from_pylist(cells), folder / "c.parquet")

    read = [read_catalog(folder / f"c.{kind}") for kind in ("csv", "jsonl", "parquet")]

    assert len({tuple((row.film, row.language, row.dub) for row in rows) for rows, _ in read}) == 1
    assert [places(problems)[0][1:] for _, problems in read] == [("", "bad_row")] * 3


@pytest.mark.parametrize(("delimiter", "above"), [(";", ""), ("\t", ""), (";", "sep=;\r\n")])
def test_a_catalog_is_read_as_a_spreadsheet_saves_it(folder: Path, delimiter: str, above: str) -> None:
    cells = [["film", "language", "dub_stem", "title"], ["a.mp4", "de", "dub.wav", "One, two"]]
    text = f"\ufeff{above}" + "".join(delimiter.join(row) + "\r\n" for row in cells)

    (row,), problems = read_catalog(write(folder, text))

    assert problems == []
    assert (row.film, row.language, row.dub) == (str(folder / "a.mp4"), "de", str(folder / "dub.wav"))
    assert row.row == 2 + above.count("\n")


def test_json_lines_that_are_no_objects_are_reported_with_their_line(folder: Path) -> None:
    good = json.dumps({"film": "a.mp4", "language": "de", "dub_stem": "dub.wav"})
    rows, problems = read_catalog(
        write(folder, f'{good}\n\n[1]\n{{"film"\n{good.replace("a.mp4", "b.mp4")}', "c.jsonl")
    )

    assert [row.row for row in rows] == [1, 5]
    assert [problem.row for problem in problems] == [3, 4]


def test_an_empty_catalog_is_a_problem(folder: Path) -> None:
    assert read_catalog(write(folder, "film,language,dub_stem\n"))[1][0].reason == Refusal.EMPTY


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("c.xlsx", b"PK"),
        ("c.csv", b"\xff\xfe\x00"),
        ("c.csv", b"film,film\n"),
        ("c.parquet", b"PAR1"),
        ("c.csv", b"a\0"),
    ],
)
def test_a_file_that_is_no_catalog_is_refused_as_a_whole(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(CatalogUnreadableError):
        read_catalog(tmp_path / name)


@given(st.text(max_size=200))
def test_every_title_becomes_one_plain_folder_name(title: str) -> None:
    name = folder_name(title)

    assert 1 <= len(name) <= 64
    assert "/" not in name
    assert not name.startswith(("-", "."))
    assert folder_name(name) == name
