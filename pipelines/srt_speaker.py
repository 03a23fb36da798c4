"""Who speaks a text of an SRT: a name before a colon, where it is written as scripts write names.

`París: una ciudad.` begins with a word and a colon too. So a name counts where it is all in capitals, as in
`DR. LÓPEZ: No.`, or leads several texts of the file.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

SEVERAL = 2  # texts that a name leads which is not all in capitals
MAX_NAME_WORDS = 4
_SOUND = "wav|w64|rf64|bwf|flac|aiff?|caf|mp3|m4a|aac|e?ac3|og[ga]|opus|wma|mka|mkv|mp4|mov|mxf|webm"  # endings
_FILE = r"\S*[^\s.]\.[a-z0-9]{2,5}"  # of any ending: whether it is a sound is seen when it is opened
_TAKE = re.compile(rf"take\s*:\s*({_FILE}|.*\.(?:{_SOUND}))\s*", re.IGNORECASE)
_TAGS = re.compile(r"</?(?:[ibu]|font)\b[^<>]*>|\{\\[^{}]*\}", re.IGNORECASE)
_LED = re.compile(r"(?:[-\u2010-\u2015]\s*)?([^\s:][^:]{0,79}):\s+(\S.*)")
_DASH = re.compile(r"[-\u2010-\u2015]\s*\S")


def take_of(row: str) -> str | None:
    """The take that a row of a text names, as `take: takes/017.wav`; None of speech, as `Take: one of these`.

    A name with spaces counts where it ends as sounds do, one without where it has any ending of 2 to 5 letters.
    """
    named = _TAKE.fullmatch(row)
    return named[1] if named else None


def untagged(row: str) -> str:
    """A row without marks of italics and the like."""
    return _TAGS.sub("", row).strip()


def names_in(texts: Iterable[Sequence[str]]) -> set[str]:
    """The names that lead texts of a file, each of rows, or rows with dashes, and count as characters."""
    heads = ([row for place, row in enumerate(rows) if place == 0 or _DASH.match(row)] for rows in texts)
    led = Counter(name for rows in heads for name in {_led(row)[0] for row in rows} if name)
    return {name for name, number in led.items() if name == name.upper() or number >= SEVERAL}


def spoken(rows: Sequence[str], names: Collection[str]) -> tuple[str, str]:
    """The character of a text and what is said; no character where several speak, as in rows that begin with dashes.

    Args:
        rows: of the text, without marks and take.
        names: that count as characters.
    """
    heads = [_led(row) for row in rows]
    said = [rest if name in names else row for row, (name, rest) in zip(rows, heads, strict=True)]
    found = {name for name, _ in heads if name in names}
    dashed = [row for row in rows if _DASH.match(row)]
    is_one = len(found) == 1 and len(dashed) < SEVERAL and heads[0][0] in found
    return (found.pop() if is_one else ""), " ".join(said)


def _led(row: str) -> tuple[str, str]:
    """The name that leads a row, and the rest of it; an empty name where none is written with capitals."""
    led = _LED.fullmatch(row)
    words = led[1].split() if led else []
    is_name = 0 < len(words) <= MAX_NAME_WORDS and words[0][0].isupper() and all(map(_is_word_of_name, words))
    return (" ".join(words), led[2]) if led and is_name else ("", row)


def _is_word_of_name(word: str) -> bool:
    return word[0].isupper() or not word[0].isalpha()
