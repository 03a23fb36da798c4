"""An evaluation gives one row a pair, goes on where it stopped, and never shows a figure that was not measured."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pyarrow.parquet as pq
import pytest
import torch
from mlflow import MlflowClient
from typer.testing import CliRunner

from diff2lip.checkpoint import save_checkpoint
from diff2lip.config import CropConfig
from diff2lip.syncnet import Judge
from diff2lip.unet import UNet
from diff2lip.weights_file import Header, Kind, write_weights
from jobs.cli import app
from jobs.command import DONE, FAILED, WRONG_USE
from jobs.evaluate import EvaluationOutcome, EvaluationRequest, run_evaluation, summarise
from jobs.lineage import default_tracking_uri
from jobs.progress import Silence
from pipelines.progress import Event
from pipelines.published_path import Mode
from schemas.evaluation import EVALUATED_PAIR
from tests.portraits import spoken_face, syllables, voice
from tests.synthetic import FilmSpec, make_film
from tests.tiny_model import TINY

PAIRS = "face face\ngone face\nbroken broken\nnobody nobody\nface nobody\n"
NUM_FRAMES, NUM_PAINTED, SIDE_PX = 9, 6, 128


@pytest.fixture(scope="module", name="root")
def _root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of clips, a list of pairs, a model and a judge that were trained on nothing."""
    root = tmp_path_factory.mktemp("root")
    said = syllables(NUM_FRAMES)
    make_film(
        root / "face.mp4",
        FilmSpec(num_frames=NUM_FRAMES, cuts=(), width_px=SIDE_PX, height_px=SIDE_PX),
        draw=lambda index: cv2.resize(spoken_face(said[index]), (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA),
        sound=lambda count, rate_hz: voice(said, 25.0, count, rate_hz),
    )
    make_film(root / "nobody.mp4", FilmSpec(num_frames=NUM_FRAMES, cuts=()))
    (root / "broken.mp4").write_text("this is no film")
    (root / "pairs.txt").write_text(PAIRS)
    torch.manual_seed(0)
    denoiser = UNet(replace(TINY, crop=CropConfig(size_px=32, mask_top=0.5)))
    save_checkpoint(root / "model.safetensors", denoiser, {}, torch.float32)
    write_weights(root / "judge.safetensors", Header(kind=Kind.JUDGE, config={}, lineage={}), Judge().state_dict())
    return root


class Recorder(Silence):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)


def request(root: Path, store: Path, **changes: Any) -> EvaluationRequest:
    asked = EvaluationRequest(
        pairs=root / "pairs.txt",
        root=root,
        out=root / "out",
        model=str(root / "model.safetensors"),
        mode=Mode.RECONSTRUCTION,
        settings=("path.sampler.steps=2",),
        tracking_uri=default_tracking_uri(store),
    )
    return replace(asked, **changes)


@pytest.fixture(scope="module", name="outcome")
def _outcome(root: Path, mlflow_folder: Path) -> EvaluationOutcome:
    return run_evaluation(request(root, mlflow_folder))


def test_every_pair_has_its_row_and_what_is_wrong_with_a_clip_is_in_it(outcome: EvaluationOutcome) -> None:
    reasons = [(row["audio"], row["video"], row["reason"]) for row in outcome.rows]

    assert reasons == [
        ("face", "face", None),
        ("gone", "face", "missing_file"),
        ("broken", "broken", "undecodable"),
        ("nobody", "nobody", "no_face"),
        ("face", "nobody", "no_face"),
    ]
    assert all(row["detail"] for row in outcome.rows[1:])
    assert outcome.exit_code == FAILED
    assert "4 of 5 pairs were not measured: 1 x missing_file, 2 x no_face, 1 x undecodable" in outcome.notices


def test_a_face_that_was_painted_is_measured(outcome: EvaluationOutcome) -> None:
    row = outcome.rows[0]

    assert (row["num_frames"], row["width_px"], row["height_px"], row["crop"]) == (
        NUM_PAINTED,
        SIDE_PX,
        SIDE_PX,
        "face_box",
    )
    assert 5 < row["psnr_db"] < 60
    assert 0 < row["ssim"] < 1
    assert row["seam_ratio"] > 0
    assert row["lse_c"] is row["lse_d"] is row["av_offset_ms"] is None


def test_the_rows_are_kept_as_parquet_and_in_mlflow(
    outcome: EvaluationOutcome, root: Path, mlflow_folder: Path
) -> None:
    table = pq.read_table(root / "out" / "pairs.parquet")
    client = MlflowClient(default_tracking_uri(mlflow_folder))
    run = client.get_run(outcome.run_id)

    assert table.schema == EVALUATED_PAIR
    assert table.to_pylist() == outcome.rows
    assert run.data.metrics["psnr_db"] == outcome.rows[0]["psnr_db"]
    assert run.data.metrics["pairs.no_face"] == 2
    assert run.data.params["path.sampler.steps"] == "2"
    assert len(run.data.tags["diff2lip.model_digest"]) == 64
    assert {file.path for file in client.list_artifacts(run.info.run_id)} >= {"pairs.parquet", "summary.json"}


def test_what_was_evaluated_is_found_again_and_a_clip_that_came_is_not(
    outcome: EvaluationOutcome, root: Path, mlflow_folder: Path
) -> None:
    told = Recorder()
    again = run_evaluation(request(root, mlflow_folder), told)

    assert again.rows == outcome.rows
    assert [event.cached for event in told.events] == [True, False, True, True, True]  # a missing clip may come


def test_another_mode_is_another_question(
    outcome: EvaluationOutcome, root: Path, mlflow_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "one.txt").write_text("face face\n")
    told = Recorder()

    crossed = run_evaluation(request(root, mlflow_folder, pairs=tmp_path / "one.txt", mode=Mode.CROSS), told)

    assert [event.cached for event in told.events] == [False]
    assert crossed.exit_code == DONE
    assert crossed.rows[0]["psnr_db"] != outcome.rows[0]["psnr_db"]


def test_a_judge_measures_lip_sync(root: Path, mlflow_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("face face\n")

    judged = run_evaluation(request(root, mlflow_folder, pairs=tmp_path / "one.txt", judge=root / "judge.safetensors"))

    assert judged.rows[0]["lse_d"] > 0
    lines = {line["measure"]: line for line in judged.summary}
    assert lines["lse_d"]["value"] == judged.rows[0]["lse_d"]


def test_a_measure_that_was_not_taken_says_why_and_has_no_figure(outcome: EvaluationOutcome) -> None:
    lines = {line["measure"]: line for line in outcome.summary}

    assert lines["lse_c"]["value"] is None
    assert "--judge" in lines["lse_c"]["not_measured"]
    assert lines["fid"]["value"] is None
    assert "Inception" in lines["fid"]["not_measured"]
    assert "Forced Aligner" in lines["bilabial_closure"]["not_measured"]
    assert all((line["value"] is None) == bool(line["not_measured"]) for line in outcome.summary)


def test_phone_times_beside_a_clip_are_used_or_refused_by_line(
    root: Path, mlflow_folder: Path, tmp_path: Path
) -> None:
    for name in ("timed", "broken_times"):
        shutil.copy(root / "face.mp4", tmp_path / f"{name}.mp4")
    head = "Begin,End,Label,Type,Speaker\n"
    (tmp_path / "timed.csv").write_text(head + "0.08,0.12,M,phones,a\n")
    (tmp_path / "broken_times.csv").write_text(head + "0.12,0.08,M,phones,a\n")
    (tmp_path / "pairs.txt").write_text("timed timed\nbroken_times broken_times\n")

    asked = replace(request(root, mlflow_folder), pairs=tmp_path / "pairs.txt", root=tmp_path, out=tmp_path)
    outcome = run_evaluation(asked)

    timed, broken = outcome.rows
    assert timed["reason"] is None
    assert (broken["reason"], "in line 2" in broken["detail"]) == ("bad_phones", True)
    assert broken["psnr_db"] is None


def test_the_papers_figures_lie_beside_those_of_their_mode() -> None:
    lines = {mode: {line["measure"]: line for line in summarise([], mode, {}, None)} for mode in Mode}

    # Diff2Lip in Table 2, spot checks.
    assert lines[Mode.RECONSTRUCTION]["psnr_db"]["paper_voxceleb2"] == 18.09
    assert lines[Mode.RECONSTRUCTION]["lse_c"]["paper_lrw"] == 7.41
    assert lines[Mode.CROSS]["fid"]["paper_voxceleb2"] == 4.53
    assert lines[Mode.CROSS]["ssim"]["paper_voxceleb2"] is None


def run(*arguments: Path | str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["evaluate", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_the_command_prints_json_or_a_table(
    outcome: EvaluationOutcome, root: Path, mlflow_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "one.txt").write_text("face face\n")
    given = ["--model", root / "model.safetensors", "--pairs", tmp_path / "one.txt", "--root", root, "--quiet"]
    given += ["--mode", "reconstruction", "--out", root / "out", "--set", "path.sampler.steps=2"]
    given += ["--tracking-uri", default_tracking_uri(mlflow_folder)]

    code, printed, _ = run(*given, "--json")
    table_code, table, _ = run(*given)

    assert (code, table_code) == (DONE, DONE)
    assert json.loads(printed)["rows"] == outcome.rows[:1]
    assert "18.090" in table


def test_wrong_use_is_two_and_named(root: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n")
    model = ["--model", root / "model.safetensors", "--root", root, "--out", tmp_path / "out"]

    code, _, words = run(*model, "--pairs", tmp_path / "empty.txt")
    assert code == WRONG_USE
    assert "empty.txt holds no pairs" in words
    assert run(*model, "--pairs", root / "pairs.txt", "--set", "path.nothing=1")[0] == WRONG_USE
    assert run(*model, "--pairs", root / "gone.txt")[0] == WRONG_USE
    assert run(*model[2:], "--pairs", root / "pairs.txt", "--model", tmp_path / "gone.safetensors")[0] == WRONG_USE
    assert not (tmp_path / "out" / "pairs.parquet").exists()
