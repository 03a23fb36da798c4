"""Words of a known text, found in its sound: by CTC where that is wanted, by phones, and where none are, by Whisper.

What cannot be found has no words; nothing is spread evenly over a line to look like a time.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

import jiwer
import numpy as np
from numpy.typing import NDArray

from pipelines.ctc_words import ctc_language, ctc_spans
from pipelines.english_phones import spoken_language
from pipelines.media.language_code import primary_language
from pipelines.sphinx_words import FoundWord, Phone, sphinx_words
from pipelines.stage import Row
from pipelines.whisper_words import MAX_S, has_whisper, sure_text, whisper_language, whisper_spans, whisper_text
from schemas.timing import ANALYSIS_RATE_HZ

Floats = NDArray[np.float32]
Span = tuple[int, int]

PHONES = "pocketsphinx"  # a word's source
STEP = ANALYSIS_RATE_HZ // 100
MAX_EMPTY = 0.25  # of a line's words may have no length of their own
STRESS_MARK = "\u0301"
PAUSE_SHARE = 0.1  # of the loud parts: what is softer, by 20 dB, is a pause
SPACELESS = ("ja", "zh", "cmn", "yue", "th", "lo", "my", "km")  # written without spaces: their letters count as words


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text in its sound.

    Attributes:
        text: as it is written.
        start: first sample, at 16 kHz.
        end: first sample after it.
        source: what found it: ctc, pocketsphinx or whisper.
        phones: of a word that was found by them.
    """

    text: str
    start: int
    end: int
    source: str
    phones: list[Phone] | None = None


def written_words(text: str, language: str) -> list[str]:
    """The words of a text as they are written; what holds no letter and no digit is none.

    Args:
        text: of one line.
        language: BCP-47.
    """
    pieces = text if primary_language(language) in SPACELESS else text.split()
    return [piece for piece in pieces if plain_word(piece)]


def plain_word(word: str) -> str:
    """A word without case and punctuation, which are no sound; apostrophes within it stay."""
    return _without_signs(unicodedata.normalize("NFC", word).casefold())


def spelled_word(word: str, language: str) -> str:
    """The same with the letters of its language: in German ss is another sound than sz, in Turkish I has no dot."""
    letters = unicodedata.normalize("NFC", word)
    if language == "tr":
        letters = letters.replace("I", "\u0131").replace("\u0130", "i")
    return _without_signs(letters.lower())


def _without_signs(letters: str) -> str:
    return "".join(letter for letter in letters.replace("\u2019", "'") if _is_heard(letter)).strip("'")


def _is_heard(letter: str) -> bool:
    """Whether a letter belongs to the sound of a word: vowel signs do, stress marks and punctuation do not."""
    is_sign = unicodedata.category(letter) in ("Mn", "Mc") and letter != STRESS_MARK
    return letter.isalnum() or letter == "'" or is_sign


def align_words(sound: Floats, text: str, language: str, ctc: bool = False) -> list[Word]:
    """Where each word of a text is said; none where it is not found.

    Args:
        sound: [N] mono at 16 kHz, of the text and not much else, at most 30 s.
        text: what is said.
        language: BCP-47.
        ctc: CTC is asked first, where it knows the language.

    Raises:
        AssetUnavailableError: CTC is wanted, and its weights cannot be had.
    """
    written = written_words(text, language)
    if not written or len(sound) > MAX_S * ANALYSIS_RATE_HZ:
        return []
    if ctc and (known := ctc_language(language)):
        found = ctc_spans(sound, [plain_word(word) for word in written], known)
        if found:
            return [Word(word, *span, "ctc") for word, span in zip(written, found, strict=True)]
    if spoken := "en" if primary_language(language) == "en" else spoken_language(language):
        parts = [(place, part) for place, word in enumerate(written) for part in _parts(word, spoken)]
        if said := sphinx_words(sound, [part for _, part in parts], spoken):
            return _joined(written, [place for place, _ in parts], said)
    name = whisper_language(language) if has_whisper() else None
    spans = whisper_spans(sound, written, name) if name else None
    heard = heard_from(sound, spans or [])
    if sum(end <= start for start, end in heard) > MAX_EMPTY * len(heard):
        return []  # it is not in the sound
    return [Word(word, *span, "whisper") for word, span in zip(written, heard, strict=bool(heard))]


def hear_words(sound: Floats, language: str) -> str | None:
    """What is heard in a sound of at most 30 s; None where nothing here understands the language.

    Args:
        sound: [N] mono at 16 kHz.
        language: BCP-47.
    """
    name = whisper_language(language) if has_whisper() else None
    return whisper_text(sound, name) if name else None


def recognise_text(sound: Floats, language: str) -> str | None:
    """The same, without what Whisper itself is unsure of."""
    name = whisper_language(language) if has_whisper() else None
    return sure_text(sound, name) if name else None


def word_error_rate(expected: str, heard: str, language: str) -> float | None:
    """Words that are missing, other or too many, a word expected; None where none is expected.

    Args:
        expected: what is to be said.
        heard: what was heard.
        language: BCP-47; of languages that are written without spaces, letters are counted.
    """
    wanted, found = (
        " ".join(plain_word(word) for word in written_words(text, language)) for text in (expected, heard)
    )
    return float(jiwer.wer(wanted, found)) if wanted else None


def word_row(word: Word) -> Row:
    """A word as rows have it; its times are still those of the sound in which it was found."""
    return asdict(word)


def moved_word(word: Row, samples: int) -> Row:
    """A word, as `word_row` has it, and its phones so many samples later."""
    phones = word["phones"] and [_moved(phone, samples) for phone in word["phones"]]
    return _moved(word, samples) | {"phones": phones}


def text_within(passages: Sequence[Row], span: Span) -> str | None:
    """What of passages is said in a span: from words that begin in it to the next; None of nothing.

    Args:
        passages: each with start, text and words; of one whose words have no times all of it is said at its start.
        span: half-open, in samples, as they have them.
    """
    said = [[part for start, part in _timed(passage) if span[0] <= start < span[1]] for passage in passages]
    return " ".join(" ".join("".join(parts) for parts in said).split()) or None


def _timed(passage: Row) -> list[tuple[int, str]]:
    """When each part of a text is said, a word with what follows it; nothing is left out."""
    text, words, firsts, reached = passage["text"] or "", passage["words"], list[int](), 0
    for word in words:
        firsts.append(text.index(word["text"], reached))
        reached = firsts[-1] + len(word["text"])
    starts = [word["start"] for word in words] or [passage["start"]]
    return list(
        zip(starts, (text[first:after] for first, after in pairwise([0, *firsts[1:], len(text)])), strict=True)
    )


def _moved(part: Row, samples: int) -> Row:
    return part | {"start": part["start"] + samples, "end": part["end"] + samples}


def heard_from(sound: Floats, spans: Sequence[Span]) -> list[Span]:
    """Spans none of which begins in the pause before its word, to which attention likes to reach back.

    Args:
        sound: [N] mono at 16 kHz.
        spans: half-open, of words one after another.
    """
    steps = np.pad(sound, (0, -len(sound) % STEP)).reshape(-1, STEP)
    level = np.sqrt(np.square(steps, dtype=np.float64).mean(1))
    loud = level > PAUSE_SHARE * np.percentile(level, 95)
    moved = []
    for start, end in spans:
        first, last = start // STEP, max(end // STEP, start // STEP)
        heard = np.flatnonzero(loud[first:last])
        begin = start if not len(heard) or heard[0] == 0 else (first + int(heard[0])) * STEP
        moved.append((begin, max(end, begin)))
    return moved


def _parts(word: str, language: str) -> list[str]:
    """What of a written word is said as words: both halves of one with a hyphen."""
    parts = re.split(r"[-\u2010-\u2015/]", word)
    plain = [plain_word(part) if language == "en" else spelled_word(part, language) for part in parts]
    return [part for part in plain if part]


def _joined(written: list[str], places: list[int], parts: list[FoundWord]) -> list[Word]:
    """Words of their parts."""
    found = []
    for place, word in enumerate(written):
        own = [part for at, part in zip(places, parts, strict=True) if at == place]
        inner = [part.phones or [] for part in own]
        phones = [phone for some in inner for phone in some] if all(inner) else None
        found.append(Word(word, own[0].start, own[-1].end, PHONES, phones))
    return found
