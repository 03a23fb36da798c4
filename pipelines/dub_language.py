"""Whether a dub is spoken in the language that the catalog says, as far as Whisper can tell."""

from collections.abc import Sequence

import numpy as np

from pipelines.speech import SampleSpan
from pipelines.stage import Row
from pipelines.storage import ObjectStore, content_key
from pipelines.stored_sound import dub_facts, stored_dub
from pipelines.whisper_words import MAX_S, has_whisper, heard_language, whisper_language
from schemas.timing import ANALYSIS_RATE_HZ

VERSION = 2
MIN_SPEECH_S = 3  # of less no language is told
MIN_SURE, MAX_EXPECTED = 0.9, 0.02  # probabilities: near languages are taken for each other


def other_language(store: ObjectStore, row: Row, spoken: Sequence[SampleSpan]) -> tuple[str, float] | None:
    """The language that is surely heard instead of the catalog's, and its probability.

    Args:
        store: where it is kept, once for each dub.
        row: FILM or wider.
        spoken: where the dub speaks, in its samples at 16 kHz.
    """
    facts = {"dub": row["dub_digest"], "ear": has_whisper(), "spoken": list(spoken)}
    key = content_key("language", VERSION, facts | dub_facts(row))
    if not store.has(key):
        store.put_json(key, _languages(store, row, spoken))
    found = dict(store.get_json(key))
    expected = whisper_language(row["language"]) if found else None
    if not found or expected is None:
        return None
    likeliest = max(found, key=lambda name: found[name])
    is_other = found[likeliest] >= MIN_SURE and found.get(expected, 0.0) <= MAX_EXPECTED
    return (likeliest, found[likeliest]) if is_other else None


def _languages(store: ObjectStore, row: Row, spoken: Sequence[SampleSpan]) -> list[tuple[str, float]]:
    """What is heard in the first half minute of speech; nothing in less than some seconds."""
    length = sum(after - first for first, after in spoken)
    if length < MIN_SPEECH_S * ANALYSIS_RATE_HZ or not has_whisper():
        return []
    sound, parts, missing = stored_dub(store, row), [], MAX_S * ANALYSIS_RATE_HZ
    for first, after in spoken:
        parts.append(sound[first : min(after, first + missing)])
        missing -= len(parts[-1])
        if missing <= 0:
            break
    return heard_language(np.concatenate(parts))
