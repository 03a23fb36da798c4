"""The raw VoxCeleb2 tree: which clips lie in it.

    ROOT/{dev,test}/mp4/id00012/21Uxsk56VDQ/00001.mp4     picture, and sound where it has any
    ROOT/{dev,test}/aac/id00012/21Uxsk56VDQ/00001.m4a     sound

or one split without its folder: ROOT/mp4 and ROOT/aac.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from pipelines.stage import Row

PICTURES, SOUNDS = "mp4", "aac"
PICTURE_SUFFIX, SOUND_SUFFIX = ".mp4", ".m4a"
SPLITS = ("dev", "test")
IDENTITY = re.compile(r"id\d+")
UTTERANCE = re.compile(r"\d+\.mp4")
EXPECTED = "ROOT/dev/mp4/id00012/VIDEO/00001.mp4 (dev or test), or ROOT/mp4/id00012/VIDEO/00001.mp4"
SHOWN_NAMES = 6


class VoxTreeError(ValueError):
    """A folder that is no VoxCeleb2 tree; says what was expected and what lies there."""


def list_clips(root: Path) -> list[Row]:
    """CLIP rows of all clips of a tree, by split, identity, video and utterance. No file is opened.

    Raises:
        VoxTreeError: there are none.
    """
    if not root.is_dir():
        raise VoxTreeError(f"{root} is no folder; expected {EXPECTED}")
    whole = [split for split in SPLITS if (root / split / PICTURES).is_dir()]
    clips = [clip for split in whole or [""] for clip in _clips_of(root.absolute(), split)]
    if not clips:
        raise VoxTreeError(f"{root} is no VoxCeleb2 tree: expected {EXPECTED}; there {_lies(root)}")
    return clips


def first_of_each_video(clips: list[Row]) -> list[Row]:
    """The first utterance of each video, as the paper takes them (section 4)."""
    videos = groupby(clips, key=lambda clip: (clip["split"], clip["identity"], clip["video"]))
    return [next(utterances) for _, utterances in videos]


def clip_name(clip: Row) -> str:
    """A clip's place in its tree, without the suffix."""
    return "/".join(part for part in (clip["split"], *_path_of(clip)) if part)


def _path_of(clip: Row) -> tuple[str, str, str]:
    return clip["identity"], clip["video"], clip["utterance"]


def _clips_of(root: Path, split: str) -> Iterator[Row]:
    pictures, sounds = root / split / PICTURES, root / split / SOUNDS
    for identity in _folders(pictures):
        for video in _folders(identity) if IDENTITY.fullmatch(identity.name) else ():
            for picture in sorted(path for path in video.iterdir() if UTTERANCE.fullmatch(path.name)):
                sound = sounds / identity.name / video.name / f"{picture.stem}{SOUND_SUFFIX}"
                yield {
                    "split": split,
                    "identity": identity.name,
                    "video": video.name,
                    "utterance": picture.stem,
                    "picture_uri": str(picture),
                    "sound_uri": str(sound) if sound.is_file() else None,
                }


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _lies(root: Path) -> str:
    """What lies in a folder, in words."""
    names = sorted(f"{path.name}/" if path.is_dir() else path.name for path in root.iterdir())
    if not names:
        return "lies nothing"
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return f"lies {', '.join(names[:SHOWN_NAMES])}{more}"
