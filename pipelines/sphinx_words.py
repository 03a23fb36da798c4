"""Words of a known text, found in their sound: PocketSphinx, an HMM of the phones of English, which its wheel carries.

Words of other languages are given the nearest phones of English. What they sound like then matters little: each is
looked for between its neighbours.
"""

import re
from collections.abc import Sequence
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
HISS = (0.0, 0.01, 0.02, 0.03)  # of the loud parts: sound without any noise is unlike all that it learned from
SPELLINGS = {  # of what no dictionary has, names above all: near enough to be found between its neighbours
    "ch": "CH", "sh": "SH", "th": "TH", "ph": "F", "ck": "K", "ng": "NG", "qu": "K W", "ee": "IY", "ea": "IY",
    "oo": "UW", "ou": "AW", "ow": "OW", "ai": "EY", "ay": "EY", "oy": "OY", "oi": "OY", "er": "ER", "a": "AE",
    "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH", "j": "JH", "k": "K",
    "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T", "u": "AH",
    "v": "V", "w": "W", "x": "K S", "y": "Y", "z": "Z",
}  # fmt: skip
_SOUNDS = re.compile("|".join(sorted(SPELLINGS, key=len, reverse=True)))


def sphinx_spans(sound: Floats, words: Sequence[str], language: str = "en") -> list[Span] | None:
    """Where each word is said.

    Args:
        sound: [N] mono at 16 kHz, of these words and not much else. Where they are not found, as in synthetic speech
            or behind a gate, they are looked for once more with a hiss under them.
        words: lower case, without punctuation.
        language: `en`, or one of `english_phones.spoken_language`.

    Returns:
        Half-open spans in samples, in steps of 10 ms, one a word; None where the words are not found in the sound, or
        one of them cannot be pronounced.
    """
    names = [name for word in words if (name := _name(word, language))]
    if not words or not len(sound) or len(names) < len(words):
        return None
    found = next((found for share in HISS if (found := _found(_hissing(sound, share), names))), None)
    if found is None:
        return None
    edges = [(LEAD_SAMPLES + np.array(span) * FRAME_SAMPLES).clip(max=len(sound)).tolist() for span in found]
    return [(start, end) for start, end in edges]


def _found(sound: Floats, names: Sequence[str]) -> list[Span] | None:
    """Half-open spans in frames, one for each of the decoder's words."""
    decoder, unheard = _decoder()
    pcm = np.round(np.clip(sound, -1, 1) * PCM_16_MAX).astype("<i2").tobytes()
    try:
        decoder.set_align_text(" ".join(names))
        decoder.set_cmn(unheard)  # what it heard before must not change what it finds
        decoder.start_utt()
        decoder.process_raw(pcm, full_utt=True)
        decoder.end_utt()
        found = [part for part in decoder.seg() or () if part.word[0] not in "<[+"]
    except RuntimeError:  # the sound ends before the words do
        return None
    if [re.sub(r"\(\d+\)$", "", part.word) for part in found] != list(names):
        return None
    return [(part.start_frame, part.end_frame + 1) for part in found]


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
    decoder, _ = _decoder()
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
def _decoder() -> tuple[Any, str]:
    """The decoder, and its cepstral mean before it has heard anything."""
    from pocketsphinx import Decoder

    decoder = Decoder(lm=None, samprate=ANALYSIS_RATE_HZ, loglevel="FATAL")
    return decoder, decoder.get_cmn(False)
