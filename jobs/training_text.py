"""Text to be spoken: sentences of frequent words, in any language that the `wordfreq` package knows.

The words are nonsense together; every phone comes in every neighbourhood, which is all that mouths need.
"""

import gzip
import random
from pathlib import Path
from typing import cast
from zipfile import ZipFile

WORDS_KNOWN = 4000


def frequent_words(wordfreq_wheel: Path, language: str) -> list[str]:
    """The most frequent words of a language, most frequent first.

    Args:
        wordfreq_wheel: wheel of the package `wordfreq`; its lists are MessagePack, one bucket of words per centibel.
        language: two-letter code.
    """
    import msgpack  # type: ignore[import-untyped]

    with ZipFile(wordfreq_wheel) as wheel:
        packed = gzip.decompress(wheel.read(f"wordfreq/data/large_{language}.msgpack.gz"))
    buckets = cast(list[list[str]], msgpack.unpackb(packed, raw=False)[1:])
    words = [word for bucket in buckets for word in bucket if word.isalpha()]
    return words[:WORDS_KNOWN]


def sentence(words: list[str], dice: random.Random) -> str:
    """Six to fourteen words, common ones more often, with a comma now and then."""
    count = dice.randint(6, 14)
    chosen = [words[int(len(words) * dice.random() ** 2)] for _ in range(count)]
    pause = dice.randint(3, count - 1)
    return " ".join(chosen[:pause]) + dice.choice([", ", " ", " "]) + " ".join(chosen[pause:]) + "."
