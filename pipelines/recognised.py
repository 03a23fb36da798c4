"""What is said in a dub whose text nobody gave: Whisper base recognises it, and its words are found as a script's are.

It is no script: an ear is wrong at times, nothing is compared with what it hears, and nothing follows from it.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np

from pipelines.dub_language import other_language
from pipelines.line_check import WordsConfig, ear
from pipelines.speech import SampleSpan
from pipelines.spoken_lines import SpokenLine
from pipelines.stage import Row
from pipelines.storage import ObjectStore, content_key
from pipelines.stored_sound import Sound, dub_facts, stored_dub
from pipelines.whisper_words import MAX_S
from pipelines.words import Word, align_words, moved_word, recognise_text, text_within, word_row
from schemas.timing import ANALYSIS_RATE_HZ

VERSION = 1
AROUND = ANALYSIS_RATE_HZ // 4  # of what is spoken is listened to as well, as far as nobody else speaks
MAX_SAMPLES = MAX_S * ANALYSIS_RATE_HZ
STEP = ANALYSIS_RATE_HZ // 20


def recognised_words(
    store: ObjectStore,
    row: Row,
    lines: Sequence[SpokenLine],
    span: SampleSpan,
    spoken: Sequence[SampleSpan],
    zero: int,
    config: WordsConfig,
) -> Row:
    """The columns dub_words and recognised_text of a shot, where that is wanted and no line has a text; else the last.

    Args, as of `line_check.heard_lines`; what was heard before is kept in `store`.
    """
    if not config.recognise or any(line.text for line in lines):
        return {"recognised_text": None}
    passages = _passages(store, row, span, spoken, config)
    words = [word for passage in passages for word in passage["words"] if span[0] <= word["start"] < span[1]]
    own = {"recognised": True, "line_index": None}
    return {
        "dub_words": [moved_word(word, zero) | own for word in words],
        "recognised_text": text_within(passages, span),
    }


def _passages(
    store: ObjectStore, row: Row, span: SampleSpan, spoken: Sequence[SampleSpan], config: WordsConfig
) -> list[Row]:
    """What is heard in each window that reaches into a shot, in order."""
    if not any(start < span[1] and end > span[0] for start, end in spoken):
        return []
    other = other_language(store, row, spoken)
    language = other[0] if other else row["language"]
    windows = listening_windows(spoken, stored_dub(store, row), packed=config.align)
    own = [window for window in windows if any(start < span[1] and end > span[0] for start, end in window)]
    return [passage for window in own for passage in _heard(store, row, window, language, config)]


def listening_windows(spoken: Sequence[SampleSpan], sound: Sound, *, packed: bool) -> list[list[SampleSpan]]:
    """What is listened to at a time: pieces of together 30 s at most, which hold all that is spoken.

    Args:
        spoken: in order, apart from each other.
        sound: [N] mono at 16 kHz; who speaks for longer is interrupted where it is softest.
        packed: as many pieces as fit, for every window costs the same; else one.
    """
    windows: list[list[SampleSpan]] = []
    room = 0
    for start, end in (part for piece in _widened(spoken, len(sound)) for part in _parted(piece, sound)):
        room -= end - start
        if room < 0 or not packed:
            windows.append([])
            room = MAX_SAMPLES - (end - start)
        windows[-1].append((start, end))
    return windows


def _widened(spoken: Sequence[SampleSpan], num_samples: int) -> list[SampleSpan]:
    """Spans with something before and after them, of a pause at most its half."""
    middles = [(one[1] + next_one[0]) // 2 for one, next_one in pairwise(spoken)]
    limits = pairwise([0, *middles, num_samples])
    return [
        (max(first, start - AROUND), min(after, end + AROUND))
        for (start, end), (first, after) in zip(spoken, limits, strict=False)
    ]


def _parted(piece: SampleSpan, sound: Sound) -> list[SampleSpan]:
    """A piece that is too long for an ear in parts that are not."""
    start, end = piece
    if end - start <= MAX_SAMPLES:
        return [piece]
    later = sound[start + MAX_SAMPLES // 2 : start + MAX_SAMPLES].reshape(-1, STEP)
    softest = int(np.square(later, dtype=np.float64).mean(1).argmin())
    middle = start + MAX_SAMPLES // 2 + softest * STEP + STEP // 2
    return [(start, middle), *_parted((middle, end), sound)]


def _heard(
    store: ObjectStore, row: Row, window: Sequence[SampleSpan], language: str, config: WordsConfig
) -> list[Row]:
    """Text and words of a window, found once for each dub."""
    facts = {"dub": row["dub_digest"], "language": language, "window": list(window), "align": config.align}
    key = content_key("recognised", VERSION, facts | dub_facts(row) | {"ctc": config.ctc, "ear": ear(config.ctc)})
    if not store.has(key):
        store.put_json(key, listened(stored_dub(store, row), window, language, config))
    passages: list[Row] = store.get_json(key)
    return passages


def listened(sound: Sound, window: Sequence[SampleSpan], language: str, config: WordsConfig) -> list[Row]:
    """What is heard in a window, its words where they are said.

    What gets no times as a whole is listened to by halves, down to the single piece: its text then lies where that
    begins.

    Args:
        sound: [N] mono at 16 kHz.
        window: of `listening_windows`.
        language: BCP-47.
        config: what is done.

    Returns:
        Passages: start in samples, text, and words as `word_row` has them.
    """
    heard = np.concatenate([sound[start:end] for start, end in window])
    text = recognise_text(heard, language)
    if not text:
        return []
    words = align_words(heard, text, language, config.ctc) if config.align else []
    if not words and len(window) > 1:
        halves = window[: len(window) // 2], window[len(window) // 2 :]
        return [passage for half in halves for passage in listened(sound, half, language, config)]
    return [{"start": window[0][0], "text": text, "words": [_placed(word, window) for word in words]}]


def _placed(word: Word, window: Sequence[SampleSpan]) -> Row:
    """A word of a window in the sound that the window was taken of; it ends with the piece in which it begins."""
    firsts = [0, *accumulate(end - start for start, end in window)]
    place = next(place for place in reversed(range(len(window))) if word.start >= firsts[place])
    row = moved_word(word_row(word), window[place][0] - firsts[place])
    is_whole = row["end"] <= window[place][1]
    return row if is_whole else row | {"end": max(row["start"], window[place][1]), "phones": None}
