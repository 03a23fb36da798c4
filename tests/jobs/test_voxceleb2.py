"""A tree becomes a training set: one row a clip, found again, continued, and the same wherever it lies."""

import json
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.command import DONE, FAILED, WRONG_USE
from jobs.overrides import OverrideError
from jobs.voxceleb2 import VoxOutcome, VoxRequest, run_voxceleb2, selected_clips, setting_keys, vox_config
from pipelines.clips import CutClips
from pipelines.progress import Event
from pipelines.storage import ObjectStore, file_digest
from pipelines.training_set import TrainingSetError, open_training_set
from pipelines.training_shards import cut_shards, find_shard, plan_shards
from schemas.training import CLIP_FACTS, SHARD
from tests.real_assets import real_asset
from tests.vox_tree import make_tree, openings, talking_clip

REASONS = {"missing_sound": 1, "no_face": 1, "silent": 1, "too_short": 1, "undecodable": 1}

pytestmark = pytest.mark.assets


@dataclass
class Watching:
    """A display that remembers what it was told."""

    events: list[Event]

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def expect(self, stage: str, num_pieces: int, num_frames: int = 0) -> None:
        """Not needed here."""

    @property
    def cached(self) -> dict[str, bool]:
        return {event.title: event.cached for event in self.events if not event.partial}


@dataclass
class Cut:
    """A tree, what was asked, and what came of it."""

    request: VoxRequest
    outcome: VoxOutcome
    told: Watching

    @property
    def out(self) -> Path:
        """Where the training set lies."""
        return Path(self.request.out)


@pytest.fixture(scope="module", name="tree")
def _tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    real_asset("retinaface-mobilenet025")
    real_asset("face-mesh")
    return make_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module", name="cut")
def _cut(tree: Path, ray: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Cut:
    """The whole tree on Ray, after a run that was killed when it had done id00002."""
    request = VoxRequest(root=tree, out=str(tmp_path_factory.mktemp("out")), select="all")
    cut_here(request, ["id00002"])
    told = Watching([])
    return Cut(request, run_voxceleb2(request, told), told)


def cut_here(request: VoxRequest, identities: list[str]) -> None:
    """What a worker does with the shards of some people."""
    config = vox_config(request)
    shards = plan_shards(selected_clips(request.root, request.select), config)
    chosen = [shard for shard in shards if shard["identity"] in identities]
    CutClips(store_uri=config.store_uri, config=config.cut)(pa.Table.from_pylist(chosen, schema=SHARD))


def missing(request: VoxRequest) -> list[str]:
    """Identities of the shards that are still to be cut."""
    config = vox_config(request)
    shards = plan_shards(selected_clips(request.root, request.select), config)
    return [shard["identity"] for shard in shards if find_shard(shard, ObjectStore(config.store_uri)) is None]


def manifest(request: VoxRequest) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((Path(request.out) / "manifest.json").read_text())
    return content


def test_every_clip_has_one_row_and_the_counts_add_up(cut: Cut) -> None:
    table = pq.read_table(cut.out / "clips.parquet")
    counts = manifest(cut.request)["counts"]

    assert table.schema == CLIP_FACTS
    assert table.num_rows == counts["selected"] == 8
    assert (counts["ok"], counts["failed"], counts["by_reason"]) == (3, 5, REASONS)
    assert sum(counts["by_filter_reason"].values()) == counts["ok"]
    assert counts["num_frames"] == 50 + 20 + 20
    assert counts["num_identities"] == 1
    assert cut.outcome.exit_code == DONE
    assert any("5 of 8 clips give nothing" in notice for notice in cut.outcome.notices)


def test_what_a_killed_run_had_done_is_not_done_again(cut: Cut) -> None:
    assert cut.told.cached == {"dev/id00001 0": False, "dev/id00002 0": True}
    assert cut.outcome.num_found == 5
    assert cut.outcome.peak_mib > 0


def test_the_training_set_is_opened_and_its_rows_read_shard_by_shard(cut: Cut) -> None:
    training = open_training_set(cut.request.out)
    (shard,) = training.shards

    rows = list(training.rows(shard, ["video", "num_frames"]))

    assert rows == [
        {"video": name, "num_frames": count} for name, count in (("alpha", 50), ("alpha", 20), ("beta", 20))
    ]
    assert (shard.identity, shard.num_rows, shard.num_frames) == ("id00001", 3, 90)
    assert shard.digest == file_digest(Path(training.uri(shard)))
    assert training.digest == cut.outcome.digest
    assert training.clips().num_rows == 8


def test_code_on_the_page_of_training_data_runs(cut: Cut) -> None:
    page = (Path(__file__).parents[2] / "docs" / "training-data.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    left: dict[str, Any] = {}

    exec(compile(code.replace('"DIR"', repr(cut.request.out)), "docs/training-data.md", "exec"), left)

    assert len(left["kept"]) == 3
    assert left["pictures"].shape == (20, 192, 192, 3)


def test_a_second_call_only_looks_and_says_so(cut: Cut) -> None:
    files = {path: path.stat().st_mtime_ns for path in (cut.out / ".work").rglob("*") if path.is_file()}
    told = Watching([])

    again = run_voxceleb2(cut.request, told)

    assert set(told.cached.values()) == {True}
    assert again.notices[0] == "all 8 clips were cut before: nothing was done"
    assert (again.digest, again.counts) == (cut.outcome.digest, cut.outcome.counts)
    after = {path: path.stat().st_mtime_ns for path in (cut.out / ".work").rglob("*") if path.is_file()}
    assert after == files


def test_the_same_data_elsewhere_is_the_same_training_set(cut: Cut, tmp_path: Path) -> None:
    shutil.copytree(cut.request.root, tmp_path / "tree")
    shutil.copytree(cut.out, tmp_path / "out")
    (tmp_path / "out" / "clips.parquet").unlink()

    moved = run_voxceleb2(replace(cut.request, root=tmp_path / "tree", out=str(tmp_path / "out")))

    assert moved.digest == cut.outcome.digest
    training = open_training_set(str(tmp_path / "out"))
    assert training.uri(training.shards[0]).startswith(str(tmp_path))


def test_a_clip_that_is_added_changes_only_the_shard_of_its_identity(cut: Cut, tmp_path: Path) -> None:
    shutil.copytree(cut.request.root, tmp_path / "tree")
    shutil.copytree(cut.out, tmp_path / "out")
    request = replace(cut.request, root=tmp_path / "tree", out=str(tmp_path / "out"))
    assert missing(request) == []
    talking_clip(tmp_path / "tree/dev/mp4/id00002/late/00001.mp4", openings(8))

    assert missing(request) == ["id00002"]
    cut_here(request, ["id00002"])
    grown = run_voxceleb2(request)

    assert grown.counts["ok"] == cut.outcome.counts["ok"] + 1
    assert grown.digest != cut.outcome.digest
    before = {shard["key"] for shard in manifest(cut.request)["shards"]}
    assert before < {shard["key"] for shard in manifest(request)["shards"]}


def test_behind_a_uri_it_is_the_same_training_set(cut: Cut, tmp_path: Path) -> None:
    """A file system that fsspec reaches by name: what was cut is found there, and read back from there."""
    shutil.copytree(cut.out, tmp_path / "out")
    uri = (tmp_path / "out").as_uri()
    (tmp_path / "out" / "manifest.json").unlink()

    there = run_voxceleb2(replace(cut.request, out=uri))

    assert there.digest == cut.outcome.digest
    assert there.files == [f"{uri}/clips.parquet", f"{uri}/manifest.json"]
    training = open_training_set(uri)
    assert training.clips().num_rows == cut.outcome.counts["selected"]
    assert next(training.rows(training.shards[0]))["identity"] == training.shards[0].identity


def test_a_shard_that_was_removed_is_cut_anew_and_is_the_same(cut: Cut, tmp_path: Path) -> None:
    shutil.copytree(cut.out, tmp_path / "out")
    request = replace(cut.request, out=str(tmp_path / "out"))
    training = open_training_set(request.out)
    lost = Path(training.uri(training.shards[0]))
    before = lost.read_bytes()
    lost.unlink()

    assert missing(request) == [training.shards[0].identity]
    cut_here(request, missing(request))
    assert lost.read_bytes() == before


@pytest.mark.parametrize("change", [{"settings": ("cut.jpeg_quality=80",)}, {"crop": "published"}])
def test_other_settings_are_other_shards(cut: Cut, change: dict[str, Any]) -> None:
    assert missing(replace(cut.request, **change)) == ["id00001", "id00002"]


def test_thresholds_are_only_for_counting(cut: Cut) -> None:
    request = replace(cut.request, settings=("thresholds.min_face_height_px=1000",))

    counted = run_voxceleb2(request)

    assert counted.counts["by_filter_reason"] == {"small_face": 3}
    assert counted.digest == cut.outcome.digest
    assert open_training_set(request.out).shards[0].num_rows == 3


def test_clips_whose_worker_died_say_so_and_are_tried_again(cut: Cut, tmp_path: Path) -> None:
    config = replace(
        vox_config(replace(cut.request, out=str(tmp_path))), judge_path=str(tmp_path / "gone.safetensors")
    )
    shards = plan_shards(selected_clips(cut.request.root, "first"), config)[:1]

    (row,) = cut_shards(shards, config, lambda event: None)

    assert [fact["reason"] for fact in row["facts"]] == ["worker_died", "worker_died"]
    assert find_shard(shards[0], ObjectStore(config.store_uri)) is None


def test_a_set_in_which_nothing_is_ok_is_a_failure(tree: Path, tmp_path: Path) -> None:
    request = VoxRequest(root=tree, out=str(tmp_path / "out"), select=str(tmp_path / "list.txt"))
    (tmp_path / "list.txt").write_text("dev/id00002/broken/00001\n")
    cut_here(request, ["id00002"])

    outcome = run_voxceleb2(request)

    assert (outcome.exit_code, outcome.counts["ok"], outcome.counts["failed"]) == (FAILED, 0, 1)


def run(*arguments: Path | str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["voxceleb2", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_the_command_prints_json_or_a_table(cut: Cut) -> None:
    given = [cut.request.root, "--out", cut.request.out, "--select", "all", "--quiet"]

    code, printed, _ = run(*given, "--json")
    table_code, table, words = run(*given)

    assert (code, table_code) == (DONE, DONE)
    assert json.loads(printed)["counts"] == cut.outcome.counts
    assert "failed: no_face" in table
    assert "nothing was done" in words


def test_wrong_use_is_two_and_named(tree: Path, tmp_path: Path) -> None:
    out = ["--out", tmp_path / "out", "--quiet"]
    (tmp_path / "list.txt").write_text("id00009/gone/00001\nnonsense\n")

    no_tree = run(tmp_path, *out)
    no_clips = run(tree, *out, "--select", tmp_path / "list.txt")

    assert (no_tree[0], "is no VoxCeleb2 tree" in no_tree[2]) == (WRONG_USE, True)
    assert no_clips[0] == WRONG_USE
    assert "line 1: id00009/gone/00001" in no_clips[2]
    assert "line 2: nonsense" in no_clips[2]
    assert run(tree, *out, "--set", "cut.nothing=1")[0] == WRONG_USE
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_a_judge_that_is_none_is_refused_before_anything_runs(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "judge.safetensors").write_text("nothing")

    code, _, words = run(tree, "--out", tmp_path / "out", "--judge", tmp_path / "judge.safetensors")

    assert code == FAILED
    assert "judge.safetensors" in words


def test_what_has_an_option_of_its_own_is_no_setting(tree: Path, tmp_path: Path) -> None:
    assert {"cut.jpeg_quality", "clips_per_shard", "thresholds.min_confidence"} <= set(setting_keys())
    with pytest.raises(OverrideError, match="known keys"):
        vox_config(VoxRequest(root=tree, out=str(tmp_path), settings=("store_uri=x",)))


def test_a_folder_without_a_training_set_is_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingSetError, match=r"manifest\.json"):
        open_training_set(str(tmp_path))
