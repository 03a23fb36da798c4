"""CutClips on a tree whose frames, openings and sounds are known; what is wrong with a clip costs no other."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from scipy.signal import correlate

from diff2lip.syncnet import Judge
from diff2lip.weights_file import Header, Kind, write_weights
from pipelines.clip_crop import decode_pictures
from pipelines.clip_cut import CutConfig
from pipelines.clip_sound import spoken_spans, with_margin
from pipelines.clips import CutClips
from pipelines.row_table import read_rows
from pipelines.storage import file_digest
from pipelines.training_set import mouths_of, sound_of
from pipelines.training_shards import plan_shards
from pipelines.training_window import PUBLISHED_SIZE_PX, TrainingCrop
from pipelines.vox_tree import list_clips
from pipelines.voxceleb2 import VoxConfig
from schemas.training import CUT_SHARD, MARGIN_SAMPLES, SHARD, UTTERANCE
from tests.real_assets import real_asset
from tests.synthetic import Draw, make_film
from tests.vox_tree import NUM_FRAMES, SPEC, make_tree, openings, portrait, talking_clip

Row = dict[str, Any]
ALIKE = 0.85  # correlation: she smiles, so her lips are apart at opening 0 too
SAME = 0.95  # of smoothed landmarks and those that are not


@pytest.fixture(scope="module", name="tree")
def _tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    real_asset("retinaface-mobilenet025")
    real_asset("face-mesh")
    return make_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module", name="cut")
def _cut(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    return cut_tree(tree, tmp_path_factory.mktemp("store"))


def cut_tree(root: Path, store: Path, config: CutConfig | None = None, **judge: str) -> list[Row]:
    """The CUT_SHARD rows of a whole tree, by the stage alone."""
    vox = VoxConfig(store_uri=str(store), cut=config or CutConfig(), **judge)
    stage = CutClips(store_uri=vox.store_uri, config=vox.cut, **judge)
    cut = stage(pa.Table.from_pylist(plan_shards(list_clips(root), vox), schema=SHARD))
    assert cut.schema == CUT_SHARD
    found: list[Row] = cut.to_pylist()
    return found


def facts_of(cut: list[Row]) -> dict[str, Row]:
    return {f"{fact['video']}/{fact['utterance']}": fact for shard in cut for fact in shard["facts"]}


def rows_of(cut: list[Row]) -> list[Row]:
    uris = {fact["shard_uri"] for shard in cut for fact in shard["facts"] if fact["shard_uri"]}
    return [row for uri in sorted(uris) for row in read_rows(uri)]


def likeness(one: Sequence[float], other: Sequence[float]) -> float:
    return float(np.corrcoef(one, other)[0, 1])


def one_clip(root: Path, **changes: Any) -> list[Row]:
    """The shards of a tree with one clip of 20 frames; `changes` are those of `talking_clip`."""
    talking_clip(root / "tree/mp4/id00001/a/00001.mp4", openings(NUM_FRAMES), **changes)
    return cut_tree(root / "tree", root / "store")


@pytest.mark.assets
def test_every_clip_has_its_facts_and_what_is_wrong_with_one_is_in_it(cut: list[Row]) -> None:
    found = {name: fact["reason"] for name, fact in facts_of(cut).items()}

    assert found == {
        "alpha/00001": None,
        "alpha/00002": None,
        "beta/00001": None,
        "broken/00001": "undecodable",
        "mute/00001": "missing_sound",
        "nobody/00001": "no_face",
        "short/00001": "too_short",
        "silent/00001": "silent",
    }
    for fact in facts_of(cut).values():
        assert (fact["status"] == "ok") == (fact["reason"] is None) == (fact["detail"] == "")
        assert (fact["shard_uri"] is None) == (fact["num_stretches"] == 0) == (fact["face_height_px"] is None)


@pytest.mark.assets
def test_what_was_measured_of_a_talking_portrait_is_true_of_it(cut: list[Row]) -> None:
    fact = facts_of(cut)["alpha/00001"]

    assert (fact["num_frames"], fact["num_face_frames"], fact["num_stretches"]) == (50, 50, 1)
    assert 110 < fact["face_height_px"] < 180  # the astronaut's face on 224 px
    assert fact["yaw_deg"] < 10
    assert fact["speaking_score"] > 0.8
    assert fact["opening_range"] > 0.1
    assert fact["av_offset_ms"] is fact["sync_confidence"] is None
    assert fact["judge"] == ""


@pytest.mark.assets
def test_rows_follow_the_clips_and_hold_what_the_schema_says(cut: list[Row]) -> None:
    rows = rows_of(cut)

    assert [(row["video"], row["utterance"], row["num_frames"]) for row in rows] == [
        ("alpha", "00001", 50),
        ("alpha", "00002", NUM_FRAMES),
        ("beta", "00001", NUM_FRAMES),
    ]
    for row in rows:
        assert list(row) == UTTERANCE.names
        assert len(row["pictures"]) == len(row["openings"]) == row["num_frames"]
        assert decode_pictures(row["pictures"]).shape == (row["num_frames"], 192, 192, 3)
        assert mouths_of(row).shape == (row["num_frames"], 4, 2)
        assert len(sound_of(row)) == row["num_frames"] * 640 + 2 * MARGIN_SAMPLES
    assert cut[0]["num_rows"] == len(rows)
    assert cut[0]["shard_digest"] == file_digest(Path(cut[0]["facts"][0]["shard_uri"]))


@pytest.mark.assets
def test_every_picture_shows_its_own_frame(cut: list[Row]) -> None:
    row = rows_of(cut)[0]
    said = openings(50)
    pictures, mouths = decode_pictures(row["pictures"]), mouths_of(row)
    left, top, right = mouths[0, 0, 0], mouths[:, :, 1].min(), mouths[0, 1, 0]
    below = pictures[:, round(top) : round(top) + 24, round(left) + 8 : round(right) - 8].mean((2, 3))
    darkness = -below.mean(1)  # the more rows, the wider the mouth is open

    for seen in (row["openings"], darkness.tolist()):
        assert likeness(seen, said) > ALIKE
        assert likeness(seen, said) > max(likeness(seen[1:], said[:-1]), likeness(seen[:-1], said[1:]))
    gaps = np.linalg.norm(mouths[:, 3] - mouths[:, 2], axis=1) / np.linalg.norm(mouths[:, 1] - mouths[:, 0], axis=1)
    assert likeness(gaps.tolist(), row["openings"]) > SAME


@pytest.mark.assets
def test_the_sound_beside_a_clip_is_heard_as_if_it_lay_inside(cut: list[Row]) -> None:
    row = rows_of(cut)[2]
    sound = sound_of(row)[MARGIN_SAMPLES:-MARGIN_SAMPLES].astype(np.float64)
    loud = np.sqrt((sound.reshape(NUM_FRAMES, 640) ** 2).mean(1))

    assert likeness(loud.tolist(), openings(NUM_FRAMES, 5)) > 0.9  # the voice is as loud as the mouth is open


@pytest.mark.assets
@pytest.mark.parametrize("start_frame", [0, 5])
@pytest.mark.parametrize("late_samples", [0, 1600])
def test_a_sound_lies_at_its_own_sample_after_the_first_frame(
    tmp_path: Path, start_frame: int, late_samples: int
) -> None:
    """A burst 0.4 s after the sound begins, in a container whose time does not begin at 0."""
    burst = np.zeros(16_000, np.float32)
    burst[6_400:7_200] = 0.3 * np.random.default_rng(0).standard_normal(800).astype(np.float32)
    path = tmp_path / "tree/mp4/id00001/a/00001.mp4"
    path.parent.mkdir(parents=True)
    spec = replace(SPEC, start_frame=start_frame, sound_start_s=Fraction(late_samples, 16_000))
    make_film(path, spec, lambda index: portrait(0.3), lambda count, rate_hz: burst[:count])

    (row,) = rows_of(cut_tree(tmp_path / "tree", tmp_path / "store"))

    heard = sound_of(row)[MARGIN_SAMPLES:].astype(np.float64)
    place = int(correlate(heard, burst[6_400:7_200], mode="valid").argmax())
    assert abs(place - 6_400 - late_samples) <= 16  # 1 ms: containers keep a late start in ms


@pytest.mark.assets
def test_where_the_face_is_gone_one_stretch_ends_and_another_begins(tmp_path: Path) -> None:
    (shard,) = one_clip(tmp_path, draw=hiding(range(8, 10)))

    assert [(row["first_frame"], row["num_frames"]) for row in rows_of([shard])] == [(0, 8), (10, 10)]
    (fact,) = shard["facts"]
    assert (fact["num_stretches"], fact["num_face_frames"], fact["num_frames"]) == (2, 18, NUM_FRAMES)


@pytest.mark.assets
def test_a_face_that_is_never_there_for_five_frames_is_none(tmp_path: Path) -> None:
    (shard,) = one_clip(tmp_path, draw=hiding(set(range(NUM_FRAMES)) - {3, 4, 5, 6}))

    assert shard["facts"][0]["reason"] == "no_face"
    assert "in 4 of 20 frames" in shard["facts"][0]["detail"]
    assert (shard["shard_key"], shard["num_rows"]) == (None, 0)


def hiding(hidden: range | set[int]) -> Draw:
    """A portrait that is grey in some frames."""
    grey = np.full((224, 224, 3), 110, np.uint8)

    def draw(index: int) -> NDArray[np.uint8]:
        return grey if index in hidden else portrait(0.3)

    return draw


@pytest.mark.assets
def test_the_published_crop_is_the_fixed_box_squashed(tmp_path: Path) -> None:
    talking_clip(tmp_path / "tree/mp4/id00001/a/00001.mp4", [0.4] * 8)
    config = CutConfig(crop=TrainingCrop.PUBLISHED)
    (row,) = rows_of(cut_tree(tmp_path / "tree", tmp_path / "store", config))

    pictures = decode_pictures(row["pictures"])
    whole = portrait(0.4)[0:158, 50:174]  # published: rows 0-157, columns 50-173 of 224 px
    assert pictures.shape == (8, PUBLISHED_SIZE_PX, PUBLISHED_SIZE_PX, 3)
    truth = cv2.resize(whole, (128, 128), interpolation=cv2.INTER_LINEAR).astype(np.float64)
    assert np.abs(pictures[4] - truth).mean() < 4  # of 255: H.264 and JPEG
    left, right = mouths_of(row)[4, :2]
    assert left == pytest.approx([(151.3 * 224 / 384 - 50) * 128 / 124, 239.0 * 224 / 384 * 128 / 158], abs=4)
    assert right == pytest.approx([(230.2 * 224 / 384 - 50) * 128 / 124, 243.6 * 224 / 384 * 128 / 158], abs=4)


@pytest.mark.assets
def test_a_judge_says_how_far_off_a_clip_is_in_whole_frames(tmp_path: Path) -> None:
    path = tmp_path / "judge.safetensors"
    digest = write_weights(path, Header(kind=Kind.JUDGE, config={}, lineage={}), Judge().state_dict())
    talking_clip(tmp_path / "tree/mp4/id00001/a/00001.mp4", openings(8))

    cut = cut_tree(tmp_path / "tree", tmp_path / "store", judge_path=str(path), judge_digest=digest)

    (fact,) = cut[0]["facts"]
    assert fact["judge"] == digest
    assert fact["av_offset_ms"] % 40 == 0
    assert fact["sync_confidence"] >= 0


@pytest.mark.assets
def test_the_same_bytes_are_cut_once_wherever_and_whenever_they_lie(
    tree: Path, cut: list[Row], tmp_path: Path
) -> None:
    store = tmp_path / "store"
    shutil.copytree(Path(cut[0]["facts"][0]["shard_uri"]).parents[2], store)
    files = sorted(store.rglob("*"))
    moved = tmp_path / "moved"
    shutil.copytree(tree, moved)
    for path in moved.rglob("*.m*"):
        os.utime(path, (1, 1))

    again = cut_tree(moved, store)

    kept = [name for name in CUT_SHARD.names if name not in ("seen_key", "clips", "facts")]
    assert [[shard[name] for name in kept] for shard in again] == [[shard[name] for name in kept] for shard in cut]
    assert facts_of(again)["alpha/00001"]["picture_uri"].startswith(str(moved))
    grown = [path for path in sorted(store.rglob("*")) if path not in files and path.is_file()]
    assert all(path.read_bytes()[:1] == b"{" for path in grown)  # notes of what was seen, no tables


@pytest.mark.assets
def test_a_file_that_cannot_be_read_is_tried_again_when_it_can(tmp_path: Path) -> None:
    path = talking_clip(tmp_path / "tree/mp4/id00001/a/00001.mp4", openings(NUM_FRAMES))
    away = path.rename(tmp_path / "away.mp4")
    path.symlink_to(tmp_path / "gone.mp4")

    (lost,) = cut_tree(tmp_path / "tree", tmp_path / "store")
    path.unlink()
    away.rename(path)
    (found,) = cut_tree(tmp_path / "tree", tmp_path / "store")

    assert (lost["facts"][0]["reason"], lost["facts"][0]["digest"]) == ("undecodable", "")
    assert found["facts"][0]["status"] == "ok"


def test_the_margin_beyond_a_sound_is_silent() -> None:
    sound = np.arange(1, 640 * 30 + 1, dtype=np.int16)

    part = with_margin(sound, first_frame=25, num_frames=5)

    assert len(part) == 5 * 640 + 2 * MARGIN_SAMPLES
    assert part[MARGIN_SAMPLES] == sound[25 * 640]
    assert part[0] == sound[25 * 640 - MARGIN_SAMPLES]
    assert not part[MARGIN_SAMPLES + 5 * 640 :].any()


def test_pauses_are_no_speech() -> None:
    loud = np.full(100, -70.0)
    loud[20:50] = -10

    assert spoken_spans(loud) == [(20 * 320, 50 * 320)]
