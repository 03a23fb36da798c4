"""Words of a known text and their phones, found in their sound by PocketSphinx.

It is an HMM of the phones of English, which its wheel carries. Words of other languages are given the nearest phones
of English. What they sound like then matters little: each is looked for between its neighbours.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.english_phones import english_phones
from schemas.timing import ANALYSIS_RATE_HZ

Floats = NDArray[np.float32]
Span = tuple[int, int]

FRAME_SAMPLES = ANALYSIS_RATE_HZ // 100
PCM_16_MAX = 32_767
LEAD_SAMPLES = round(0.016 * ANALYSIS_RATE_HZ)  # its words begin so much early: half a window, and what was measured
NO_WORD = "<[+"  # with which the decoder's names of silence and noise begin
HISS = (0.0, 0.01, 0.02, 0.03)  # of the loud parts: sound without any noise is unlike all that it learned from
SPELLINGS = {  # of what no dictionary has, names above all: near enough to be found between its neighbours
    "ch": "CH", "sh": "SH", "th": "TH", "ph": "F", "ck": "K", "ng": "NG", "qu": "K W", "ee": "IY", "ea": "IY",
    "oo": "UW", "ou": "AW", "ow": "OW", "ai": "EY", "ay": "EY", "oy": "OY", "oi": "OY", "er": "ER", "a": "AE",
    "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH", "j": "JH", "k": "K",
    "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T", "u": "AH",
    "v": "V", "w": "W", "x": "K S", "y": "Y", "z": "Z",
}  # fmt: skip
_SOUNDS = re.compile("|".join(sorted(SPELLINGS, key=len, reverse=True)))


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone of a word in its sound.

    Attributes:
        name: in ARPAbet.
        start: first sample, at 16 kHz.
        end: first sample after it.
    """

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FoundWord:
    """Where a word is said.

    Attributes:
        start: first sample, at 16 kHz.
        end: first sample after it.
        phones: one after another from its start to its end; None where they were not found within these.
    """

    start: int
    end: int
    phones: list[Phone] | None


def sphinx_words(sound: Floats, words: Sequence[str], language: str = "en") -> list[FoundWord] | None:
    """Where each word is said, and each of its phones.

    Args:
        sound: [N] mono at 16 kHz, of these words and not much else. Where they are not found, as in synthetic speech
            or behind a gate, they are looked for once more with a hiss under them.
        words: lower case, without punctuation.
        language: `en`, or one of `english_phones.spoken_language`.

    Returns:
        In steps of 10 ms, one a word; None where the words are not found in the sound, or one of them cannot be
        pronounced.
    """
    names = [name for word in words if (name := _name(word, language))]
    if not words or not len(sound) or len(names) < len(words):
        return None
    for heard in (_pcm(_hissing(sound, share)) for share in HISS):
        if spans := _found(heard, names):
            phones = _phones(heard)
            return [_word(span, phones.get(span), len(sound)) for span in spans]
    return None


def _word(span: Span, phones: list[tuple[str, Span]] | None, num_samples: int) -> FoundWord:
    """A word in samples of one in frames."""
    inner = [Phone(name, *_samples(own, num_samples)) for name, own in phones or []]
    return FoundWord(*_samples(span, num_samples), inner or None)


def _samples(span: Span, num_samples: int) -> Span:
    first, after = (min(LEAD_SAMPLES + edge * FRAME_SAMPLES, num_samples) for edge in span)
    return first, after


def _pcm(sound: Floats) -> bytes:
    return np.round(np.clip(sound, -1, 1) * PCM_16_MAX).astype("<i2").tobytes()


def _found(pcm: bytes, names: Sequence[str]) -> list[Span] | None:
    """Half-open spans in frames, one for each of the decoder's words."""
    decoder = _decoder()
    try:
        decoder.set_align_text(" ".join(names))
        _decode(pcm)
        found = [part for part in decoder.seg() or () if part.word[0] not in NO_WORD]
    except RuntimeError:  # the sound ends before the words do
        return None
    if [re.sub(r"\(\d+\)$", "", part.word) for part in found] != list(names):
        return None
    return [(part.start_frame, part.end_frame + 1) for part in found]


def _phones(pcm: bytes) -> dict[Span, list[tuple[str, Span]]]:
    """The phones of the words that were just found, by their span in frames, of a second search along the first path.

    That may lay a word a little elsewhere, and seldom finds none.
    """
    decoder = _decoder()
    try:
        decoder.set_alignment()
        _decode(pcm)
    except RuntimeError:
        return {}
    found = {}
    for word in decoder.get_alignment() or ():  # which frees what was passed: nothing of it may be kept
        if word.name[0] not in NO_WORD:
            span = (word.start, word.start + word.duration)
            found[span] = [(phone.name, (phone.start, phone.start + phone.duration)) for phone in word]
    return found


def _decode(pcm: bytes) -> None:
    decoder = _decoder()
    decoder.reinit_feat()  # what it heard before must not change what it finds
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()


def _hissing(sound: Floats, share: float) -> Floats:
    """The sound with white noise, a share of its loud parts; always the same."""
    if not share:
        return sound
    whole = sound[: max(FRAME_SAMPLES, len(sound) // FRAME_SAMPLES * FRAME_SAMPLES)]
    frames = np.resize(whole, (-(-len(whole) // FRAME_SAMPLES), FRAME_SAMPLES))
    loud = np.percentile(np.sqrt(np.square(frames, dtype=np.float64).mean(1)), 95)
    noise = np.random.default_rng(0).standard_normal(len(sound))
    return np.asarray(sound + share * loud * noise, np.float32)


def _name(word: str, language: str) -> str | None:
    """What the decoder calls a word, whose phones it then knows; None of one that cannot be pronounced."""
    decoder = _decoder()
    name = word if language == "en" else f"{language}:{word}"
    if decoder.lookup_word(name) is None:
        phones = spelt(word) if language == "en" else english_phones(word, language)
        if not phones:
            return None
        decoder.add_word(name, phones, True)
    return name


def spelt(word: str) -> str:
    """The phones (ARPAbet) that the letters of an English word stand for, more or less; none with others in it."""
    if not re.fullmatch(r"[a-z']+", word):
        return ""
    return " ".join(SPELLINGS[letters] for letters in _SOUNDS.findall(word))


@cache
def _decoder() -> Any:
    from pocketsphinx import Decoder

    return Decoder(lm=None, samprate=ANALYSIS_RATE_HZ, loglevel="FATAL")
