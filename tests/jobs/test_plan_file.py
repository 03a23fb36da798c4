"""A plan that is written and read back is the same plan; one that a person broke is refused by name."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.cost import HourPrices, film_costs, plan_cost
from jobs.plan_cells import PlanUnreadableError
from jobs.plan_file import read_plan, write_own_plan, write_plan
from jobs.stage_rates import CPU_STAGES, StageRates
from pipelines.paint_rate import PaintRate
from schemas.shot import PLAN

ROW = {
    "dub_id": "d" * 64,
    "title": 'a, "quoted" film',
    "language": "de",
    "shot_index": 0,
    "track_index": 1,
    "start": "00:00:00.000",
    "end": "00:00:02.000",
    "verdict": "dub",
    "reason": None,
    "speaking_score": 0.75,
    "face_height_px": 60.0,
    "enlargement": 1.5,
    "frames_to_paint": 48,
}
EMPTY_SHOT = ROW | {
    "shot_index": 1,
    "track_index": None,
    "verdict": "leave",
    "reason": "no_face",
    "speaking_score": None,
    "face_height_px": None,
    "enlargement": None,
    "frames_to_paint": 0,
}
PLANNED = {"dub_id": "d" * 64, "shot_index": 0, "shot_num_frames": 48, "num_frames": 96}
# The row's shot takes an hour: 48 painted frames, 48 of the shot twice, and all 96.
OTHERS = StageRates(seconds_per_frame=dict.fromkeys(CPU_STAGES, 3600 / (3 * 48 + 96)))


@pytest.mark.parametrize("name", ["plan.csv", "plan.parquet"])
def test_a_plan_comes_back_as_it_was_written(tmp_path: Path, name: str) -> None:
    table = pa.Table.from_pylist([ROW, EMPTY_SHOT], schema=PLAN)
    write_plan(tmp_path / name, table)
    assert read_plan(tmp_path / name).to_pylist() == table.to_pylist()


def test_columns_that_are_for_people_may_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_text(f"verdict,dub_id,shot_index,track_index\nleave,{ROW['dub_id']},0,1\n")
    row = read_plan(path).to_pylist()[0]
    assert (row["verdict"], row["shot_index"], row["track_index"], row["title"]) == ("leave", 0, 1, None)


def test_blank_lines_of_a_spreadsheet_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    write_plan(path, pa.Table.from_pylist([ROW, EMPTY_SHOT], schema=PLAN))
    head, first, second = path.read_text().splitlines()
    blank = "," * head.count(",")
    path.write_text("\n".join([head, first, blank, second, blank, blank]) + "\n")

    assert [row["shot_index"] for row in read_plan(path).to_pylist()] == [0, 1]


def test_a_plan_that_somebody_changed_is_never_written_over(tmp_path: Path) -> None:
    path, table = tmp_path / "plan.csv", pa.Table.from_pylist([ROW, EMPTY_SHOT], schema=PLAN)
    assert write_own_plan(path, table) == path
    assert write_own_plan(path, table.slice(0, 1)) == path  # nobody touched it
    edited = path.read_text().replace("dub", "leave")
    path.write_text(edited)

    beside = write_own_plan(path, table)

    assert beside == tmp_path / "plan.2.csv"
    assert path.read_text() == edited
    assert read_plan(beside).to_pylist() == table.to_pylist()
    assert write_own_plan(path, table) == beside


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plan.csv", "dub_id,shot_index\nx,1\n"),
        ("plan.csv", "dub_id,shot_index,track_index,verdict\nx,one,0,dub\n"),
        ("plan.csv", ""),
        ("plan.parquet", "PAR1"),
        ("plan.txt", ""),
    ],
)
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(PlanUnreadableError):
        read_plan(tmp_path / name)


def test_the_cost_counts_faces_in_the_films_own_time() -> None:
    planned = [PLANNED | {"shot_index": index, "frame_rate": {"num": 24, "den": 1}} for index in range(2)]
    rate = PaintRate(device="cpu", seconds_per_frame=0.5, actors=2)
    cost = plan_cost([ROW, EMPTY_SHOT], planned, rate, HourPrices(actor=3.0))

    assert (cost.num_shots, cost.num_tracks, cost.frames_to_paint, cost.face_seconds) == (2, 1, 48, 2.0)
    assert cost.verdicts == {"dub": 1, "leave: no_face": 1}
    assert cost.wall_seconds == 12  # 48 frames, half a second each, by two actors
    assert cost.actor_hours == pytest.approx(24 / 3600, abs=1e-4)
    assert cost.price == pytest.approx(0.02)
    assert plan_cost([ROW], planned, rate).price is None
    of_cpus = plan_cost([ROW], planned, rate, HourPrices(cpu=2.0), others=OTHERS)
    assert (of_cpus.cpu_hours, of_cpus.price) == (1.0, pytest.approx(2.0))
    assert plan_cost([ROW], planned, rate, HourPrices(actor=3.0, cpu=2.0), others=OTHERS).price == pytest.approx(2.02)


def test_films_are_told_one_by_one_and_add_up() -> None:
    other = {"dub_id": "e" * 64, "title": "b", "shot_index": 0, "track_index": 0, "frames_to_paint": 12}
    plan = [ROW, EMPTY_SHOT, ROW | other, ROW | other | {"track_index": 1, "verdict": "review", "frames_to_paint": 24}]
    rates = {"d" * 64: {"num": 25, "den": 1}, "e" * 64: {"num": 24, "den": 1}}
    places = [("d" * 64, 0), ("d" * 64, 1), ("e" * 64, 0)]
    planned = [
        PLANNED | {"dub_id": dub_id, "shot_index": index, "frame_rate": rates[dub_id]} for dub_id, index in places
    ]
    rate = PaintRate(device="cpu", seconds_per_frame=0.5, actors=2)

    first, second = film_costs(plan, planned, rate, HourPrices(actor=3.0))

    assert (first["title"], first["shots"], first["face_tracks"], first["frames_to_paint"]) == (ROW["title"], 2, 1, 48)
    assert [second[name] for name in ("shots", "dub", "review", "leave")] == [1, 1, 1, 0]
    assert (second["face_seconds"], second["painting_s"]) == (1.5, 9.0)
    whole = plan_cost(plan, planned, rate, HourPrices(actor=3.0))
    assert first["frames_to_paint"] + second["frames_to_paint"] == whole.frames_to_paint
    assert first["price"] + second["price"] == pytest.approx(whole.price, abs=1e-3)
    assert first["verdicts"] == {"dub": 1, "leave: no_face": 1}
    assert Counter(first["verdicts"]) + Counter(second["verdicts"]) == Counter(whole.verdicts)
