"""Reading aloud: sentences of frequent words in the voices of three synthesisers, phone times known."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jobs.training_kokoro import KokoroSpeech
from jobs.training_speech import SAMPLE_RATE_HZ, EspeakSpeech, Utterance, flite_speech
from jobs.training_text import frequent_words, sentence
from jobs.training_voices import ESPEAK_PLAN, FLITE_SECONDS, HELD_VOICES, KOKORO_PLAN, WORDFREQ


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice of a synthesiser, what it reads, and how much of it is wanted."""

    synthesiser: str  # flite, espeak or kokoro
    name: str
    language: str  # of the words
    spelling: str  # espeak-ng's name of the language, for kokoro
    weight: float

    @property
    def is_held_out(self) -> bool:
        """Whether it is never trained on."""
        return f"{self.synthesiser}-{self.name}".startswith(HELD_VOICES)


def voices() -> list[Voice]:
    """All voices, those held out too."""
    flite = [Voice("flite", name, "en", "", seconds) for name, seconds in FLITE_SECONDS.items()]
    espeak = [
        Voice("espeak", name, language, "", seconds / len(names.split()))
        for language, names, seconds in ESPEAK_PLAN
        for name in names.split()
    ]
    kokoro = [
        Voice("kokoro", name, language, spelling, seconds / len(names.split()))
        for language, spelling, names, seconds in KOKORO_PLAN
        for name in names.split()
    ]
    return [*flite, *espeak, *kokoro]


def read_aloud(packages: Path, voice: Voice, dice: random.Random, length_s: float) -> Iterator[Utterance]:
    """What a voice says until so many seconds are full.

    Args:
        packages: folder of the package archives.
        voice: who reads.
        dice: what is read, how fast and how high.
        length_s: the last sentence goes on beyond it.

    Raises:
        MissingPackageError: a package was not downloaded.
        SynthesiserError: a synthesiser is not installed.
    """
    words, so_far_s = _words(packages, voice.language), 0.0
    while so_far_s < length_s:
        spoken = _speak(packages, voice, sentence(words, dice), dice)
        so_far_s += len(spoken.wave) / SAMPLE_RATE_HZ
        yield spoken


def _speak(packages: Path, voice: Voice, text: str, dice: random.Random) -> Utterance:
    if voice.synthesiser == "flite":
        return flite_speech(text, voice.name, dice.uniform(0.85, 1.25))
    if voice.synthesiser == "espeak":
        return _espeak().speak(text, voice.name, dice.randint(130, 200), dice.randint(35, 65))
    return _kokoro(packages).speak(text, voice.name, voice.spelling, dice.uniform(0.85, 1.2))


@cache
def _words(packages: Path, language: str) -> list[str]:
    return frequent_words(packages / WORDFREQ, language)


@cache
def _espeak() -> EspeakSpeech:
    return EspeakSpeech()


@cache
def _kokoro(packages: Path) -> KokoroSpeech:
    return KokoroSpeech(packages)
