"""`diff2lip weights import` writes a checkpoint, or says in one line why not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from diff2lip.checkpoint import load_judge
from diff2lip.syncnet import Judge
from jobs.cli import app
from jobs.command import DONE, FAILED, WRONG_USE


@pytest.fixture(scope="module", name="published")
def _published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("published") / "syncnet_v2.model"
    torch.save(Judge().state_dict(), path)
    return path


def run(*arguments: Path | str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["weights", "import", *map(str, arguments)])
    return result.exit_code, result.output


def test_a_published_file_becomes_a_checkpoint(published: Path, tmp_path: Path) -> None:
    out = tmp_path / "judge.safetensors"

    code, output = run(published, "--out", out, "--dtype", "fp16", "--json")

    imported = json.loads(output)
    assert code == DONE
    assert (imported["kind"], imported["num_tensors"], imported["num_halved"]) == ("judge", 102, 24)
    weight = torch.load(published)["netcnnlip.0.weight"]
    assert torch.equal(load_judge(out).state_dict()["netcnnlip.0.weight"], weight.half().float())


def test_it_says_what_it_found_and_its_digest(published: Path, tmp_path: Path) -> None:
    out = tmp_path / "judge.safetensors"

    code, output = run(published, "--out", out)

    digest = json.loads(run(published, "--out", out, "--json")[1])["digest"]
    assert code == DONE
    assert "judge, 102 tensors, 13,631,616 parameters" in output
    assert f"sha256 {digest}" in output


def test_a_file_that_cannot_be_imported_fails_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "broken.pt").write_bytes(b"PK\x03\x04 and no more")
    command = [sys.executable, "-m", "jobs.cli", "weights", "import", str(tmp_path / "broken.pt")]

    answer = subprocess.run([*command, "--out", str(tmp_path / "o.safetensors")], capture_output=True, text=True)

    assert answer.returncode == FAILED
    assert answer.stderr == "diff2lip: broken.pt is no whole PyTorch file: it was cut off, or never was one\n"
    assert not (tmp_path / "o.safetensors").exists()


def test_wrong_use_is_two(published: Path, tmp_path: Path) -> None:
    assert run(tmp_path / "gone.pt", "--out", tmp_path / "o.safetensors")[0] == WRONG_USE
    assert run(published, "--out", tmp_path / "o.pt")[0] == WRONG_USE
    assert run(published, "--out", tmp_path / "gone" / "o.safetensors")[0] == WRONG_USE
    assert run(published, "--out", tmp_path / "o.safetensors", "--dtype", "int8")[0] == WRONG_USE
    assert run(published)[0] == WRONG_USE
