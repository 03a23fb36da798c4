"""A dub without a text is listened to in windows, and what is heard lies where it is said."""

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.dub_pipeline import open_pipeline
from jobs.model_reference import bundled_path
from pipelines import recognised, whisper_weights, whisper_words
from pipelines.assets import AssetUnavailableError
from pipelines.line_check import WordsConfig
from pipelines.recognised import MAX_SAMPLES, listened, listening_windows
from pipelines.sphinx_words import Phone
from pipelines.whisper_weights import whisper_form
from pipelines.whisper_words import sure_text
from pipelines.words import Word, text_within
from schemas.timing import ANALYSIS_RATE_HZ as RATE

SILENCE = np.zeros(200 * RATE, np.float32)


@given(st.lists(st.integers(1, 3000), min_size=2, max_size=12), st.booleans())
def test_windows_hold_all_that_is_spoken_once_and_no_more_than_an_ear_takes(steps: list[int], packed: bool) -> None:
    edges = np.cumsum(steps) * RATE // 100  # a third of them speak for longer than half a minute
    sound = np.broadcast_to(np.float32(0), int(edges[-1]) + RATE)
    spoken = [(int(start), int(end)) for start, end in pairwise(edges)][::2]

    windows = listening_windows(spoken, sound, packed=packed)

    assert all(sum(end - start for start, end in window) <= MAX_SAMPLES for window in windows)
    pieces = [piece for window in windows for piece in window]
    assert all(start < end for start, end in pieces)
    assert all(one[1] <= after[0] for one, after in pairwise(pieces))
    assert all(any(start <= first and last <= end for start, end in _joined(pieces)) for first, last in spoken)
    assert packed or all(len(window) == 1 for window in windows)


def _joined(pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Pieces that touch as one."""
    joined: list[tuple[int, int]] = []
    for start, end in pieces:
        first = joined.pop()[0] if joined and joined[-1][1] == start else start
        joined.append((first, end))
    return joined


def test_who_speaks_for_too_long_is_interrupted_where_it_is_softest() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 50 * RATE).astype(np.float32)
    sound[22 * RATE : 22 * RATE + RATE // 5] *= 0.1

    (one, other) = (window[0] for window in listening_windows([(0, 50 * RATE)], sound, packed=True))

    assert one[1] == other[0]
    assert 22 * RATE < one[1] < 22.2 * RATE


def heard_as(
    monkeypatch: pytest.MonkeyPatch, texts: dict[int, str], words: dict[int, list[Word]]
) -> list[dict[str, Any]]:
    """What is made of two pieces, 10 to 12 and 20 to 21 s, of which a sound of so many seconds gives these."""
    monkeypatch.setattr(recognised, "recognise_text", lambda sound, language: texts.get(len(sound) // RATE))
    monkeypatch.setattr(recognised, "align_words", lambda sound, *_: words.get(len(sound) // RATE, []))
    return listened(SILENCE, [(10 * RATE, 12 * RATE), (20 * RATE, 21 * RATE)], "es", WordsConfig())


def test_words_of_a_window_lie_in_the_pieces_that_it_was_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    phones = [Phone("OW", RATE, 2 * RATE)]
    last = Word("l\u00e0", 2 * RATE, 3 * RATE, "pocketsphinx", [Phone("AA", 2 * RATE, 3 * RATE)])
    words = [Word("Hol", 0, RATE, "whisper"), Word("o,", RATE, RATE * 5 // 2, "pocketsphinx", phones), last]

    (passage,) = heard_as(monkeypatch, {3: "Hol o, l\u00e0."}, {3: words})

    placed = [(word["start"] / RATE, word["end"] / RATE) for word in passage["words"]]
    assert placed == [(10, 11), (11, 12), (20, 21)]  # none goes on in the next piece, long after
    inner = {"name": "AA", "start": 20 * RATE, "end": 21 * RATE}
    assert [word["phones"] for word in passage["words"]] == [None, None, [inner]]
    assert text_within([passage], (0, 15 * RATE)) == "Hol o,"
    assert text_within([passage], (15 * RATE, 30 * RATE)) == "l\u00e0."


def test_what_gets_no_times_lies_where_its_own_piece_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    passages = heard_as(monkeypatch, {3: "Uno. Dos.", 2: "Uno.", 1: "Dos."}, {})

    assert [(passage["start"] // RATE, passage["text"], passage["words"]) for passage in passages] == [
        (10, "Uno.", []),
        (20, "Dos.", []),
    ]
    assert text_within(passages, (20 * RATE, 21 * RATE)) == "Dos."
    assert text_within(passages, (30 * RATE, 31 * RATE)) is None
    assert heard_as(monkeypatch, {3: ""}, {}) == []


def test_a_text_without_spaces_is_told_as_it_is_written() -> None:
    words = [{"text": letter, "start": place} for place, letter in enumerate("\u4f60\u597d\u4f60")]
    passage = {"start": 0, "text": "\u201c\u4f60\u597d\u3002\u4f60\u201d", "words": words}

    assert text_within([passage], (0, 2)) == "\u201c\u4f60\u597d\u3002"
    assert text_within([passage], (2, 3)) == "\u4f60\u201d"


def test_what_whisper_guesses_or_repeats_is_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    told = [(" Yes.", 1.0, -0.2), ("no no no no", 9.0, -0.1), ("Thank you.", 0.9, -1.4)]
    segments = [SimpleNamespace(text=text, compression_ratio=ratio, avg_logprob=sure) for text, ratio, sure in told]
    monkeypatch.setattr(whisper_words, "_segments", lambda sound, language: segments)

    assert sure_text(SILENCE, "en") == "Yes."


def test_without_an_ear_a_job_that_is_to_recognise_ends_before_anything_is_analysed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(name: str) -> Path:
        raise AssetUnavailableError(name, "no network")

    whisper_form.cache_clear()
    monkeypatch.setattr(whisper_weights, "is_here", lambda name: False)
    monkeypatch.setattr(whisper_weights, "asset_path", unavailable)
    pipeline = open_pipeline(str(tmp_path), tmp_path, str(bundled_path("small")), ["words.recognise=true"])

    with pytest.raises(AssetUnavailableError, match="whisper-base"):
        pipeline.analyse(pa.table({"language": ["es"]}), lambda event: None)
