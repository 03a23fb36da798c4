"""What is learnt from passes the thresholds, and who is measured on is never learnt from."""

import errno
from pathlib import Path

import pytest

from pipelines.clip_filter import ClipThresholds
from pipelines.storage import write_object
from pipelines.stretch_index import (
    BrokenRowError,
    HeldOut,
    NoStretchesError,
    StretchReader,
    is_held_out,
    stretch_index,
)
from pipelines.training_set import TrainingSetError, open_training_set, write_training_set
from tests.training_sets import (
    NUM_FRAMES,
    STORE,
    clip_facts,
    clip_names,
    loud_at,
    make_training_set,
    talking_set,
    utterance,
)

HALF = HeldOut(share=0.5)


def test_every_stretch_of_a_clip_that_passes_is_there_once_and_held_out_by_its_identity(tmp_path: Path) -> None:
    index, reasons = stretch_index(talking_set(tmp_path), ClipThresholds(), HALF)

    rows = index.to_pylist()
    assert [row["identity"] for row in rows] == [f"id{number:05d}" for number in range(8)]
    assert all(row["held_out"] == is_held_out(row["identity"], 0.5) for row in rows)
    assert not reasons


def test_clips_that_fail_or_do_not_pass_are_counted_by_reason(tmp_path: Path) -> None:
    facts = [clip_facts(number) for number in range(6)]
    facts[0] |= {"face_height_px": 10.0}
    facts[1] |= {"yaw_deg": 80.0}
    facts[2] |= {"status": "failed", "reason": "no_face", "detail": "x", "shard_uri": None}
    rows = [utterance(number, loud_at([])) for number in range(6) if number != 2]

    index, reasons = stretch_index(make_training_set(tmp_path, rows, facts), ClipThresholds(), HALF)

    assert reasons == {"small_face": 1, "turned_away": 1, "no_face": 1}
    assert [row["identity"] for row in index.to_pylist()] == ["id00003", "id00004", "id00005"]


def test_a_trees_test_split_is_held_out_instead_of_a_share(tmp_path: Path) -> None:
    rows = [utterance(number, loud_at([])) for number in range(4)]
    rows[3] |= clip_names(3, "test")
    facts = [clip_facts(number) for number in range(4)]
    facts[3] |= clip_names(3, "test")

    index, _ = stretch_index(make_training_set(tmp_path, rows, facts), ClipThresholds(), HeldOut(share=0.99))

    assert [row["held_out"] for row in index.to_pylist()] == [False, False, False, True]


def test_an_offset_becomes_samples_that_are_taken_back(tmp_path: Path) -> None:
    facts = [clip_facts(number, av_offset_ms=-80.0, sync_confidence=5.0) for number in range(6)]
    rows = [utterance(number, loud_at([])) for number in range(6)]

    index, _ = stretch_index(make_training_set(tmp_path, rows, facts), ClipThresholds(), HALF)

    assert set(index.column("lead_samples").to_pylist()) == {-1280}


def test_shards_that_cannot_be_read_are_all_named(tmp_path: Path) -> None:
    data = talking_set(tmp_path, identities=3)
    first, second, _ = (Path(data.uri(shard)) for shard in data.shards)
    first.write_bytes(first.read_bytes()[:-100])
    second.unlink()

    with pytest.raises(TrainingSetError, match=rf"2 of 3 shards are gone or damaged(.|\n)*{first}(.|\n)*{second}"):
        stretch_index(data, ClipThresholds(), HALF)


def test_a_set_that_was_half_copied_is_named(tmp_path: Path) -> None:
    data = talking_set(tmp_path, identities=3)
    (tmp_path / "clips.parquet").unlink()

    with pytest.raises(TrainingSetError, match="holds no whole training set"):
        stretch_index(data, ClipThresholds(), HALF)


def test_an_error_that_may_pass_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the same number would be another sample after a network's hiccup."""
    data = talking_set(tmp_path, identities=3)

    def busy(uri: str) -> None:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr("pipelines.stretch_index.open_object", busy)
    with pytest.raises(OSError, match="input/output error"):
        StretchReader().read(data.uri(data.shards[0]), 0)


def test_a_set_of_which_nothing_is_left_says_what_was_left_out(tmp_path: Path) -> None:
    data = talking_set(tmp_path, identities=2)

    with pytest.raises(NoStretchesError, match="2 x small_face"):
        stretch_index(data, ClipThresholds(min_face_height_px=500), HALF)
    with pytest.raises(NoStretchesError, match="no stretch is held out"):
        stretch_index(data, ClipThresholds(), HeldOut(share=1e-9))


def test_who_is_held_out_stays_so_when_more_are() -> None:
    names = [f"id{number:05d}" for number in range(1000)]
    few, many = ({name for name in names if is_held_out(name, share)} for share in (0.05, 0.2))

    assert few < many
    assert 30 < len(few) < 70  # binomial: four standard deviations are 28


def test_a_reader_finds_rows_and_keeps_the_last_ones(tmp_path: Path) -> None:
    data = talking_set(tmp_path, identities=3)
    reader = StretchReader(cached=2)

    uris = [data.uri(shard) for shard in data.shards]
    first = reader.read(uris[0], 0)
    assert (first["identity"], first["num_frames"]) == ("id00000", NUM_FRAMES)
    assert reader.read(uris[0], 0) is first
    reader.read(uris[1], 0)
    reader.read(uris[2], 0)
    assert reader.read(uris[0], 0) is not first
    with pytest.raises(BrokenRowError, match=r"row 1 of .* has 1 rows"):
        reader.read(uris[0], 1)


def test_a_set_behind_a_uri_is_read_like_one_in_a_folder(tmp_path: Path) -> None:
    """In memory, as fsspec has it: no file of this machine."""
    local = talking_set(tmp_path)
    place = "memory://bucket/vox2"
    for shard in local.shards:
        write_object(f"{place}/{STORE}/objects/{shard.key[:2]}/{shard.key}", Path(local.uri(shard)).read_bytes())

    written = write_training_set(place, local.clips(), local.manifest)
    data = open_training_set(place)

    assert written == [f"{place}/clips.parquet", f"{place}/manifest.json"]
    assert data.digest == local.digest
    assert all(data.uri(shard).startswith("memory://") for shard in data.shards)
    index, there = (stretch_index(one, ClipThresholds(), HALF)[0] for one in (local, data))
    assert there.drop_columns("shard_uri") == index.drop_columns("shard_uri")
    assert StretchReader().read(data.uri(data.shards[0]), 0) == StretchReader().read(local.uri(local.shards[0]), 0)
