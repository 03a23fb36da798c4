"""How well the times of words are found, and what is heard of lines, against synthesisers that know.

    python -m benchmarks.words [--sentences 40]

Needs the Debian packages flite, espeak-ng and, for the last part, pocketsphinx-testdata. Truth: sentences spliced from
words that flite spoke one by one, so their borders are known; the word events of espeak-ng within its own sentences;
and, where nobody knows, what two aligners that share nothing say of read sentences (LibriVox).
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import wavfile

from jobs.training_speech import EspeakSpeech, flite_speech, level
from pipelines.whisper_words import whisper_language, whisper_spans
from pipelines.words import align_words, hear_words, heard_from, word_error_rate

Floats = NDArray[np.float32]
RATE = 16_000
VOICES = ("slt", "rms", "awb", "kal16")
SPLICED = re.findall(
    r"\w+",
    """again answer apple autumn basket bottle bridge butter castle coffee copper corner country dinner doctor dragon
    evening father finger forest garden ginger hammer harbour hidden island jacket kitchen ladder lemon letter market
    meadow metal minute monday mother number orange paper pencil people pocket quarter rabbit river sailor school
    silver sister summer table thunder ticket tomorrow under village water window winter yellow""",
)
SENTENCES = {
    "en-us": (
        "The old captain never told us why he left the harbour.",
        "Give me two more minutes and I will find your keys.",
        "She said that the doctor was already on his way to the village.",
    ),
    "es": (
        "El viejo capitan nunca nos dijo por que dejo el puerto.",
        "Dame dos minutos mas y voy a encontrar tus llaves.",
        "Ella dijo que el medico ya estaba en camino a la aldea.",
    ),
    "fr": (
        "Le vieux capitaine ne nous a jamais dit pourquoi il partait.",
        "Donne moi deux minutes de plus et je trouve tes clefs.",
    ),
    "de": (
        "Der alte Kapitän sagte uns nie warum er den Hafen verließ.",
        "Gib mir noch zwei Minuten und ich finde deine Schlüssel.",
    ),
    "it": (
        "Il vecchio capitano non ci disse mai perché lasciava il porto.",
        "Dammi ancora due minuti e trovo le tue chiavi.",
    ),
}
WORD_EVENT = 1
READ = Path("/usr/share/pocketsphinx/test/data/librivox")


class WordSpeech(EspeakSpeech):
    """espeak-ng, which also tells when each word begins."""

    def __init__(self) -> None:
        self.word_starts_s: list[float] = []
        super().__init__()

    def _receive(self, wave: Any, count: int, events: Any) -> int:
        index = 0
        while (event := events[index]).type:
            if event.type == WORD_EVENT:
                self.word_starts_s.append(event.sample / self._rate_hz)
            index += 1
        return super()._receive(wave, count, events)


def spliced(seed: int) -> tuple[Floats, list[str], list[float]]:
    """Eight words of one voice, one after another: sound, words, and where each begins in seconds."""
    rng = np.random.default_rng(seed)
    voice = VOICES[seed % len(VOICES)]
    words = [str(word) for word in rng.choice(SPLICED, 8, replace=False)]
    parts, starts, length = [np.zeros(RATE // 2, np.float32)], [], RATE // 2
    for word in words:
        spoken = _trimmed(flite_speech(word, voice, float(rng.uniform(0.8, 1.1))).wave)
        gap = np.zeros(int(rng.integers(0, RATE // 20)), np.float32)
        starts.append(length / RATE)
        parts += [spoken, gap]
        length += len(spoken) + len(gap)
    sound = np.concatenate([*parts, np.zeros(RATE // 2, np.float32)])
    return sound + 1e-3 * rng.standard_normal(len(sound)).astype(np.float32), words, starts


def errors(found: list[tuple[int, int]] | None, starts: list[float]) -> list[float]:
    """How late each word is found, in seconds; endlessly where it is not."""
    if not found or len(found) != len(starts):
        return [np.inf] * len(starts)
    return [span[0] / RATE - start for span, start in zip(found, starts, strict=True)]


def told(name: str, late: list[float]) -> None:
    """Print one line of figures."""
    away = np.abs(late)
    found = np.isfinite(away)
    shares = ", ".join(f"{1000 * most:.0f} ms {np.mean(away <= most):.3f}" for most in (0.06, 0.1, 0.2))
    middle = 1000 * float(np.median(np.array(late)[found])) if found.any() else float("nan")
    print(
        f"  {name}: {len(away)} words, {int((~found).sum())} not found; within {shares}; median {middle:+.0f} ms late"
    )


def report_spliced(sentences: int) -> None:
    """Sentences whose borders are known by construction."""
    by: dict[str, list[float]] = {"pocketsphinx": [], "whisper": []}
    for seed in range(sentences):
        sound, words, starts = spliced(seed)
        own = [(word.start, word.end) for word in align_words(sound, " ".join(words), "en")]
        by["pocketsphinx"] += errors(own, starts)
        by["whisper"] += errors(heard_from(sound, whisper_spans(sound, words, "en") or []), starts)
    print("sentences spliced of words of flite")
    for name, late in by.items():
        told(name, late)


def report_events() -> None:
    """Sentences of espeak-ng, in several languages."""
    print("sentences of espeak-ng, its own word events")
    speech = WordSpeech()
    for voice, sentences in SENTENCES.items():
        late, rates, source = [], [], ""
        for text in sentences:
            for speed in (140, 170):
                speech.word_starts_s.clear()
                sound = np.pad(speech.speak(text, voice, speed, 50).wave, RATE // 2)
                words = align_words(sound, text, voice[:2])
                source = words[0].source if words else source
                starts = list(speech.word_starts_s)
                if len(starts) == len(text.split()):  # it speaks some of them as one, and tells one event
                    late += errors([(word.start - RATE // 2, word.end) for word in words], starts)
                rates.append(word_error_rate(text, hear_words(sound, voice[:2]) or "", voice[:2]) or 0.0)
        told(f"{voice} by {source}", late)
        print(f"    word error rate of what Whisper hears: {np.mean(rates):.2f}")


def read_sentences() -> Iterator[tuple[Floats, str]]:
    """The LibriVox sentences and their texts."""
    for line in (READ / "transcription").read_text().splitlines():
        text, name = re.fullmatch(r"<s>(.*)</s>\s*\((.*)\)", line.strip()).groups()  # type: ignore[union-attr]
        rate_hz, wave = wavfile.read(READ / f"{name.strip()}.wav")
        yield level(wave, rate_hz), text.strip()


def report_read() -> None:
    """What two aligners say of real voices."""
    if not READ.is_dir():
        print("read sentences: not here (apt-get install pocketsphinx-testdata)")
        return
    late, rates = [], []
    for sound, text in read_sentences():
        name = whisper_language("en")
        assert name
        spans = heard_from(sound, whisper_spans(sound, text.split(), name) or [])
        late += errors(spans, [word.start / RATE for word in align_words(sound, text, "en")])
        rates.append(word_error_rate(text, hear_words(sound, "en") or "", "en") or 0.0)
    print(f"read sentences (LibriVox): word error rate {np.mean(rates):.2f}")
    told("whisper against pocketsphinx", late)


def _trimmed(wave: Floats) -> Floats:
    loud = np.flatnonzero(np.abs(wave) > 0.02)
    return wave[loud[0] : loud[-1] + 1]


def main(arguments: list[str]) -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=40)
    given = parser.parse_args(arguments)
    report_spliced(given.sentences)
    report_events()
    report_read()


if __name__ == "__main__":
    main(sys.argv[1:])
