"""The dub job around its passes: what is refused before anything runs, what is reported, recorded and shown."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mlflow import MlflowClient

from jobs.dub import DONE, FAILED, WRONG_USE, DubRequest, in_groups, run_dub
from jobs.lineage import default_tracking_uri
from jobs.out_lock import OutInUseError, held_out
from jobs.plan_cells import PlanUnreadableError
from jobs.plan_file import read_plan, write_plan
from jobs.plan_job import PlanRequest, run_plan
from pipelines.analysis import Analysis
from pipelines.media.sound import write_wav
from pipelines.paint_rate import PaintRate
from pipelines.people_table import people_table
from pipelines.plan import plan_shots, plan_table
from pipelines.plan_edits import apply_edits
from pipelines.progress import Event, Listener
from pipelines.stage import Row
from pipelines.stitch import Review
from pipelines.storage import ObjectStore
from schemas.film import DUBBED_FILM
from schemas.frames import NUM_LANDMARKS, PAINTED_FRAME
from schemas.reason import Reason
from schemas.shot import JUDGED_SHOT, TRACKED_SHOT
from tests.film_rows import UNHEARD
from tests.synthetic import FilmSpec, make_film

TRACK = {
    "track_index": 0,
    "num_frames": 25,
    "face_height_px": 80.0,
    "enlargement": 1.0,
    "yaw_deg": 0.0,
    "pitch_deg": 0.0,
    "stretches": [],
    "spread": 0.0,
    "smear": 0.0,
    "covers": [],
    "descriptor": [],
    "score": 0.9,
    "speaking_score": 0.9,
    "speech_scores": [{"start": 0, "end": 16_000, "score": 0.9}],
}
NOT_DELIVERED = {
    "delivered_uri": None,
    "num_shots": 0,
    "num_shots_dubbed": 0,
    "num_frames_changed": 0,
    "num_frames_copied": 0,
    "failure": "the disk is full",
}


class TwoShotPipeline:
    """Passes that know the truth: the first shot has a speaker, the second has nobody."""

    settings: dict[str, Any] = {"sampler": {"steps": 1}}  # noqa: RUF012
    model_digest = "m" * 64

    def __init__(
        self,
        out: Path,
        failing: str = "",
        dying: str = "",
        lost: str = "",
        on_painting: Callable[[], object] = list,
        actors: int = 1,
    ) -> None:
        self._out, self._failing, self._dying, self._lost, self._actors = out, failing, dying, lost, actors
        self._on_painting = on_painting
        self.store_uri = str(out / ".work")
        self.analysed: list[str] = []
        self.group_sizes: list[int] = []
        self.code: Mapping[str, str] = {}

    def running(self) -> AbstractContextManager[None]:
        return nullcontext()

    def analyse(self, films: pa.Table, listener: Listener) -> Analysis:
        known = [film for film in films.to_pylist() if film["title"] != self._lost]
        rows = [shot for film in known for shot in self._shots(film)]
        self.analysed += [film["title"] for film in films.to_pylist()]
        self.group_sizes.append(films.num_rows)
        for row in rows:
            names = {"title": row["title"], "language": row["language"]}
            listener(Event(stage="faces", num_frames=25, seconds=0.5, **names))
        lost = [film | NOT_DELIVERED for film in films.to_pylist() if film["title"] == self._lost]
        return Analysis(pa.Table.from_pylist(rows, schema=TRACKED_SHOT), lost)

    def plan(self, tracked: pa.Table) -> pa.Table:
        return plan_shots(tracked)

    def plan_table(self, planned: pa.Table) -> pa.Table:
        return plan_table(planned)

    def people_table(self, planned: pa.Table) -> pa.Table:
        return people_table(planned)

    def paint_rate(self) -> PaintRate:
        return PaintRate(device="cpu", seconds_per_frame=0.5, actors=self._actors)

    def re_encoded_share(self, planned: pa.Table) -> float:
        return 0.5

    def edit(self, planned: pa.Table, edited: pa.Table) -> pa.Table:
        return apply_edits(planned, edited)

    def shared_lines(self, planned: pa.Table) -> list[str]:
        return []

    def paint_and_stitch(
        self, planned: pa.Table, listener: Listener, code: Mapping[str, str], review: Review
    ) -> Iterator[Row]:
        self.code = code
        self._on_painting()
        shots = planned.to_pylist()
        for dub_id in dict.fromkeys(row["dub_id"] for row in shots):
            own = [row for row in shots if row["dub_id"] == dub_id]
            found = (self._out / own[0]["title"] / own[0]["language"]).exists()
            row = self._deliver(own, review, found=found)
            listener(Event(stage="stitch", title=row["title"], language=row["language"], cached=found))
            yield row

    def _shots(self, film: Row) -> list[Row]:
        middle = (film["start_pts"] + film["end_pts"]) // 2
        spans = [(film["start_pts"], middle), (middle, film["end_pts"])]
        facts: Row = {"num_shots": 2, "shot_num_frames": 25, "dub_start_sample": 0, "dub_end_sample": 16_000}
        facts |= {
            "lag_samples": 0,
            "original_overlap": [],
            **UNHEARD,
            "tracks_uri": None,
            "picture_lost": False,
        }
        spoken: Row = {"start": 0, "end": 16_000}
        return [
            film
            | facts
            | {"shot_index": index, "shot_start_pts": start, "shot_end_pts": end}
            | dict.fromkeys(("dub_speech", "original_speech"), [] if index else [spoken])
            | {"tracks": [] if index else [TRACK | {"start_pts": start, "end_pts": end}]}
            for index, (start, end) in enumerate(spans)
        ]

    def _deliver(self, shots: list[Row], review: Review, *, found: bool) -> Row:
        film = {name: shots[0][name] for name in DUBBED_FILM.names if name in shots[0]}
        if film["title"] == self._failing:
            return film | NOT_DELIVERED
        folder = self._out / film["title"] / film["language"]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(film["film_uri"], folder / "film.mp4")
        rows = [self._composited(row) for row in shots]
        pq.write_table(pa.Table.from_pylist(rows, schema=JUDGED_SHOT), folder / "shots.parquet")
        dubbed = {"num_shots_dubbed": 1, "num_frames_changed": rows[0]["num_frames_changed"], "failure": None}
        delivered = film | dubbed | {"num_frames_copied": 0, "delivered_uri": str(folder / "film.mp4")}
        if not found:
            review(film)(delivered, rows, folder)
            (folder / "manifest.json").write_text(json.dumps({"key": film["dub_id"]}))
        return delivered

    def _composited(self, row: Row) -> Row:
        nothing = {name: None for name in JUDGED_SHOT.names if name not in row}
        if row["title"] == self._dying and not row["reason"]:
            row = row | {"reason": Reason.WORKER_DIED.value}
        if row["reason"]:
            return row | nothing | {"painted": [], "num_frames_changed": 0}
        crop = np.zeros((16, 16, 3), np.uint8).tobytes()
        frame = {"pts": row["shot_start_pts"], "affine": [1.0, 0, 0, 0, 1, 0], "weight": 1.0, "source": crop}
        frame |= {"crop": crop, "landmarks": [0.0] * NUM_LANDMARKS * 2}
        table = pa.Table.from_pylist([frame], schema=PAINTED_FRAME)
        uri = ObjectStore(str(self._out / ".work")).put_table("0" * 64, table)
        painted = [{"track_index": 0, "painted_uri": uri, "num_frames": 1, "seconds": 0.1}]
        return row | nothing | {"painted": painted, "num_frames_changed": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    film = make_film(folder / "harbour.mp4")
    make_film(folder / "other.mp4", FilmSpec(gop=10))
    shutil.copy(film.path, folder / "copy.mp4")
    (folder / "notes.mp4").write_text("not a film")
    write_wav(folder / "dub.wav", np.zeros(2 * 16_000, np.float32) + 0.01, 16_000)
    return folder


def catalog(folder: Path, *rows: str) -> Path:
    path = folder / f"{abs(hash(rows))}.csv"
    path.write_text("\n".join(["film,language,dub_stem", *rows]))
    return path


def request(folder: Path, out: Path, store: str, *rows: str, **options: Any) -> DubRequest:
    return DubRequest(catalog=catalog(folder, *rows), out=out, tracking_uri=store, **options)


@pytest.fixture(scope="module")
def store(mlflow_folder: Path) -> str:
    return default_tracking_uri(mlflow_folder)


def told(notices: list[str]) -> list[str]:
    """What is said beside that these dubs, stems of films in stereo, are dialogue only."""
    others = [notice for notice in notices if "DIALOGUE ONLY" not in notice]
    assert len(others) < len(notices)
    return others


def test_every_problem_is_listed_before_anything_runs_and_nothing_is_written(
    folder: Path, tmp_path: Path, store: str
) -> None:
    out = tmp_path / "out"
    pipeline = TwoShotPipeline(out)
    rows = (
        "harbour.mp4,xx-klingonish,dub.wav",
        "notes.mp4,zz,dub.wav",
        "gone.mp4,de,dub.wav",
        "harbour.mp4,de,dub.wav",
        "notes.mp4,fr,gone.wav",
        "notes.mp4,it,",
    )
    outcome = run_dub(request(folder, out, store, *rows), pipeline)

    assert outcome.exit_code == WRONG_USE
    assert [(problem.row, problem.column, problem.reason.value) for problem in outcome.problems] == [
        (2, "language", "unknown_language"),
        (3, "film", "not_media"),
        (3, "language", "unknown_language"),
        (4, "film", "missing_file"),
        (6, "dub_stem", "missing_file"),
        (6, "film", "not_media"),
        (7, "", "bad_row"),
        (7, "film", "not_media"),
    ]
    assert pipeline.analysed == []
    assert not out.exists()


def test_a_copy_of_a_film_under_another_name_is_found(folder: Path, tmp_path: Path, store: str) -> None:
    rows = ("harbour.mp4,de,dub.wav", "copy.mp4,de,dub.wav")
    outcome = run_dub(request(folder, tmp_path / "out", store, *rows), TwoShotPipeline(tmp_path))
    assert [(problem.row, problem.column) for problem in outcome.problems] == [(3, "film")]


def test_skip_invalid_does_the_good_rows_and_still_reports_the_bad_ones(
    folder: Path, tmp_path: Path, store: str
) -> None:
    rows = ("notes.mp4,de,dub.wav", "harbour.mp4,de,dub.wav")
    outcome = run_dub(request(folder, tmp_path, store, *rows, skip_invalid=True), TwoShotPipeline(tmp_path))

    assert outcome.exit_code == FAILED
    assert [film["title"] for film in outcome.films] == ["harbour"]
    assert [problem.row for problem in outcome.problems] == [2]


def test_a_dubbed_film_has_a_report_a_proxy_and_a_run_of_its_own(folder: Path, tmp_path: Path, store: str) -> None:
    outcome = run_dub(request(folder, tmp_path, store, "harbour.mp4,de,dub.wav"), TwoShotPipeline(tmp_path))

    assert outcome.exit_code == DONE
    delivery = tmp_path / "harbour" / "de"
    assert "no_face" in (delivery / "report.html").read_text()
    assert (delivery / "review" / "shot0000.mp4").stat().st_size > 1000
    client = MlflowClient(store)
    job = client.get_run(outcome.run_id or "")
    film = client.search_runs([job.info.experiment_id], f"tags.`mlflow.parentRunId` = '{outcome.run_id}'")[0]
    assert (job.info.status, film.info.status) == ("FINISHED", "FINISHED")
    assert job.data.params["sampler.steps"] == "1"
    assert job.data.tags["diff2lip.model_digest"] == TwoShotPipeline.model_digest
    assert film.data.metrics["tracks.dubbed"] == film.data.metrics["tracks.no_face"] == 1
    assert film.data.metrics["seconds.faces"] == 1.0
    artifacts = {file.path for file in client.list_artifacts(film.info.run_id)}
    assert artifacts == {"contact_sheets", "report.html", "review", "timeline.png"}


def test_a_film_that_fails_does_not_keep_the_others_from_being_delivered(
    folder: Path, tmp_path: Path, store: str
) -> None:
    rows = ("harbour.mp4,de,dub.wav", "other.mp4,de,dub.wav")
    outcome = run_dub(request(folder, tmp_path, store, *rows), TwoShotPipeline(tmp_path, failing="harbour"))

    assert outcome.exit_code == FAILED
    assert [bool(film["failure"]) for film in outcome.films] == [True, False]
    assert (tmp_path / "other" / "de" / "report.html").exists()
    assert MlflowClient(store).get_run(outcome.run_id or "").info.status == "FAILED"


def test_an_edited_plan_is_followed(folder: Path, tmp_path: Path, store: str) -> None:
    rows = ("harbour.mp4,de,dub.wav",)
    planned = run_plan(PlanRequest(catalog=catalog(folder, *rows), out=tmp_path), TwoShotPipeline(tmp_path))
    assert planned.written is not None
    assert planned.cost is not None
    assert planned.cost.verdicts == {"dub": 1, "leave: no_face": 1}

    planned.written.write_text(planned.written.read_text().replace('"dub"', '"leave"'))
    outcome = run_dub(request(folder, tmp_path, store, *rows, plan=planned.written), TwoShotPipeline(tmp_path))
    assert [row["verdict"] for row in outcome.plan] == ["leave", "leave"]


def test_a_budget_is_kept_and_all_of_the_plan_is_written(folder: Path, tmp_path: Path) -> None:
    """The one face to paint takes half a second a frame, and two actors paint side by side."""
    rows, pipeline = ("harbour.mp4,de,dub.wav",), TwoShotPipeline(tmp_path, actors=2)
    [whole] = run_plan(PlanRequest(catalog=catalog(folder, *rows)), pipeline).films
    needed_s = whole["frames_to_paint"] * 0.5 / 2
    assert needed_s > 0

    enough, less = (
        run_plan(PlanRequest(catalog=catalog(folder, *rows), out=tmp_path / name, budget_s=budget_s), pipeline)
        for name, budget_s in (("enough", needed_s), ("less", needed_s - 0.2))
    )

    assert enough.films == [whole]
    assert less.films[0]["verdicts"] == {"leave: over_budget": 1, "leave: no_face": 1}
    assert less.films[0]["frames_to_paint"] == 0
    assert (enough.people, less.people) == ([], [])  # nobody was recognised
    names = {"plan.csv", "plan.parquet", "people.csv", "people.parquet", "timelines"}
    for name, outcome in (("enough", enough), ("less", less)):
        assert {path.name for path in (tmp_path / name).iterdir() if path.name[0] != "."} == names
        assert read_plan(tmp_path / name / "plan.parquet").to_pylist() == outcome.plan
        assert [path.name for path in (tmp_path / name / "timelines").iterdir()] == ["harbour.de.png"]


def test_a_shot_whose_worker_died_is_seen_everywhere_and_the_film_is_delivered(
    folder: Path, tmp_path: Path, store: str
) -> None:
    pipeline = TwoShotPipeline(tmp_path, dying="harbour")
    outcome = run_dub(request(folder, tmp_path, store, "harbour.mp4,de,dub.wav"), pipeline)

    assert outcome.exit_code == FAILED
    assert Path(outcome.films[0]["delivered_uri"]).exists()
    assert [(row["verdict"], row["reason"]) for row in outcome.plan] == [
        ("leave", "worker_died"),
        ("leave", "no_face"),
    ]
    assert "worker_died" in told(outcome.notices)[0]
    assert "worker_died" in (tmp_path / "harbour" / "de" / "report.html").read_text()
    client = MlflowClient(store)
    job = client.get_run(outcome.run_id or "")
    film = client.search_runs([job.info.experiment_id], f"tags.`mlflow.parentRunId` = '{outcome.run_id}'")[0]
    assert (job.info.status, film.info.status) == ("FAILED", "FAILED")
    for run in (job, film):
        assert run.data.metrics["tracks.worker_died"] == run.data.metrics["shots_broken"] == 1
        assert "tracks.dubbed" not in run.data.metrics


def test_a_second_run_that_finds_all_done_leaves_report_and_proxies_alone(
    folder: Path, tmp_path: Path, store: str
) -> None:
    job = request(folder, tmp_path, store, "harbour.mp4,de,dub.wav")
    first = run_dub(job, TwoShotPipeline(tmp_path))
    shown = [tmp_path / "harbour" / "de" / name for name in ("report.html", "review/shot0000.mp4")]
    before = [path.stat().st_mtime_ns for path in shown]
    second = run_dub(job, TwoShotPipeline(tmp_path))

    assert [path.stat().st_mtime_ns for path in shown] == before
    assert (first.plan, first.exit_code) == (second.plan, second.exit_code)


def test_what_a_finished_run_shows_is_not_shown_again_and_what_a_killed_one_did_not_show_is(
    folder: Path, tmp_path: Path, store: str
) -> None:
    """Killed between the delivery and its record, a job leaves a run that is not finished."""
    job = request(folder, tmp_path, store, "harbour.mp4,en,dub.wav")
    client, runs = MlflowClient(store), []
    for ended in ("KILLED", "FINISHED", "FINISHED"):
        outcome = run_dub(job, TwoShotPipeline(tmp_path))
        experiment = client.get_run(outcome.run_id or "").info.experiment_id
        runs += client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{outcome.run_id}'")
        client.set_terminated(runs[-1].info.run_id, ended)
    assert [bool(client.list_artifacts(run.info.run_id)) for run in runs] == [True, True, False]


def test_groups_grow_and_lose_no_film() -> None:
    films = pa.table({"title": [f"film {index}" for index in range(30)]})
    groups = list(in_groups(films))
    assert [group.num_rows for group in groups] == [1, 2, 4, 8, 8, 7]
    assert pa.concat_tables(groups) == films


def test_many_films_are_analysed_in_groups_and_all_come_out(folder: Path, tmp_path: Path, store: str) -> None:
    rows = [f"harbour.mp4,{language},dub.wav" for language in ("de", "fr", "it", "es", "pt")]
    pipeline = TwoShotPipeline(tmp_path, lost="")
    outcome = run_dub(request(folder, tmp_path, store, *rows), pipeline)

    assert outcome.exit_code == DONE
    assert sorted(film["language"] for film in outcome.films) == ["de", "es", "fr", "it", "pt"]
    assert pipeline.group_sizes == [1, 2, 2]
    assert len(outcome.plan) == 10


def test_a_film_whose_analysis_failed_does_not_keep_the_others_from_being_delivered(
    folder: Path, tmp_path: Path, store: str
) -> None:
    rows = ("harbour.mp4,de,dub.wav", "other.mp4,de,dub.wav")
    outcome = run_dub(request(folder, tmp_path, store, *rows), TwoShotPipeline(tmp_path, lost="harbour"))
    assert outcome.exit_code == FAILED
    assert {film["title"]: bool(film["failure"]) for film in outcome.films} == {"harbour": True, "other": False}


def test_two_jobs_never_write_into_one_folder(folder: Path, tmp_path: Path, store: str) -> None:
    job = request(folder, tmp_path, store, "harbour.mp4,de,dub.wav")
    pipeline = TwoShotPipeline(tmp_path)
    with held_out(tmp_path), pytest.raises(OutInUseError, match="wait for it"):
        run_dub(job, pipeline)
    assert pipeline.analysed == []
    assert run_dub(job, pipeline).exit_code == DONE


def test_a_tracking_store_that_is_lost_on_the_way_costs_no_delivery(
    folder: Path, tmp_path: Path, store: str, mlflow_folder: Path
) -> None:
    artifacts, aside = mlflow_folder / "mlartifacts", mlflow_folder / "aside"

    def lose() -> None:
        if aside.exists():  # called for every group of films
            return
        artifacts.rename(aside)
        artifacts.write_text("a file where a folder must be")

    rows = ("harbour.mp4,de,dub.wav", "other.mp4,de,dub.wav")
    try:
        outcome = run_dub(request(folder, tmp_path, store, *rows), TwoShotPipeline(tmp_path, on_painting=lose))
    finally:
        artifacts.unlink()
        aside.rename(artifacts)

    assert outcome.exit_code == FAILED
    assert len(told(outcome.notices)) == 1
    assert "MLflow" in told(outcome.notices)[0]
    assert all((tmp_path / title / "de" / "report.html").exists() for title in ("harbour", "other"))


def test_edits_of_a_skipped_film_are_ignored_and_said_and_other_edits_must_fit(
    folder: Path, tmp_path: Path, store: str
) -> None:
    rows = ["harbour.mp4,de,dub.wav", "other.mp4,de,dub.wav"]
    written = run_plan(PlanRequest(catalog=catalog(folder, *rows), out=tmp_path), TwoShotPipeline(tmp_path)).written
    assert written is not None
    rows[1] = "other.mp4,de,gone.wav"
    job = request(folder, tmp_path, store, *rows, plan=written, skip_invalid=True)
    outcome = run_dub(job, TwoShotPipeline(tmp_path))

    assert outcome.exit_code == FAILED
    assert [film["title"] for film in outcome.films] == ["harbour"]
    assert [notice.partition(":")[0] for notice in told(outcome.notices)] == ["other de"]
    plan = read_plan(written).to_pylist()
    stale = [row | {"dub_id": "f" * 64} if row["title"] == "harbour" else row for row in plan]
    write_plan(written, pa.Table.from_pylist(stale, schema=read_plan(written).schema))
    with pytest.raises((PlanUnreadableError, ValueError), match="no such row"):
        run_dub(job, TwoShotPipeline(tmp_path))


def test_what_runs_is_told_by_stage_and_the_delivery_knows_its_code(folder: Path, tmp_path: Path, store: str) -> None:
    pipeline = TwoShotPipeline(tmp_path)
    outcome = run_dub(request(folder, tmp_path, store, "harbour.mp4,de,dub.wav"), pipeline)
    assert [stage["stage"] for stage in outcome.stages] == ["admit", "faces", "plan", "stitch"]
    assert set(pipeline.code) == {"commit", "dirty", "lock_digest"}
    assert pipeline.code["commit"]


def test_a_film_whose_analysis_failed_is_not_passed_over_in_silence(folder: Path, tmp_path: Path) -> None:
    rows = ("harbour.mp4,de,dub.wav", "other.mp4,de,dub.wav")
    planned = run_plan(PlanRequest(catalog=catalog(folder, *rows)), TwoShotPipeline(tmp_path, lost="other"))
    assert planned.exit_code == FAILED
    assert {row["title"] for row in planned.plan} == {"harbour"}
    assert [notice.partition(":")[0] for notice in told(planned.notices)] == ["other de"]
