"""Words of many languages in phones of English, near enough to be found in their sound between their neighbours.

Epitran spells a word as it is spoken, in the International Phonetic Alphabet (Mortensen, Dalmia and Littell, "Epitran:
Precision G2P for many languages", LREC 2018); here each of its letters becomes the English phone that sounds most like
it. English itself has a dictionary (`sphinx_words`).
"""

import re
import unicodedata
from functools import cache
from typing import Any

from pipelines.media.language_code import primary_language

SPELLED = {  # Epitran's names of the languages that were tried (docs/lines.md)
    "ca": "cat-Latn",
    "cs": "ces-Latn",
    "de": "deu-Latn",
    "es": "spa-Latn",
    "fr": "fra-Latn",
    "hi": "hin-Deva",
    "hu": "hun-Latn",
    "id": "ind-Latn",
    "it": "ita-Latn",
    "nl": "nld-Latn",
    "pl": "pol-Latn",
    "pt": "por-Latn",
    "ro": "ron-Latn",
    "ru": "rus-Cyrl",
    "sv": "swe-Latn",
    "tr": "tur-Latn",
    "uk": "ukr-Cyrl",
}
ELIDED = {"fr": ("c'", "s'"), "it": ("c'", "ci")}  # a c that is soft, as no letter after it says: c'est, c'era
TIE, TILDE, CEDILLA = "\u0361", "\u0303", "\u0327"
_PHONES = {  # ARPAbet, and what sounds most like it in the International Phonetic Alphabet
    "AA": "a \u0251 \u0252",
    "AE": "\u00e6",
    "AH": "\u028c \u0250 \u0259 \u025a \u0264",
    "AO": "\u0254 o",
    "AW": "au a\u028a",
    "AY": "ai a\u026a",
    "EH": "\u025b",
    "ER": "\u025c \u00f8 \u0153 \u0275",
    "EY": "e ei e\u026a",
    "IH": "\u026a \u0268",
    "IY": "i",
    "OW": "o\u028a",
    "OY": "oi \u0254\u026a",
    "UH": "\u028a \u026f",
    "UW": "u y \u028f",
    "B": "b \u03b2",
    "CH": f"t{TIE}\u0283 t{TIE}\u0255 t{TIE}\u0282 \u0288{TIE}\u0282",
    "D": "d \u0256 \u027e",
    "D Y": "\u025f",
    "D Z": f"d{TIE}z",
    "DH": "\u00f0",
    "F": "f \u0278",
    "G": "g \u0261 \u0263",
    "HH": "h \u0266 x \u03c7",
    "JH": f"d{TIE}\u0292 d{TIE}\u0291 d{TIE}\u0290 \u0256{TIE}\u0290",
    "K": "k c q",
    "L": "l \u026b \u026d",
    "L Y": "\u028e",
    "M": "m",
    "N": f"n \u0273 {TILDE}",  # a nasal vowel is followed by one
    "N Y": "\u0272",
    "NG": "\u014b",
    "P": "p",
    "R": "r \u0279 \u027d \u0280 \u0281",
    "S": "s",
    "SH": "\u0283 \u0255 \u0282 \u00e7",
    "T": "t \u0288",
    "T S": f"t{TIE}s",
    "TH": "\u03b8",
    "V": "v \u028b",
    "W": "w \u0265",
    "Y": "j \u029d",
    "Z": "z",
    "ZH": "\u0292 \u0291 \u0290",
}
_SOUNDS = {sound: phones for phones, sounds in _PHONES.items() for sound in sounds.split()}
_SOUND = re.compile("|".join(sorted(map(re.escape, _SOUNDS), key=len, reverse=True)))


def spoken_language(tag: str) -> str | None:
    """The language whose words have English phones here; None of one that was not tried.

    Args:
        tag: BCP-47.
    """
    primary = primary_language(tag)
    return primary if primary in SPELLED else None


def english_phones(word: str, language: str) -> str:
    """The phones (ARPAbet) of a word, parted by spaces; none of one with digits, which nobody reads here.

    Args:
        word: lower case, without punctuation.
        language: as `spoken_language` names it.
    """
    if any(letter.isdigit() for letter in word):
        return ""
    elided, soft = ELIDED.get(language, ("", ""))
    spelled = soft + word.removeprefix(elided) if elided and word.startswith(elided) else word
    return nearest_phones(_speller(language).transliterate(spelled))


def nearest_phones(ipa: str) -> str:
    """The same for a word in the International Phonetic Alphabet; stress and length are left out."""
    plain = unicodedata.normalize("NFD", ipa).replace("c" + CEDILLA, "\u00e7")
    letters = "".join(letter for letter in plain if letter in (TIE, TILDE) or not _is_mark(letter))
    return " ".join(_SOUNDS[sound] for sound in _SOUND.findall(letters))


def _is_mark(letter: str) -> bool:
    return unicodedata.category(letter) in ("Mn", "Lm")


@cache
def _speller(language: str) -> Any:
    from epitran.simple import SimpleEpitran  # type: ignore[import-untyped]  # takes seconds: only who needs it pays

    return SimpleEpitran(SPELLED[language])  # what `Epitran` asks; that loads its tables twice more
