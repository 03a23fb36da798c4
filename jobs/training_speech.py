"""Synthetic speech whose phones and their times are known: flite and espeak-ng say when each phone is heard.

Both are Debian packages (`apt-get install flite espeak-ng`). espeak-ng is called through its library, which is
the only way to have its phoneme times.
"""

import ctypes
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import gcd
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import wavfile
from scipy.signal import resample_poly

from pipelines.viseme import phone_of_espeak

SAMPLE_RATE_HZ = 16_000
SPEECH_RMS = 0.08  # every utterance is brought to about -22 dBFS

Samples = NDArray[np.float32]
Phones = list[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Utterance:
    """Speech of one voice: [N] samples at 16 kHz, and its CMU phones with the second at which each ends."""

    voice: str
    wave: Samples
    phones: Phones


class SynthesiserError(RuntimeError):
    """A speech synthesiser is missing or failed."""


def level(wave: NDArray[np.floating], rate_hz: int) -> Samples:
    """The sound at 16 kHz and the level of `SPEECH_RMS`."""
    step = gcd(SAMPLE_RATE_HZ, rate_hz)
    even = resample_poly(wave.astype(np.float64), SAMPLE_RATE_HZ // step, rate_hz // step)
    levelled: Samples = (even * (SPEECH_RMS / max(float(even.std()), 1e-6))).clip(-1, 1).astype(np.float32)
    return levelled


def flite_speech(text: str, voice: str, stretch: float) -> Utterance:
    """Text read by flite (voices slt, awb, kal16, rms); `stretch` above 1 is slower.

    Raises:
        SynthesiserError: flite is not installed or refuses.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        command = [
            "flite",
            "-voice",
            voice,
            "-psdur",
            "--setf",
            f"duration_stretch={stretch}",
            "-t",
            text,
            "-o",
            str(path),
        ]
        try:
            told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            raise SynthesiserError(f"flite cannot speak, install it (apt-get install flite): {error}") from error
        rate_hz, wave = wavfile.read(path)
    phones = [(phone, float(end)) for phone, end in re.findall(r"(\S+?):([0-9.]+)", told)]
    return Utterance(f"flite-{voice}", level(wave, rate_hz), phones)


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("unique", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_PHONEME_EVENT, _PHONEME_EVENTS_WANTED, _RETRIEVAL = 7, 1, 1
_RATE, _PITCH = 1, 3  # espeak_PARAMETER
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class EspeakSpeech:
    """espeak-ng as a library; one per process, as the library holds one state."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL("libespeak-ng.so.1")
        except OSError as error:
            raise SynthesiserError(f"install espeak-ng (apt-get install espeak-ng): {error}") from error
        self._rate_hz = self._library.espeak_Initialize(_RETRIEVAL, 0, None, _PHONEME_EVENTS_WANTED)
        self._sound: list[NDArray[np.int16]] = []
        self._starts: list[tuple[str, float]] = []
        self._callback = _CALLBACK(self._receive)
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, voice: str, words_per_minute: int, pitch: int) -> Utterance:
        """Text read by a voice such as `es` or `en-us+f3`.

        Raises:
            SynthesiserError: there is no such voice.
        """
        if self._library.espeak_SetVoiceByName(voice.encode()):
            raise SynthesiserError(f"espeak-ng has no voice {voice}; `espeak-ng --voices` lists them")
        self._library.espeak_SetParameter(_RATE, words_per_minute, 0)
        self._library.espeak_SetParameter(_PITCH, pitch, 0)
        with self._collecting() as (sound, starts):
            encoded = text.encode()
            self._library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, 1, None, None)
            self._library.espeak_Synchronize()
        wave = np.concatenate(sound)
        return Utterance(f"espeak-{voice}", level(wave, self._rate_hz), _phones(starts, len(wave) / self._rate_hz))

    @contextmanager
    def _collecting(self) -> Iterator[tuple[list[NDArray[np.int16]], list[tuple[str, float]]]]:
        self._sound, self._starts = [], []
        yield self._sound, self._starts

    def _receive(self, wave: "ctypes._Pointer[ctypes.c_short]", count: int, events: "ctypes._Pointer[_Event]") -> int:
        if count and wave:
            self._sound.append(np.ctypeslib.as_array(wave, (count,)).astype(np.int16))
        index = 0
        while (event := events[index]).type:
            if event.type == _PHONEME_EVENT:
                name = bytes(event.id.string).split(b"\0")[0].decode()
                self._starts.append((name, event.sample / self._rate_hz))
            index += 1
        return 0


def _phones(starts: list[tuple[str, float]], end_s: float) -> Phones:
    """Phones with their ends from phonemes with their starts; what comes before the first is a pause."""
    names = ["pau", *(phone_of_espeak(name) for name, _ in starts)]
    ends = [*(start for _, start in starts), end_s]
    return list(zip(names, ends, strict=True))
