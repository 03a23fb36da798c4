"""Every clip of a tree is found once with its own sound, and a folder or list that is wrong says what is."""

from pathlib import Path

import pytest

from pipelines.clip_list import ClipListError, read_clip_list
from pipelines.vox_tree import VoxTreeError, clip_name, first_of_each_video, list_clips

CLIPS = ("id00001/alpha/00002", "id00001/alpha/00010", "id00001/beta/00001", "id00002/alpha/00001")


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    """Four clips in dev, one in test; one has its sound beside. Files are empty: nothing opens them."""
    for name in CLIPS:
        touch(tmp_path / "dev" / "mp4" / f"{name}.mp4")
    touch(tmp_path / "test" / "mp4" / "id00003/gamma/00001.mp4")
    touch(tmp_path / "dev" / "aac" / "id00001/beta/00001.m4a")
    touch(tmp_path / "dev" / "mp4" / "id00001/alpha/readme.txt")
    return tmp_path


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def names(clips: list[dict[str, str]]) -> list[str]:
    return [clip_name(clip) for clip in clips]


def test_both_splits_are_listed_in_order_with_the_sound_beside_a_clip(root: Path) -> None:
    clips = list_clips(root)

    assert names(clips) == [*(f"dev/{name}" for name in CLIPS), "test/id00003/gamma/00001"]
    beside = [clip["sound_uri"] for clip in clips]
    assert beside == [None, None, str(root / "dev/aac/id00001/beta/00001.m4a"), None, None]
    assert clips[0]["picture_uri"] == str(root / "dev/mp4/id00001/alpha/00002.mp4")


def test_a_single_split_needs_no_folder_of_its_own(root: Path) -> None:
    clips = list_clips(root / "dev")

    assert names(clips) == list(CLIPS)
    assert {clip["split"] for clip in clips} == {""}


def test_the_first_utterance_of_a_video_is_the_lowest_that_is_there(root: Path) -> None:
    first = names(first_of_each_video(list_clips(root)))

    assert first == [f"dev/{CLIPS[0]}", f"dev/{CLIPS[2]}", f"dev/{CLIPS[3]}", "test/id00003/gamma/00001"]


def test_a_folder_that_is_no_tree_says_what_was_expected_and_what_lies_there(tmp_path: Path) -> None:
    touch(tmp_path / "wav" / "id00001.wav")
    (tmp_path / "notes.txt").touch()

    with pytest.raises(VoxTreeError, match=r"expected ROOT/dev/mp4/id00012.* there lies notes\.txt, wav/"):
        list_clips(tmp_path)
    with pytest.raises(VoxTreeError, match="is no folder"):
        list_clips(tmp_path / "gone")


@pytest.mark.parametrize(
    "line",
    [CLIPS[1], f"{CLIPS[1]}.mp4", f"dev/{CLIPS[1]}", f"dev/mp4/{CLIPS[1]}.mp4", f"mp4/{CLIPS[1]}.mp4"],
)
def test_a_list_names_a_clip_in_any_of_the_usual_ways(root: Path, line: str) -> None:
    (root / "list.txt").write_text(f"\n{line}\n{CLIPS[1]}\n")

    assert names(read_clip_list(root / "list.txt", list_clips(root))) == [f"dev/{CLIPS[1]}"]


def test_all_lines_that_name_no_clip_are_told_at_once(root: Path) -> None:
    (root / "list.txt").write_text(f"id00009/gone/00001\n{CLIPS[0]}\ntest/{CLIPS[0]}\n")

    with pytest.raises(ClipListError) as told:
        read_clip_list(root / "list.txt", list_clips(root))

    words = str(told.value)
    assert "line 1: id00009/gone/00001 is not in the tree" in words
    assert f"line 3: test/{CLIPS[0]} is not in the tree" in words
    assert "line 2" not in words


def test_a_clip_in_both_splits_must_be_named_with_its_split(root: Path) -> None:
    touch(root / "test" / "mp4" / f"{CLIPS[0]}.mp4")
    (root / "list.txt").write_text(CLIPS[0])

    with pytest.raises(ClipListError, match="lies in both splits"):
        read_clip_list(root / "list.txt", list_clips(root))


def test_a_list_that_is_empty_or_gone_is_an_error(root: Path) -> None:
    (root / "list.txt").write_text("\n")

    with pytest.raises(ClipListError, match="names no clip"):
        read_clip_list(root / "list.txt", list_clips(root))
    with pytest.raises(ClipListError, match="there is no list"):
        read_clip_list(root / "gone.txt", list_clips(root))
