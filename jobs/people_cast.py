"""The people of a film: faces and voices, and what their mouths do while they speak and while they do not."""

import random
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diff2lip.config import CropConfig
from jobs.people_scene import FilmedHead, Head, StillHead
from jobs.people_shot import Doing, PeopleShot, Turn
from jobs.portrait_clip import FRAME_RATE, MOST_OPEN, Portrait, head_sways, said
from jobs.training_archive import read_member
from jobs.training_reader import Voice, read_aloud, voices
from jobs.training_speech import SAMPLE_RATE_HZ, Utterance
from jobs.training_stills import WINDOW, decode, listed_stills
from pipelines.assets import asset_path
from pipelines.face_crop import crop_frame
from pipelines.face_detector import FaceDetector
from pipelines.face_frame import compose, face_affine, face_to_crop, invert
from pipelines.face_mesh import FaceMesh
from pipelines.media.published_frames import published_frames
from pipelines.viseme import viseme_track

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]
Shapes = NDArray[np.float32]  # [F, 2] opening and width of a mouth
Speech = list[tuple[Turn, Utterance]]

SMALLEST_PX = 60.0  # of a face frame's unit in a still: a smaller face is a blur in a film
CUT = CropConfig(size_px=512, left=-2.2, top=-1.95, width=4.4)  # of a still: all that is ever seen
CAST_SIZE = 4
FILMED = ("clip-single-face", "clip-wolfgang")  # real people who say nothing, by side
FILMED_FRAMES = 400  # the clip begins somewhere in them
ORIGINAL, DUB = "en", "es"
TREMOR = 0.01  # of a mouth that rests
CHEW_HZ, CHEW_OPENING, CHEW_WIDTH = (1.2, 1.8), 0.22, 0.4
LAUGH_HZ, LAUGH_S, LAUGH_OPENING, LAUGH_WIDTH = 5.0, 1.6, 0.5, 0.8
ALONG_LATE_S, ALONG_SHARE = 0.5, 0.4  # who mouths along comes late, and moves less


class Cast:
    """Four people of a film, each with a face and a voice, and one more voice that nobody sees."""

    def __init__(self, packages: Path, number: int) -> None:
        dice = random.Random(f"cast {number}")
        self._packages = packages
        stills = dice.sample([still for still in listed_stills() if _unit_px(still) >= SMALLEST_PX], CAST_SIZE)
        self._portraits = [still_portrait(packages, still) for still in stills]
        self._voices = {
            language: dice.sample([voice for voice in voices() if voice.language == language], CAST_SIZE + 1)
            for language in (ORIGINAL, DUB)
        }
        self._widest = [dice.uniform(*MOST_OPEN) for _ in range(CAST_SIZE)]

    def pair(self, place: int) -> tuple[int, int]:
        """Who is seen in a shot, from the left."""
        first = place % CAST_SIZE
        return first, (first + 1 + place // CAST_SIZE % (CAST_SIZE - 1)) % CAST_SIZE

    def speak(self, shot: PeopleShot, pair: tuple[int, int], language: str, dice: random.Random) -> Speech:
        """What is heard of each turn."""
        return [(turn, self._read(self._voice(turn, pair, language), turn, dice)) for turn in shot.turns]

    def head(self, shot: PeopleShot, person: int, member: int, speech: Speech, rng: np.random.Generator) -> Head:
        """The head of one of the people in a shot."""
        doing, count = shot.meanwhile[person], round(shot.length_s * FRAME_RATE)
        if doing is Doing.FILMED:
            return replace(filmed_head(FILMED[person]), first=int(rng.integers(FILMED_FRAMES)))
        others = [part for part in speech if part[0].who != person]
        shapes = idle_mouth(doing, count, others, rng)
        for turn, utterance in speech:
            if turn.who == person:
                first = round(turn.start_s * FRAME_RATE)
                spoken = viseme_track(utterance.phones, FRAME_RATE)[: round(turn.end_s * FRAME_RATE) - first]
                shapes[first : first + len(spoken)] = spoken * [self._widest[member], 1.0]
        return StillHead(self._portraits[member], shapes, head_sways(count, rng))

    def _voice(self, turn: Turn, pair: tuple[int, int], language: str) -> Voice:
        return self._voices[language][CAST_SIZE if turn.who is None else pair[turn.who]]

    def _read(self, voice: Voice, turn: Turn, dice: random.Random) -> Utterance:
        length_s = turn.end_s - turn.start_s
        return said(list(read_aloud(self._packages, voice, dice, length_s)), length_s)


def idle_mouth(doing: Doing, count: int, heard: Speech, rng: np.random.Generator) -> Shapes:
    """[F, 2] opening and width of somebody who does not speak.

    Args:
        doing: what the mouth does instead.
        count: frames.
        heard: what others say meanwhile.
        rng: when it begins, and how fast.
    """
    time_s = np.arange(count) / FRAME_RATE
    opening, width = np.abs(rng.normal(0, TREMOR, count)), np.zeros(count)
    if doing is Doing.CHEWS:
        pace = 2 * np.pi * (rng.uniform(*CHEW_HZ) * time_s + rng.uniform())
        opening += CHEW_OPENING * np.maximum(0, np.sin(pace)) ** 2
        width += CHEW_WIDTH * np.sin(pace / 2)
    if doing is Doing.LAUGHS:
        swell = np.exp(-(((time_s - rng.uniform(1.2, 3.5)) / (LAUGH_S / 2)) ** 4))
        opening += LAUGH_OPENING * swell * (0.75 + 0.25 * np.sin(2 * np.pi * LAUGH_HZ * time_s))
        width += LAUGH_WIDTH * swell
    shapes = np.stack([opening, width], 1).astype(np.float32)
    if doing is Doing.MOUTHS_ALONG:
        for turn, utterance in heard:
            first = round((turn.start_s + ALONG_LATE_S) * FRAME_RATE)
            along = viseme_track(utterance.phones, FRAME_RATE)[: max(0, count - first)]
            shapes[first : first + len(along)] += ALONG_SHARE * along
    return shapes


def mixed(speech: Speech, length_s: float) -> NDArray[np.float32]:
    """[N] at 16 kHz: all that is heard."""
    wave = np.zeros(round(length_s * SAMPLE_RATE_HZ), np.float32)
    for turn, utterance in speech:
        first = round(turn.start_s * SAMPLE_RATE_HZ)
        part = utterance.wave[: len(wave) - first]
        wave[first : first + len(part)] += part
    return wave


@cache
def filmed_head(asset: str) -> FilmedHead:
    """A real person out of a clip that is an asset."""
    frames = list(published_frames(asset_path(asset)))
    found = FaceDetector().detect([frames[0]])[0][0]
    seen = FaceMesh().found(frames[0], found.box, found.points[:2])
    return FilmedHead(frames, face_affine(seen.landmarks))


def still_portrait(packages: Path, still: dict[str, Any]) -> Portrait:
    """The still, cut down to what a film shows of it."""
    picture = decode(read_member(packages, still["archive"], still["file"]))
    window, mouth = np.array(still["window"]), np.array(still["mouth"])
    cut = compose(face_to_crop(CUT), compose(invert(face_to_crop(WINDOW)), window))
    return Portrait(crop_frame(picture, cut, CUT.size_px), compose(window, invert(cut)), mouth)


def _unit_px(still: dict[str, Any]) -> float:
    """Pixels of a face frame's unit in the picture itself."""
    return float(WINDOW.size_px / WINDOW.width / np.hypot(*still["window"][0][:2]))
