"""Makes a raw VoxCeleb2 tree of talking portraits and of the real talking clips that packages carry.

    python -m jobs.training_packages --packages FOLDER
    python -m jobs.portrait_tree --packages FOLDER --out ROOT [--clips 1] [--real 16]

What `diff2lip voxceleb2 ROOT` makes of it is what the shipped model is trained from. It needs flite and espeak-ng
(Debian packages). Every still of `training_stills.json` is an identity, idNNNNN by its place in the list, and says
something in a voice drawn from its id. Held out for good, in `test/`: the stills and voices that the list and
`training_voices.HELD_VOICES` name, the ends of both real clips, and a real speaker who comes nowhere else. Each clip
depends on its name alone, so a tree that was begun is gone on with.
"""

import argparse
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from jobs.portrait_clip import Portrait, said, talking_frames, write_clip
from jobs.real_clip import REAL_CLIPS, write_real_clip
from jobs.training_archive import read_member
from jobs.training_reader import read_aloud, voices
from jobs.training_speech import Utterance
from jobs.training_stills import decode, listed_stills

CLIP_S = 8.0


@dataclass(frozen=True, slots=True)
class Clip:
    """A portrait clip that is to be made."""

    still: dict[str, Any]
    identity: int
    utterance: int

    def path(self, root: Path) -> Path:
        """Where it lies in a tree."""
        split = "test" if self.still["held_out"] else "dev"
        return root / split / "mp4" / f"id{self.identity:05d}" / "portrait" / f"{self.utterance:05d}.mp4"


def clips(clips_a_still: int) -> list[Clip]:
    """The portrait clips of a tree."""
    stills = enumerate(listed_stills())
    return [Clip(still, number, utterance) for number, still in stills for utterance in range(1, clips_a_still + 1)]


def make_clip(packages: Path, root: Path, clip: Clip) -> str:
    """Write one portrait clip, unless it is there; returns its place in the tree."""
    path = clip.path(root)
    if not path.exists():
        spoken = said(list(_sentences(packages, clip)), CLIP_S)
        picture = decode(read_member(packages, clip.still["archive"], clip.still["file"]))
        portrait = Portrait(picture, np.array(clip.still["window"]), np.array(clip.still["mouth"]))
        rng = np.random.default_rng([clip.identity, clip.utterance])
        write_clip(path, talking_frames(portrait, spoken, rng), spoken.wave)
    return str(path.relative_to(root))


def _sentences(packages: Path, clip: Clip) -> Iterator[Utterance]:
    """What one voice says until the clip is full."""
    dice = random.Random(f"{clip.identity}/{clip.utterance}")
    known = [voice for voice in voices() if voice.is_held_out == clip.still["held_out"]]
    voice = dice.choices(known, [voice.weight for voice in known])[0]
    return read_aloud(packages, voice, dice, CLIP_S)


def _make(told: tuple[Path, Path, Clip]) -> str:
    return make_clip(*told)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Makes the tree that the shipped model is trained from.")
    parser.add_argument("--packages", type=Path, required=True, help="folder of the package archives")
    parser.add_argument("--out", type=Path, required=True, help="root of the tree")
    parser.add_argument("--clips", type=int, default=1, help="of each still")
    parser.add_argument("--real", type=int, default=16, help="views of each real clip that is learnt from")
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    for clip in REAL_CLIPS:
        for view in range(1, 1 + (chosen.real if clip.split == "dev" else 1)):
            print(write_real_clip(chosen.packages, chosen.out, clip, view), flush=True)
    told = [(chosen.packages, chosen.out, clip) for clip in clips(chosen.clips)]
    # Spawned: a child that is forked after films were read or written hangs.
    with ProcessPoolExecutor(chosen.processes, get_context("spawn")) as pool:
        for count, name in enumerate(pool.map(_make, told), start=1):
            print(f"{count} of {len(told)}: {name}", flush=True)


if __name__ == "__main__":
    main()
