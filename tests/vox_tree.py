"""A small VoxCeleb2 tree of which everything is known: talking portraits of 224 px, and clips that are wrong."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tests.portraits import spoken_face, syllables, voice
from tests.synthetic import Draw, FilmSpec, Sound, make_film

SIDE_PX = 224  # of VoxCeleb2
NUM_FRAMES = 20
FRAME_RATE = 25.0
SPEC = FilmSpec(
    num_frames=NUM_FRAMES,
    cuts=(),
    width_px=SIDE_PX,
    height_px=SIDE_PX,
    sample_rate_hz=16_000,
    subtitle=None,
    chapters=False,
)


@cache
def portrait(opening: float) -> NDArray[np.uint8]:
    """[224, 224, 3] RGB: the astronaut with her mouth at an opening; for all who ask, so nobody may write into it."""
    small = cv2.resize(spoken_face(opening), (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    small.setflags(write=False)
    return np.asarray(small, np.uint8)


def openings(num_frames: int, first: int = 0) -> tuple[float, ...]:
    """Of a clip of syllables that begins at one of its frames."""
    return syllables(first + num_frames, FRAME_RATE)[first:]


def talking_clip(
    path: Path, said: Sequence[float], draw: Draw | None = None, sound: Sound | None = None, *, mute: bool = False
) -> Path:
    """Write a portrait that says something by known openings, with its voice inside unless it is mute."""
    spec = replace(SPEC, num_frames=len(said), languages=() if mute else SPEC.languages)
    path.parent.mkdir(parents=True, exist_ok=True)
    make_film(
        path,
        spec,
        draw or (lambda index: portrait(said[index])),
        sound or (lambda count, rate_hz: voice(said, FRAME_RATE, count, rate_hz)),
    )
    return path


def silence(count: int, rate_hz: int) -> NDArray[np.float32]:
    """[N] nothing."""
    return np.zeros(count, np.float32)


def move_sound_beside(picture: Path, sound: Path) -> None:
    """Take the sound out of a clip and put it into an .m4a, as VoxCeleb2 has it; no packet is changed."""
    sound.parent.mkdir(parents=True, exist_ok=True)
    whole = picture.rename(picture.with_suffix(".whole.mp4"))
    for path, kind in ((picture, "video"), (sound, "audio")):
        with av.open(str(whole)) as source, av.open(str(path), "w", format="mp4") as out:
            stream = getattr(source.streams, kind)[0]
            copy = out.add_stream_from_template(stream)
            for packet in source.demux(stream):
                if packet.dts is not None:
                    packet.stream = copy
                    out.mux(packet)
    whole.unlink()


def make_tree(root: Path) -> Path:
    """Write a tree of one split: ROOT/dev.

    id00001 talks in alpha (00001, 50 frames, and 00002), and in beta with the sound in aac/. Of id00002 nothing can be
    learnt: mute, silent, nobody, broken, short (three frames).
    """
    pictures, sounds = root / "dev" / "mp4", root / "dev" / "aac"
    talking_clip(pictures / "id00001/alpha/00001.mp4", openings(50))
    talking_clip(pictures / "id00001/alpha/00002.mp4", openings(NUM_FRAMES, 3))
    beside = talking_clip(pictures / "id00001/beta/00001.mp4", openings(NUM_FRAMES, 5))
    move_sound_beside(beside, sounds / "id00001/beta/00001.m4a")
    wrong, still = pictures / "id00002", openings(NUM_FRAMES)
    talking_clip(wrong / "mute/00001.mp4", still, mute=True)
    talking_clip(wrong / "silent/00001.mp4", still, sound=silence)
    talking_clip(wrong / "short/00001.mp4", still[:3])
    grey = np.full((SIDE_PX, SIDE_PX, 3), 110, np.uint8)
    talking_clip(wrong / "nobody/00001.mp4", still, draw=lambda index: grey)
    (wrong / "broken").mkdir()
    (wrong / "broken/00001.mp4").write_text("this is no film")
    return root
