"""Sample n is what its number says: five frames after one another, their sound, another's, and a frame elsewhere."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from diff2lip.config import CropConfig, SoundWindow, small_model, whole_face
from diff2lip.mel import SILENCE
from pipelines.clip_filter import ClipThresholds
from pipelines.storage import ObjectStore
from pipelines.stretch_index import BrokenRowError, HeldOut, stretch_index
from pipelines.training_window import TRAINING_WINDOW
from pipelines.training_windows import (
    DrawWindows,
    WindowConfig,
    WindowSource,
    as_windows,
    draw_places,
    frame_start,
    shifted,
)
from pipelines.window_change import ChangeConfig
from tests.training_sets import NUM_FRAMES, clip_facts, loud_at, make_training_set, talking_set, utterance

CONFIG = WindowConfig(crop=whole_face(64), picture=TRAINING_WINDOW)
CHANGED = replace(CONFIG, change=ChangeConfig(picture=1.0, pose=1.0, sound=1.0, mirror=0.5))


@pytest.fixture(scope="module", name="stretches")
def _stretches(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    data = talking_set(tmp_path_factory.mktemp("set"))
    return stretch_index(data, ClipThresholds(), HeldOut(share=0.5))[0]


def frame_numbers(pixels: np.ndarray) -> list[int]:
    """What green says."""
    return [round(float(one[..., 1].mean()) / 5) for one in pixels]


@pytest.mark.parametrize("config", [CONFIG, CHANGED], ids=["as published", "changed"])
def test_a_sample_is_the_same_whatever_is_drawn_beside_it(stretches: pa.Table, config: WindowConfig) -> None:
    whole = WindowSource(stretches, config).draw(range(12))
    other = WindowSource(stretches, config)
    other.draw([50, 3])  # whatever came before

    again = other.draw([7, 8])

    for name, values in again.items():
        np.testing.assert_array_equal(values, whole[name][7:9])


def test_five_frames_follow_one_another_and_the_reference_is_of_the_same_face_elsewhere(stretches: pa.Table) -> None:
    samples = WindowSource(stretches, CONFIG).draw(range(60))

    for target, reference in zip(samples["target"], samples["reference"], strict=True):
        numbers = frame_numbers(target)
        assert numbers == list(range(numbers[0], numbers[0] + 5))
        assert frame_numbers(reference[None])[0] not in numbers
        assert round(float(reference[..., 0].mean())) == round(float(target[..., 0].mean()))


def test_stretches_are_drawn_by_their_length_and_several_windows_come_from_each(stretches: pa.Table) -> None:
    samples = WindowSource(stretches, CONFIG).draw(range(400))
    who = np.rint(samples["target"][:, 0, 0, 0, 0] / 20).astype(int)

    assert all(len(set(who[first : first + 4])) == 1 for first in range(0, 400, 4))
    counts = np.bincount(who[::4], minlength=8)
    assert counts.min() > 2  # 100 draws of 8: a count of 12.5 with a deviation of 3.3
    assert counts.max() < 26


def test_a_crop_shows_its_part_of_the_face(stretches: pa.Table) -> None:
    (target,) = WindowSource(stretches, CONFIG).draw([0])["target"][:, 0]
    crop = CONFIG.crop

    across = (np.arange(64) + 0.5) / 64 * crop.width + crop.left
    wanted = (across - TRAINING_WINDOW.left) / TRAINING_WINDOW.width * TRAINING_WINDOW.size_px - 0.5
    np.testing.assert_allclose(target[32, :, 2], wanted, atol=1)  # blue rises by one a pixel of the picture


def test_what_is_heard_is_what_was_loud_when_the_frames_were_shown(tmp_path: Path) -> None:
    rows = [utterance(0, loud_at([20])), utterance(4, loud_at([20], late_samples=1280))]
    facts = [clip_facts(0), clip_facts(4, av_offset_ms=80.0, sync_confidence=6.0)]
    index, _ = stretch_index(make_training_set(tmp_path, rows, facts), ClipThresholds(), HeldOut(share=0.5))
    assert sorted(index.column("held_out").to_pylist()) == [False, True]

    samples = WindowSource(index, CONFIG).draw(range(200))

    for number in range(200):
        first = frame_numbers(samples["target"][number])[0]
        loud = [bool((mel > -2).any()) for mel in samples["mel"][number]]
        near = [abs(first + place - 20) for place in range(5)]
        # A window reaches half of 200 ms, two and a half frames, to both sides, and a step hears 50 ms.
        assert all(heard for heard, away in zip(loud, near, strict=True) if away <= 2)
        assert not any(heard for heard, away in zip(loud, near, strict=True) if away >= 5)
        assert bool((samples["sync_mel"][number] > -2).any()) or not 0 <= 20 - first < 4


def test_the_loudest_step_lies_where_it_should_in_a_window_of_either_rule() -> None:
    # 20 frames are 64 steps; a margin of 64 steps lies before the first frame.
    assert frame_start(20, SoundWindow.CENTRED) == 64 + 64 - 8
    assert frame_start(20, SoundWindow.PUBLISHED) == 64 + 60  # floor(3.2 * 19)


def test_other_sound_is_of_frames_that_are_none_of_the_five() -> None:
    for seed in range(300):
        first, other, elsewhere = draw_places(15, np.random.default_rng(seed))
        assert 0 <= first <= 10
        assert 0 <= other <= 10
        assert abs(first - other) >= 5
        assert 0 <= elsewhere < 15
        assert not first <= elsewhere < first + 5


@pytest.mark.parametrize("lead", [-3, 0, 2])
def test_late_sound_is_taken_back_and_early_sound_held(lead: int) -> None:
    sound = np.arange(1, 11, dtype=np.float32)

    moved = shifted(sound, lead)

    wanted = [sound[index + lead] if 0 <= index + lead < 10 else 0 for index in range(10)]
    assert moved.tolist() == wanted


def test_changes_change_pictures_and_sound(stretches: pa.Table) -> None:
    plain = WindowSource(stretches, CONFIG).draw(range(4))
    changed = WindowSource(stretches, CHANGED).draw(range(4))

    assert (plain["mel"] == SILENCE).mean() > 0.2
    assert (changed["mel"] == SILENCE).mean() < 0.05  # there is a room
    assert np.abs(changed["target"].astype(int) - plain["target"]).mean() > 3


def test_frames_of_a_window_are_changed_alike(stretches: pa.Table) -> None:
    changed = WindowSource(stretches, CHANGED).draw(range(8))

    for target in changed["target"]:
        steps = np.diff(target.astype(int), axis=0)
        # Only green tells the frames apart: what differs between neighbours is smooth, or nothing.
        assert np.abs(steps[1:] - steps[:-1]).mean() < 4


def test_blocks_become_a_batch_in_order(stretches: pa.Table, tmp_path: Path) -> None:
    uri = ObjectStore(str(tmp_path)).put_table("cd" * 32, stretches)
    draw = DrawWindows(uri, CONFIG, block_size=3)

    block = draw({"block": np.array([2, 3])})
    windows = as_windows({name: torch.from_numpy(values) for name, values in block.items()})

    assert windows.ids.tolist() == [6, 7, 8, 9, 10, 11]
    assert windows.target.shape == (6, 5, 3, 64, 64)
    assert windows.mel.shape == (6, 5, 80, 16)
    assert windows.other_mel.shape == windows.sync_mel.shape == (6, 1, 80, 16)
    assert -1 <= float(windows.target.min()) < float(windows.target.max()) <= 1


@pytest.mark.parametrize("crop", [whole_face(128), small_model().crop], ids=["whole face", "small"])
def test_what_models_look_at_lies_in_the_pictures(crop: CropConfig) -> None:
    assert TRAINING_WINDOW.left < crop.left
    assert crop.left + crop.width < TRAINING_WINDOW.left + TRAINING_WINDOW.width
    assert TRAINING_WINDOW.top < crop.top
    assert crop.top + crop.width < TRAINING_WINDOW.top + TRAINING_WINDOW.width


def broken_set(folder: Path, identities: range) -> pa.Table:
    """Eight identities of which some have a picture that is none, or too little sound."""
    rows = [utterance(number, loud_at([])) for number in range(8)]
    for number in identities:
        rows[number] |= {"pictures": [b"no jpeg"] * NUM_FRAMES} if number % 2 else {"sound": b"\0\0"}
    data = make_training_set(folder, rows, [clip_facts(number) for number in range(8)])
    return stretch_index(data, ClipThresholds(), HeldOut(share=0.5))[0]


def test_a_broken_row_costs_its_own_samples_alone(tmp_path: Path) -> None:
    samples = WindowSource(broken_set(tmp_path, range(3)), CONFIG).draw(range(80))

    who = np.rint(samples["target"][:, 0, 0, 0, 0] / 20).astype(int)
    assert samples["ids"].tolist() == list(range(80))
    assert set(who) == set(range(3, 8))


def test_shards_that_are_lost_or_damaged_while_it_learns_cost_their_own_samples_alone(tmp_path: Path) -> None:
    data = talking_set(tmp_path)
    index = stretch_index(data, ClipThresholds(), HeldOut(share=0.5))[0]
    source = WindowSource(index, CONFIG)
    gone, damaged = (Path(data.uri(shard)) for shard in data.shards[:2])
    gone.unlink()
    content = damaged.read_bytes()
    damaged.write_bytes(b"\xff" * (len(content) * 3 // 4) + content[len(content) * 3 // 4 :])

    samples = source.draw(range(80))

    who = np.rint(samples["target"][:, 0, 0, 0, 0] / 20).astype(int)
    assert set(who) == set(range(2, 8))


def test_a_set_of_broken_rows_ends_by_name(tmp_path: Path) -> None:
    with pytest.raises(
        BrokenRowError, match=r"sample 0: 8 stretches in turn are broken: .*(cannot be decoded|bytes of)"
    ):
        WindowSource(broken_set(tmp_path, range(8)), CONFIG).draw([0])


def test_wrong_settings_are_refused() -> None:
    settings: dict[str, Any] = {"crop": whole_face(64), "picture": TRAINING_WINDOW}
    with pytest.raises(ValueError, match="windows_per_stretch"):
        WindowConfig(**settings, windows_per_stretch=0)
    with pytest.raises(ValueError, match="mirror"):
        ChangeConfig(mirror=2)
    with pytest.raises(ValueError, match="min_frames"):
        HeldOut(min_frames=5)
    assert HeldOut().min_frames <= NUM_FRAMES
