"""Words are found where they were put, and what is heard is compared with what is written.

`spliced_words.flac`: four sentences, spliced by `benchmarks/words.py` (seeds 100 to 103) of words that flite, whose
voices are free, spoke one by one; `spliced_words.json` says where each begins. `spoken_words.flac`: a sentence each of
Spanish, French, German and Italian (`benchmarks/word_sentences.json`), spoken by Kokoro (Apache-2.0), which says when.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pocketsphinx import Decoder
from scipy.signal import butter, sosfiltfilt

from benchmarks.words import LEAST_AGREED, MOST_APART_S, READ, apart_s, read_sentences
from jobs.demo_lines import LINES
from pipelines import sphinx_words
from pipelines.english_phones import english_phones, nearest_phones, spoken_language
from pipelines.media.sound import read_mono
from pipelines.sphinx_words import FoundWord, spelt
from pipelines.whisper_words import whisper_language
from pipelines.words import (
    align_words,
    hear_words,
    heard_from,
    plain_word,
    spelled_word,
    word_error_rate,
    written_words,
)
from schemas.timing import ANALYSIS_RATE_HZ as RATE

HERE = Path(__file__).parent
LECTURER = next(line for line in LINES if line.name == "lecturer")


@pytest.fixture(scope="module")
def sentences() -> list[tuple[np.ndarray, dict[str, Any]]]:
    """Sound of each sentence, and what is known of it."""
    sound = read_mono(HERE / "spliced_words.flac")
    known = json.loads((HERE / "spliced_words.json").read_text())
    return [(sound[round(line["start_s"] * RATE) : round(line["end_s"] * RATE)], line) for line in known]


def starts_of(found: list[FoundWord] | None) -> list[int]:
    """Where words begin, in samples; none that were not found."""
    return [word.start for word in found or []]


def test_nine_of_ten_words_of_english_are_found_within_60_ms_of_where_they_were_put(
    sentences: list[tuple[np.ndarray, dict[str, Any]]],
) -> None:
    late = []
    for sound, line in sentences:
        words = align_words(sound, " ".join(line["words"]).capitalize() + ".", "en-GB")
        assert [plain_word(word.text) for word in words] == line["words"]
        assert {word.source for word in words} == {"pocketsphinx"}
        wanted = np.array(line["starts_s"]) - line["start_s"]
        late += (np.array([word.start for word in words]) / RATE - wanted).tolist()

    assert len(late) == 32
    assert np.mean(np.abs(late) <= 0.06) >= 0.9
    assert np.abs(late).max() < 0.2


def test_the_phones_of_a_word_are_those_of_the_dictionary_and_fill_it(
    sentences: list[tuple[np.ndarray, dict[str, Any]]],
) -> None:
    decoder = Decoder(lm=None, loglevel="FATAL")
    filled = []
    for sound, line in sentences:
        for word in align_words(sound, " ".join(line["words"]), "en"):
            spoken = [decoder.lookup_word(name) for name in (word.text, f"{word.text}(2)", f"{word.text}(3)")]
            assert " ".join(phone.name for phone in word.phones or []) in (*spoken, "")
            edges = [(phone.start, phone.end) for phone in word.phones or []]
            assert all(start < end for start, end in edges)
            filled.append([word.start, *(end for _, end in edges)] == [*(start for start, _ in edges), word.end])

    assert len(filled) == 32
    assert np.mean(filled) >= 0.9  # a second search may lay a word elsewhere: it then has none


def test_a_word_of_two_halves_has_the_phones_of_both(sentences: list[tuple[np.ndarray, dict[str, Any]]]) -> None:
    sound, line = sentences[0]
    first, second, *others = line["words"]

    joined, *_ = align_words(sound, " ".join([f"{first}-{second}", *others]), "en")
    halves = align_words(sound, " ".join(line["words"]), "en")[:2]

    assert joined.phones == [phone for half in halves for phone in half.phones or []]
    assert (joined.start, joined.end) == (halves[0].start, halves[1].end)


def test_words_that_are_not_in_the_sound_are_not_found(sentences: list[tuple[np.ndarray, dict[str, Any]]]) -> None:
    assert (
        sphinx_words.sphinx_words(sentences[0][0][: RATE // 2], ["nobody", "told", "me", "about", "the", "harbour"])
        is None
    )
    assert sphinx_words.sphinx_words(np.zeros(0, np.float32), ["nobody"]) is None
    assert sphinx_words.sphinx_words(sentences[0][0], []) is None
    assert align_words(sentences[0][0], "\u2014 ...", "en") == []


def test_what_was_heard_before_changes_nothing(sentences: list[tuple[np.ndarray, dict[str, Any]]]) -> None:
    first, *others = [(sound, line["words"]) for sound, line in sentences]

    sphinx_words._decoder.cache_clear()
    alone = sphinx_words.sphinx_words(*first)
    for loud in others:
        sphinx_words.sphinx_words(5 * loud[0], loud[1])

    assert sphinx_words.sphinx_words(*first) == alone


@pytest.mark.assets
@pytest.mark.usefixtures("whisper")
def test_cantonese_is_heard_as_chinese_and_unknown_languages_are_not() -> None:
    assert [whisper_language(tag) for tag in ("yue", "zh-Hant-TW", "fil", "x-private", "und", "pt-BR")] == [
        "zh",
        "zh",
        "tl",
        None,
        None,
        "pt",
    ]


@pytest.mark.assets
@pytest.mark.usefixtures("whisper")
def test_a_text_of_too_many_tokens_has_no_times() -> None:
    assert align_words(read_mono(LECTURER.take), "palabra " * 500, "es") == []


def test_a_name_that_no_dictionary_has_is_pronounced_by_its_letters(
    sentences: list[tuple[np.ndarray, dict[str, Any]]],
) -> None:
    sound, line = sentences[1]
    misspelt = ["sailur" if word == "sailor" else word for word in line["words"]]

    assert spelt("xqzzy") == "K S K Z Z Y"
    assert spelt("shaking") == "SH AE K IH NG"
    assert "sailur" in misspelt
    found, wanted = (
        np.array(starts_of(sphinx_words.sphinx_words(sound, words))) for words in (misspelt, line["words"])
    )
    assert np.abs(found - wanted).max() <= RATE * 0.05
    assert sphinx_words.sphinx_words(sound, ["\u00e9t\u00e9"]) is None


def test_nine_of_ten_words_of_other_languages_are_found_within_60_ms_by_phones_of_english() -> None:
    sound = read_mono(HERE / "spoken_words.flac")
    late: list[float] = []
    for line in json.loads((HERE / "spoken_words.json").read_text()):
        first, after = (round(line[edge] * RATE) for edge in ("start_s", "end_s"))
        words = align_words(sound[first:after], line["text"], line["language"])
        assert " ".join(word.text for word in words) == line["text"]
        assert {word.source for word in words} == {"pocketsphinx"}
        late += [(first + word.start) / RATE - start for word, start in zip(words, line["starts_s"], strict=True)]

    assert len(late) == 44
    assert np.mean(np.abs(late) <= 0.06) >= 0.9


def test_words_are_found_in_sound_of_a_telephone_behind_a_gate(
    sentences: list[tuple[np.ndarray, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    sound, line = sentences[0]
    frames = np.resize(sosfiltfilt(butter(8, 3400, fs=RATE, output="sos"), sound), (len(sound) // 160, 160))
    gated = np.where(np.square(frames).mean(1, keepdims=True) < 0.01**2, 0, frames).ravel().astype(np.float32)

    monkeypatch.setattr(sphinx_words, "HISS", (0.0,))
    assert sphinx_words.sphinx_words(gated, line["words"]) is None
    monkeypatch.undo()
    found = sphinx_words.sphinx_words(gated, line["words"])

    wanted = np.array(line["starts_s"]) - line["start_s"]
    assert np.abs(np.array(starts_of(found)) / RATE - wanted).max() <= 0.1


@pytest.mark.parametrize(
    ("ipa", "phones"),
    [
        ("t\u0361\u0283iko", "CH IY K AO"),
        ("ma\u0272ana", "M AA N Y AA N AA"),
        ("d\u0259m\u025b\u0303", "D AH M EH N"),
        ("n\u026a\u00e7t", "N IH SH T"),
        ("a\u026a\u032fs", "AY S"),
        ("t\u02b2\u02d0a", "T AA"),
        ("12", ""),
    ],
)
def test_each_sound_becomes_the_phone_of_english_that_is_nearest(ipa: str, phones: str) -> None:
    assert nearest_phones(ipa) == phones


def test_languages_that_were_not_tried_and_numbers_have_no_phones() -> None:
    assert [spoken_language(tag) for tag in ("es-MX", "PT-br", "ja", "en")] == ["es", "pt", None, None]
    assert english_phones("quince", "es") == "K IY N S EY"
    assert [english_phones(word, "de") for word in ("15", "90er", "5g")] == ["", "", ""]


def test_a_soft_c_before_an_apostrophe_is_no_k() -> None:
    assert english_phones("c'est", "fr").startswith("S EH")
    assert english_phones("c'era", "it").startswith("CH")
    assert english_phones("c'era", "it").endswith("EY R AA")


def test_words_are_spelled_with_the_letters_of_their_language() -> None:
    assert spelled_word("Stra\u00dfe,", "de") == "stra\u00dfe"
    assert [spelled_word(word, "tr") for word in ("\u0130stanbul'da", "ISPARTA")] == ["istanbul'da", "\u0131sparta"]


@pytest.mark.assets
@pytest.mark.usefixtures("whisper")
def test_words_that_have_no_phones_are_found_by_whisper_in_their_order() -> None:
    sound = read_mono(LECTURER.take)

    words = align_words(sound, LECTURER.text, "gl")

    assert spoken_language("gl") is None
    assert " ".join(word.text for word in words) == LECTURER.text
    assert {word.source for word in words} == {"whisper"}
    starts = [word.start for word in words]
    assert starts == sorted(starts)
    assert all(0 <= word.start <= word.end <= len(sound) for word in words)
    heard = np.flatnonzero(np.abs(sound) > 0.05 * np.abs(sound).max()) / RATE
    assert starts[0] / RATE == pytest.approx(heard[0], abs=0.12)
    assert words[-1].end / RATE == pytest.approx(heard[-1], abs=0.25)


@pytest.mark.assets
@pytest.mark.usefixtures("whisper")
@pytest.mark.skipif(not READ.is_dir(), reason="Debian's pocketsphinx-testdata is not installed")
def test_two_aligners_that_share_nothing_agree_on_real_voices() -> None:
    apart = apart_s(list(read_sentences()))

    assert len(apart) == 71
    assert np.mean(np.abs(apart) <= MOST_APART_S) >= LEAST_AGREED


@pytest.mark.assets
@pytest.mark.usefixtures("whisper")
def test_what_is_heard_of_a_line_is_compared_with_its_text() -> None:
    heard = hear_words(read_mono(LECTURER.take), "es")

    assert heard is not None
    assert (word_error_rate(LECTURER.text, heard, "es") or 0) <= 2 / 7  # one is the name of a town
    assert (word_error_rate("Nadie vino ayer a la estaci\u00f3n.", heard, "es") or 0) > 0.5
    assert hear_words(read_mono(LECTURER.take), "tlh") is None  # nothing here knows Klingon


def test_words_are_compared_without_case_punctuation_and_dashes() -> None:
    assert word_error_rate("\u00bfQui\u00e9n? \u2014\u00a1T\u00fa!", "qui\u00e9n t\u00fa", "es") == 0
    assert word_error_rate("It\u2019s 'mine'.", "it's mine", "en") == 0
    assert word_error_rate("one two three four", "one three four five", "en") == 0.5
    assert word_error_rate("one", "", "en") == 1
    assert word_error_rate("...", "one", "en") is None
    assert word_error_rate("\u0915\u093f \u0915\u0940", "\u0915\u093e \u0915\u093e", "hi") == 1  # vowel signs count
    stressed = "\u0437\u0430\u0301\u043c\u043e\u043a"
    assert word_error_rate(stressed, stressed.replace("\u0301", ""), "ru") == 0


def test_languages_without_spaces_are_counted_by_letters() -> None:
    assert written_words("\u4f60\u597d\u3002", "zh") == ["\u4f60", "\u597d"]
    assert word_error_rate("\u4f60\u597d", "\u4f60\u4eec\u597d", "zh-Hant") == 0.5
    assert written_words("Well, well", "en") == ["Well,", "well"]


def test_a_word_does_not_begin_in_the_pause_before_it() -> None:
    sound = np.zeros(RATE, np.float32)
    sound[4800:8000] = sound[9600:14400] = 0.5

    assert heard_from(sound, [(1600, 8000), (8000, 16_000), (15_000, 16_000)]) == [
        (4800, 8000),
        (9600, 16_000),
        (15_000, 16_000),  # nothing is heard in it: it stays where it is
    ]
