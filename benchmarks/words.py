"""How well the times of words are found, and what is heard of lines, against synthesisers that know.

    python -m benchmarks.words [--sentences 40] [--packages PACKAGES]

Needs the Debian packages flite, espeak-ng and, for the last part, pocketsphinx-testdata. Truth: sentences spliced from
words that flite spoke one by one, so their borders are known; the word events of espeak-ng within its own sentences;
with the packages of `jobs.training_packages` the durations that Kokoro gives its own phones; and, where nobody knows,
what two aligners that share nothing say of read sentences (LibriVox). It ends with 1 where they do not agree, or too
few of the spliced words are found.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import wavfile

from benchmarks.claim import Claim, all_hold
from jobs.training_kokoro import KokoroSpeech
from jobs.training_speech import EspeakSpeech, flite_speech, level
from pipelines.whisper_words import whisper_language, whisper_spans
from pipelines.words import align_words, hear_words, heard_from, word_error_rate, written_words
from tests.shared_sound import music

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
SENTENCES = Path(__file__).with_name("word_sentences.json")  # by language; those that constants were chosen on apart
VOICES_BY = {"en": "en-us"}  # espeak-ng's name of a language, where it is another
KOKORO = {"de": "bf_emma", "en": "af_heart", "es": "em_santa", "fr": "ff_siwis", "it": "if_sara"}  # a voice for each
WORD_EVENT = 1
UNDER_MUSIC_DB = (20, 10, 0)  # how much softer it is than the words
MOST_LATE_S, LEAST_FOUND = 0.06, 0.9  # of words that were put where they are
MOST_APART_S, LEAST_AGREED = 0.1, 0.85  # of two aligners
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


def report_spliced(sentences: int, softer_db: float = np.inf) -> float:
    """Sentences whose borders are known by construction, under music that is so much softer; the share found."""
    by: dict[str, list[float]] = {"pocketsphinx": [], "whisper": []}
    for seed in range(sentences):
        sound, words, starts = spliced(seed)
        sound = _under_music(sound, softer_db, seed)
        own = [(word.start, word.end) for word in align_words(sound, " ".join(words), "en")]
        by["pocketsphinx"] += errors(own, starts)
        by["whisper"] += errors(heard_from(sound, whisper_spans(sound, words, "en") or []), starts)
    under = "" if np.isinf(softer_db) else f", under music {softer_db:.0f} dB softer"
    print(f"sentences spliced of words of flite{under}")
    for name, late in by.items():
        told(name, late)
    return float(np.mean(np.abs(by["pocketsphinx"]) <= MOST_LATE_S))


def _under_music(sound: Floats, softer_db: float, seed: int) -> Floats:
    if np.isinf(softer_db):
        return sound
    under = music(np.random.default_rng(1000 + seed), len(sound) / RATE)[: len(sound)]
    under = np.pad(under, (0, len(sound) - len(under)))
    return (sound + under * 10 ** (-softer_db / 20) * np.std(sound) / np.std(under)).astype(np.float32)


def sentences() -> Iterator[tuple[str, str, list[str]]]:
    """Language, what was done with them, and sentences."""
    for language, sets in json.loads(SENTENCES.read_text()).items():
        yield from ((language, use, texts) for use, texts in sets.items() if texts)


def report_events() -> None:
    """Sentences of espeak-ng, in several languages; English first, for after another it tells wrong events."""
    print("sentences of espeak-ng, its own word events")
    speech = WordSpeech()
    for language, use, texts in sentences():
        lines = [(text, *_with_events(speech, text, language, speed)) for text in texts for speed in (140, 170)]
        report_lines(f"{language} ({use})", language, lines)


def report_kokoro(packages: Path) -> None:
    """Sentences of Kokoro, the network's own durations."""
    print("sentences of Kokoro, its own durations in steps of 25 ms")
    speech = KokoroSpeech(packages)
    for language, use, texts in sentences():
        if voice := KOKORO.get(language):
            lines = [(text, *_padded(*speech.speak_words(text, voice, _voice(language), 0.95))) for text in texts]
            report_lines(f"{language} ({use})", language, lines)


def report_lines(name: str, language: str, lines: Sequence[tuple[str, Floats, list[float]]]) -> None:
    """How late words are found, as they would be found and by Whisper alone; and what is heard of their lines."""
    late, by_whisper, rates, sources = [], [], [], Counter[str]()
    known = whisper_language(language)
    for text, sound, starts in lines:
        rates.append(word_error_rate(text, hear_words(sound, language) or "", language) or 0.0)
        written = written_words(text, language)
        if len(starts) != len(written):  # it speaks some of them as one
            continue
        words = align_words(sound, text, language)
        sources.update(word.source for word in words)
        late += errors([(word.start, word.end) for word in words], starts)
        spans = whisper_spans(sound, written, known) if known else None
        by_whisper += errors(heard_from(sound, spans or []), starts)
    told(f"{name} by {', '.join(sources)}", late)
    told("    by Whisper", by_whisper)
    print(f"    word error rate of what Whisper hears: {np.mean(rates):.2f}")


def _with_events(speech: WordSpeech, text: str, language: str, speed: int) -> tuple[Floats, list[float]]:
    speech.word_starts_s.clear()
    wave = speech.speak(text, _voice(language), speed, 50).wave
    return _padded(wave, list(speech.word_starts_s))


def _padded(wave: Floats, starts: list[float]) -> tuple[Floats, list[float]]:
    """With half a second before and after."""
    return np.pad(wave, RATE // 2), [start + 0.5 for start in starts]


def _voice(language: str) -> str:
    return VOICES_BY.get(language, language)


def read_sentences() -> Iterator[tuple[Floats, str]]:
    """The LibriVox sentences and their texts."""
    for line in (READ / "transcription").read_text().splitlines():
        text, name = re.fullmatch(r"<s>(.*)</s>\s*\((.*)\)", line.strip()).groups()  # type: ignore[union-attr]
        rate_hz, wave = wavfile.read(READ / f"{name.strip()}.wav")
        yield level(wave, rate_hz), text.strip()


def apart_s(lines: Sequence[tuple[Floats, str]]) -> list[float]:
    """How much later Whisper finds each word of English sentences than PocketSphinx, in seconds."""
    late = []
    for sound, text in lines:
        spans = heard_from(sound, whisper_spans(sound, text.split(), "en") or [])
        late += errors(spans, [word.start / RATE for word in align_words(sound, text, "en")])
    return late


def report_read() -> float | None:
    """What two aligners say of real voices; the share of words in which they agree, None where the voices are not."""
    if not READ.is_dir():
        print("read sentences: not here (apt-get install pocketsphinx-testdata)")
        return None
    lines = list(read_sentences())
    rates = [word_error_rate(text, hear_words(sound, "en") or "", "en") or 0.0 for sound, text in lines]
    print(f"read sentences (LibriVox): word error rate {np.mean(rates):.2f}")
    late = apart_s(lines)
    told("whisper against pocketsphinx", late)
    return float(np.mean(np.abs(late) <= MOST_APART_S))


def _trimmed(wave: Floats) -> Floats:
    loud = np.flatnonzero(np.abs(wave) > 0.02)
    return wave[loud[0] : loud[-1] + 1]


def claims(found: float, agreed: float | None) -> list[Claim]:
    """What is promised of English.

    Args:
        found: share of words within `MOST_LATE_S` of where they were put.
        agreed: share of words in which two aligners agree within `MOST_APART_S`; None where there are none to read.
    """
    shares = [(f"words within {1000 * MOST_LATE_S:.0f} ms of where they were put", found, LEAST_FOUND)]
    if agreed is not None:
        shares.append((f"words in which two aligners agree within {1000 * MOST_APART_S:.0f} ms", agreed, LEAST_AGREED))
    return [Claim(about, f"{share:.3f}, at least {least}", share >= least) for about, share, least in shares]


def main(arguments: list[str]) -> int:
    """Run all parts; 1 where a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=40)
    parser.add_argument("--packages", type=Path, help="folder of jobs.training_packages, for Kokoro")
    given = parser.parse_args(arguments)
    found = report_spliced(given.sentences)
    for softer_db in UNDER_MUSIC_DB:
        report_spliced(given.sentences, softer_db)
    report_events()
    if given.packages:
        report_kokoro(given.packages)
    return 0 if all_hold(claims(found, report_read())) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
