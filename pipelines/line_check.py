"""The lines of a dub as they are heard: the words of each with their times, and what a person should look at.

Nothing follows from it by itself: a synthetic ear is wrong more often than a dubbing studio.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

from pipelines.ctc_words import ctc_digests
from pipelines.media.language_code import primary_language
from pipelines.speech import SampleSpan
from pipelines.spoken_lines import SpokenLine
from pipelines.stage import Row
from pipelines.storage import ObjectStore, content_key
from pipelines.stored_sound import StoredSound, dub_facts, stored_dub
from pipelines.whisper_weights import whisper_digests
from pipelines.whisper_words import MAX_S, has_whisper
from pipelines.words import (
    PHONES,
    align_words,
    hear_words,
    moved_word,
    text_within,
    word_error_rate,
    word_row,
    written_words,
)
from schemas.reason import LineDoubt
from schemas.timing import ANALYSIS_RATE_HZ, fraction, pts_to_sample

VERSION = 5
AROUND = ANALYSIS_RATE_HZ // 4  # of a line is listened to as well: subtitles are not cut to the sample
NEAR = ANALYSIS_RATE_HZ // 2  # speech so near to a line belongs to it
MIN_WORDS = 4  # of fewer a wrong one says little
MAX_ERROR_RATE = 0.5
MAX_START_ERROR_S = 0.5
MIN_SPEECH_S = 0.05
MAX_EARLY = ANALYSIS_RATE_HZ  # a second: what is spoken before that is another line
MAX_TOLD = 20
PLAIN_WORDS = {
    LineDoubt.NO_SPEECH: "nobody speaks in its place",
    LineDoubt.BAD_TIME: "its times cannot be meant, so it is not listened to",
    LineDoubt.AFTER_FILM: "it begins when the film is over",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class WordsConfig:
    """What is done with the lines of cue sheets and scripts, and with a dub that has none."""

    align: bool = True  # their words get times
    ctc: bool = False  # by wav2vec 2.0 with CTC, in five languages; four of its models are for non-commercial use
    hear: bool = True  # what is said is compared with what is heard, and the language with the catalog's
    recognise: bool = False  # a dub without texts is listened to from end to end: its words, heard by Whisper base


def heard_lines(
    store: ObjectStore,
    row: Row,
    lines: Sequence[SpokenLine],
    span: SampleSpan,
    spoken: Sequence[SampleSpan],
    zero: int,
    config: WordsConfig,
) -> Row:
    """The columns dub_words, dub_text, dub_lines and unlined_speech_s of a shot.

    Args:
        store: where lines are kept that were heard before.
        row: SHOT.
        lines: of the film's dub.
        span: of the shot, in samples of the dub at 16 kHz.
        spoken: where the dub speaks, in the same.
        zero: sample of the film's time at which the dub begins.
        config: what is done.
    """
    if not lines:
        return {"dub_words": [], "dub_text": None, "dub_lines": [], "unlined_speech_s": None}
    length = _film_samples(row)
    heard = [_unheard(line) for line in lines if row["shot_index"] == 0 and (line.doubt or line.start >= length)]
    timed = [line for line in lines if not line.doubt and line.start < length]
    words, passages = list[Row](), list[Row]()
    for line in timed:
        if not _meets((line.start - MAX_EARLY, line.end + AROUND), span):
            continue
        speech_s = _length_s(spoken, [(line.start, line.end)])
        found = _silent(line, row)
        if speech_s >= MIN_SPEECH_S:
            found = _heard(store, row, line, _window(line, spoken), config)
        words += [_word(word, line) for word in found["words"] if span[0] <= word["start"] < span[1]]
        passages.append({"start": line.start, "text": line.text, "words": found["words"]})
        if span[0] <= line.start < span[1]:
            heard.append(_judged(line, found, speech_s))
    moved = {
        "dub_words": [moved_word(word, zero) for word in words],
        "dub_lines": [_moved(one, zero) for one in heard],
    }
    return moved | {"dub_text": text_within(passages, span), "unlined_speech_s": _unlined_s(timed, span, spoken)}


def _meets(one: SampleSpan, other: SampleSpan) -> bool:
    return one[0] < other[1] and one[1] > other[0]


def _unlined_s(lines: Sequence[SpokenLine], span: SampleSpan, spoken: Sequence[SampleSpan]) -> float:
    """How long the dub speaks in a shot, but near no line."""
    within = [(max(span[0], first), min(span[1], after)) for first, after in spoken if _meets((first, after), span)]
    near = [(line.start - NEAR, line.end + NEAR) for line in lines]
    here = [place for place in near if _meets(place, span)]
    return max(0.0, sum(after - first for first, after in within) / ANALYSIS_RATE_HZ - _length_s(within, here))


def doubts_in_words(lines: Sequence[Row]) -> list[str]:
    """What is to be looked at in lines, HEARD_LINE rows, a sentence each; of many the first ones."""
    doubtful = [line for line in lines if line["doubt"]]
    more = len(doubtful) - MAX_TOLD
    told = [f"line {line['line_id']}: {_sentence(line)}" for line in doubtful[:MAX_TOLD]]
    return [*told, *([f"{more} more lines are to be looked at: see the manifest"] if more > 0 else [])]


def _sentence(line: Row) -> str:
    if line["doubt"] in PLAIN_WORDS:
        return PLAIN_WORDS[line["doubt"]]
    if line["doubt"] == LineDoubt.NOT_IN_TIME:
        late = line["start_error_s"]
        return f"its first word is {abs(late):.2f} s {'late' if late > 0 else 'early'}"
    return f"other words are heard ({line['word_error_rate']:.0%} wrong): {line['heard']!r} for {line['text']!r}"


def _judged(line: SpokenLine, found: Row, speech_s: float) -> Row:
    start_error_s = (found["words"][0]["start"] - line.start) / ANALYSIS_RATE_HZ if found["words"] else None
    facts = {name: found[name] for name in ("heard", "num_words", "word_error_rate")}
    told = {name: getattr(line, name) for name in ("line_index", "line_id", "character", "text")} | facts
    told |= {"start": line.start, "end": line.end, "start_error_s": start_error_s, "speech_s": speech_s}
    return told | {"doubt": _doubt(told)}


def _doubt(line: Row) -> LineDoubt | None:
    if line["speech_s"] < MIN_SPEECH_S:
        return LineDoubt.NO_SPEECH
    if line["num_words"] >= MIN_WORDS and (line["word_error_rate"] or 0) > MAX_ERROR_RATE:
        return LineDoubt.OTHER_WORDS
    if abs(line["start_error_s"] or 0) > MAX_START_ERROR_S:
        return LineDoubt.NOT_IN_TIME
    return None


def _window(line: SpokenLine, spoken: Sequence[SampleSpan]) -> SampleSpan:
    """Where a line is listened to: from the beginning of what is spoken when it is to begin, which may be early."""
    first = line.start - AROUND
    going_on = [begin for begin, after in spoken if begin < first < after and line.start < after]
    return max(0, min([first, *(begin - AROUND for begin in going_on)]), line.start - MAX_EARLY), line.end + AROUND


def _heard(store: ObjectStore, row: Row, line: SpokenLine, window: SampleSpan, config: WordsConfig) -> Row:
    """Words and text of a line, found once for each dub."""
    facts = {"dub": row["dub_digest"], "language": row["language"], "text": line.text, "window": list(window)}
    facts |= dub_facts(row)
    asked = {name: getattr(config, name) for name in ("align", "ctc", "hear")}
    key = content_key("heard-line", VERSION, facts | {"config": asked, "ear": ear(config.ctc)})
    if not store.has(key):
        sound = stored_dub(store, row)
        store.put_json(key, _listened(sound, window, line.text or "", row["language"], config))
    heard: Row = store.get_json(key)
    return heard


@cache
def ear(ctc: bool) -> list[str]:
    """What there is to hear with: its digests and versions; nothing of what is not here."""
    whisper = whisper_digests() if has_whisper() else []
    by_phones = [f"{name} {version(name)}" for name in ("epitran", "pocketsphinx")]
    return [*whisper, *by_phones, *(ctc_digests() if ctc else [])]


def _listened(sound: StoredSound, window: SampleSpan, text: str, language: str, config: WordsConfig) -> dict[str, Any]:
    """What is heard in a window; nothing in one that is too long for an ear."""
    first, after = window
    samples = sound[first:after] if after - first <= MAX_S * ANALYSIS_RATE_HZ else sound[:0]
    heard = hear_words(samples, language) if config.hear and text and len(samples) else None
    rate = None if heard is None else word_error_rate(text, heard, language)
    words = align_words(samples, text, language, config.ctc) if config.align and len(samples) else []
    if words and not is_borne_out(words[0].source, heard, rate or 0.0, len(words), language):
        words = []
    return {
        "words": [moved_word(word_row(word), first) for word in words],
        "heard": heard,
        "num_words": len(written_words(text, language)),
        "word_error_rate": rate,
    }


def is_borne_out(source: str, heard: str | None, error_rate: float, num_words: int, language: str) -> bool:
    """Whether words may lie where they were found: any aligner finds a place for words that are not there, too.

    Of a few words a wrong one says little, and phones are seldom found where none are. Where nothing is heard those of
    English alone are believed, whose phones they are.
    """
    if source == PHONES and (heard is None or num_words < MIN_WORDS):
        return heard is not None or primary_language(language) == "en"
    return error_rate <= MAX_ERROR_RATE


def _silent(line: SpokenLine, row: Row) -> Row:
    """What is heard of a line in whose place nobody speaks."""
    num_words = len(written_words(line.text or "", row["language"]))
    return {"words": [], "heard": None, "num_words": num_words, "word_error_rate": None}


def _unheard(line: SpokenLine) -> Row:
    """A line of a script that has no place in the film."""
    nothing = dict.fromkeys(("heard", "word_error_rate", "start_error_s"))
    names = {
        "line_index": line.line_index,
        "line_id": line.line_id,
        "character": line.character,
        "text": line.text,
        "num_words": 0,
        "speech_s": 0.0,
    }
    return nothing | names | {"start": line.start, "end": line.end, "doubt": line.doubt or LineDoubt.AFTER_FILM}


def _word(word: Row, line: SpokenLine) -> Row:
    return word | {"line_index": line.line_index, "recognised": False}


def _film_samples(row: Row) -> int:
    return pts_to_sample(row["end_pts"] - row["start_pts"], fraction(row["time_base"]), ANALYSIS_RATE_HZ)


def _length_s(spans: Sequence[SampleSpan], places: Sequence[SampleSpan]) -> float:
    """How long spans last within places, which may overlap."""
    return sum(_covered(span, places) for span in spans) / ANALYSIS_RATE_HZ


def _covered(span: SampleSpan, places: Sequence[SampleSpan]) -> int:
    pieces = sorted((max(span[0], first), min(span[1], after)) for first, after in places)
    total, reached = 0, span[0]
    for first, after in _real(pieces):
        total += max(0, after - max(first, reached))
        reached = max(reached, after)
    return total


def _real(pieces: Sequence[SampleSpan]) -> Iterator[SampleSpan]:
    return ((first, after) for first, after in pieces if first < after)


def _moved(item: Row, zero: int) -> Row:
    return item | {"start": item["start"] + zero, "end": item["end"] + zero}
