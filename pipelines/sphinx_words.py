"""Words of English that is known, found in its sound: PocketSphinx, an HMM of phones, which its wheel carries."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.timing import ANALYSIS_RATE_HZ

Floats = NDArray[np.float32]
Span = tuple[int, int]

FRAME_SAMPLES = ANALYSIS_RATE_HZ // 100
PCM_16_MAX = 32_767
SPELLINGS = {  # of what no dictionary has, names above all: near enough to be found between its neighbours
    "ch": "CH", "sh": "SH", "th": "TH", "ph": "F", "ck": "K", "ng": "NG", "qu": "K W", "ee": "IY", "ea": "IY",
    "oo": "UW", "ou": "AW", "ow": "OW", "ai": "EY", "ay": "EY", "oy": "OY", "oi": "OY", "er": "ER", "a": "AE",
    "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH", "j": "JH", "k": "K",
    "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T", "u": "AH",
    "v": "V", "w": "W", "x": "K S", "y": "Y", "z": "Z",
}  # fmt: skip
_SOUNDS = re.compile("|".join(sorted(SPELLINGS, key=len, reverse=True)))


def sphinx_spans(sound: Floats, words: Sequence[str]) -> list[Span] | None:
    """Where each word is said.

    Args:
        sound: [N] mono at 16 kHz, of these words and not much else.
        words: lower case, without punctuation.

    Returns:
        Half-open spans in samples, in steps of 10 ms, one a word; None where the words are not found in the sound, or
        one of them cannot be pronounced.
    """
    decoder, unheard = _decoder()
    if not words or not len(sound) or not all(_is_known(decoder, word) for word in words):
        return None
    pcm = np.round(np.clip(sound, -1, 1) * PCM_16_MAX).astype("<i2").tobytes()
    try:
        decoder.set_align_text(" ".join(words))
        decoder.set_cmn(unheard)  # what it heard before must not change what it finds
        decoder.start_utt()
        decoder.process_raw(pcm, full_utt=True)
        decoder.end_utt()
        found = [part for part in decoder.seg() or () if part.word[0] not in "<[+"]
    except RuntimeError:  # the sound ends before the words do
        return None
    if [re.sub(r"\(\d+\)$", "", part.word) for part in found] != list(words):
        return None
    return [(part.start_frame * FRAME_SAMPLES, (part.end_frame + 1) * FRAME_SAMPLES) for part in found]


def _is_known(decoder: Any, word: str) -> bool:
    """Whether a word can be pronounced; one that no dictionary has is pronounced by its letters."""
    if decoder.lookup_word(word) is None:
        if not re.fullmatch(r"[a-z']+", word) or not (phones := spelt(word)):
            return False
        decoder.add_word(word, phones, True)
    return True


def spelt(word: str) -> str:
    """The phones (ARPAbet) that the letters of a word stand for, more or less."""
    return " ".join(SPELLINGS[letters] for letters in _SOUNDS.findall(word))


@cache
def _decoder() -> tuple[Any, str]:
    """The decoder, and its cepstral mean before it has heard anything."""
    from pocketsphinx import Decoder

    decoder = Decoder(lm=None, samprate=ANALYSIS_RATE_HZ, loglevel="FATAL")
    return decoder, decoder.get_cmn(False)
