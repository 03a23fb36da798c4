"""A plan that a spreadsheet wrote its own way says the same; one that may mean several things is refused by name."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.plan_cells import PlanUnreadableError
from jobs.plan_file import read_plan, write_plan
from pipelines.plan import plan_shots, plan_table
from schemas.shot import PLAN, TRACKED_SHOT
from tests.planned_rows import shot, track

READ_BACK = ("dub_id", "title", "language", "shot_index", "track_index", "start", "end", "faces", "verdict", "reason")
Change = Callable[[str], str]


def written(path: Path) -> str:
    """The text of a plan of two faces in two shots, of which the first is dubbed."""
    rows = [shot(track(0), track(1, speaking_score=0.05), shot_index=index, num_shots=2) for index in (0, 1)]
    write_plan(path, plan_table(plan_shots(pa.Table.from_pylist(rows, schema=TRACKED_SHOT))))
    return path.read_text(encoding="utf-8")


def parted_by(delimiter: str) -> Change:
    return lambda text: text.replace(",", delimiter)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(parted_by(";"), id="semicolons"),
        pytest.param(parted_by("\t"), id="tabs"),
        pytest.param(lambda text: "sep=;\r\n" + text.replace(",", ";"), id="line that names the separator"),
        pytest.param(lambda text: text.replace("0.95", '"0,95"'), id="decimal comma"),
        pytest.param(lambda text: text.replace("0.95", "high"), id="words for a score"),
        pytest.param(lambda text: text.replace(",0,0,", ",0.0,0.0,"), id="whole numbers with a point"),
        pytest.param(lambda text: text.replace('"dub"', '"Dub "'), id="capitals and spaces"),
        pytest.param(lambda text: text.replace('"not_speaking"', '"Not speaking"'), id="spaces in a reason"),
        pytest.param(lambda text: text.replace('"not_speaking"', "not-speaking"), id="hyphens in a reason"),
        pytest.param(lambda text: text.replace('"verdict"', '" Verdict"', 1), id="capitals in the header"),
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="line ends"),
        pytest.param(lambda text: text.replace('"enlargement"', '"measured by"', 1), id="another column"),
    ],
)
def test_what_a_spreadsheet_writes_its_own_way_is_read(tmp_path: Path, change: Change) -> None:
    text, path = written(tmp_path / "plan.csv"), tmp_path / "edited.csv"
    path.write_text(change(text), encoding="utf-8", newline="")

    found, wanted = read_plan(path), read_plan(tmp_path / "plan.csv")

    assert found.schema.names == PLAN.names
    assert found.select(READ_BACK).to_pylist() == wanted.select(READ_BACK).to_pylist()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_plan_with_a_byte_order_mark_is_read(tmp_path: Path, encoding: str) -> None:
    text = written(tmp_path / "plan.csv").replace('"film"', '"Äpfel"')
    (tmp_path / "edited.csv").write_text(text, encoding=encoding)

    assert set(read_plan(tmp_path / "edited.csv")["title"].to_pylist()) == {"Äpfel"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(
            lambda text: text.replace('"language"', '"title"', 1), "two columns called title", id="doubled column"
        ),
        pytest.param(lambda text: text.replace(",1,0,", ",1.5,0,"), "line 4, column shot_index: '1.5'", id="half"),
        pytest.param(lambda text: text.replace(",1,0,", ",1,one,"), "line 4, column track_index: 'one'", id="word"),
        pytest.param(lambda text: text.replace(",1,0,", ",,0,"), "line 4, column shot_index: ''", id="empty"),
        pytest.param(lambda text: text.replace('"dub"', ""), "line 2, column verdict: ''", id="no verdict"),
        pytest.param(lambda text: text.replace('"dub"', "yes"), "'yes' is none of dub, leave, review", id="word"),
        pytest.param(
            lambda text: text.replace('"not_speaking"', '"by hnd"', 1),
            "line 3, column reason: 'by hnd'",
            id="no reason",
        ),
        pytest.param(lambda text: text.replace(",46", ",46,7"), "line 2 has .* cells under .* comma", id="surplus"),
        pytest.param(lambda text: text.replace('"film"', '"film'), "line", id="open quote"),
        pytest.param(
            lambda text: "sep=,\n" + text.replace(",1,0,", ",,0,"), "line 5, column shot", id="empty below sep"
        ),
        pytest.param(
            lambda text: "sep=,\n" + text.replace(",46", ",46,7"), "line 3 has .* cells", id="surplus below sep"
        ),
    ],
)
def test_a_cell_that_may_mean_anything_is_named(tmp_path: Path, change: Change, told: str) -> None:
    path = tmp_path / "plan.csv"
    path.write_text(change(written(path)), encoding="utf-8")

    with pytest.raises(PlanUnreadableError, match=told):
        read_plan(path)


def test_all_cells_that_cannot_be_read_are_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_text(written(path).replace(",1,0,", ",x,0,").replace('"leave"', '"no"'), encoding="utf-8")

    with pytest.raises(PlanUnreadableError) as refusal:
        read_plan(path)

    assert [f"line {line}, " in str(refusal.value) for line in (2, 3, 4, 5)] == [False, True, True, True]


def test_text_that_is_not_unicode_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_bytes(written(path).replace('"film"', '"Äpfel"').encode("latin-1"))

    with pytest.raises(PlanUnreadableError, match="not UTF-8 text"):
        read_plan(path)
