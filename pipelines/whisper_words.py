"""What is said in a sound, and when: Whisper base in CTranslate2, for any of its languages.

Radford et al., "Robust speech recognition via large-scale weak supervision" (2022). Its weights are an asset; where
they are not here and cannot be fetched, nothing is heard, and words of other languages than English have no times.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.assets import AssetUnavailableError
from pipelines.media.language_code import primary_language
from pipelines.whisper_weights import whisper_files, whisper_form
from schemas.timing import ANALYSIS_RATE_HZ

Floats = NDArray[np.float32]
Span = tuple[int, int]

THREADS = 2  # fixed: the same words whatever the machine has
MAX_S = 30  # of sound at a time
MAX_TOKENS = 448  # that the decoder has places for
MOST_REPEATED = 2.4  # how often a text may say the same: by what zlib makes of it
LEAST_SURE = -1.0  # the mean logarithm of how probable its tokens are
FRAME_S = 0.02
LEAD_S = 0.056  # its words begin so much before those of a phone aligner: the median over read sentences
LANGUAGES = {"cmn": "zh", "yue": "zh", "fil": "tl", "nb": "no", "arb": "ar"}  # Whisper's own names for some


@cache
def has_whisper() -> bool:
    """Whether the weights are here, or can be fetched."""
    try:
        whisper_form()
    except AssetUnavailableError:
        return False
    return True


def fetch_whisper() -> None:
    """Bring the weights here, before anybody waits for what they hear.

    Raises:
        AssetUnavailableError: they are not here, and cannot be fetched.
    """
    whisper_form()


def whisper_language(tag: str) -> str | None:
    """Whisper's name of a language; None of one that it does not know.

    Args:
        tag: BCP-47.
    """
    primary = primary_language(tag)
    name = LANGUAGES.get(primary, primary)
    return name if _model().hf_tokenizer.token_to_id(f"<|{name}|>") is not None else None


def whisper_text(sound: Floats, language: str) -> str:
    """What is heard in at most 30 s of sound, as Whisper writes it.

    Args:
        sound: [N] mono at 16 kHz.
        language: as `whisper_language` names it.
    """
    return " ".join(segment.text.strip() for segment in _segments(sound, language))


def sure_text(sound: Floats, language: str) -> str:
    """The same without what goes round in circles or is guessed, by the bounds that Whisper's authors chose."""
    segments = _segments(sound, language)
    sure = [one for one in segments if one.compression_ratio <= MOST_REPEATED and one.avg_logprob >= LEAST_SURE]
    return " ".join(segment.text.strip() for segment in sure)


def _segments(sound: Floats, language: str) -> list[Any]:
    settings = {"beam_size": 5, "temperature": 0.0, "condition_on_previous_text": False, "without_timestamps": True}
    segments, _ = _model().transcribe(sound, language=language, **settings)
    return list(segments)


def heard_language(sound: Floats) -> list[tuple[str, float]]:
    """How probable each of Whisper's languages is in at most 30 s of speech, the likeliest first."""
    _, _, every = _model().detect_language(sound[: MAX_S * ANALYSIS_RATE_HZ])
    return [(name, float(score)) for name, score in every]


def whisper_spans(sound: Floats, words: Sequence[str], language: str) -> list[Span] | None:
    """Where each of some known words is said, by dynamic time warping of the decoder's attention.

    Args:
        sound: [N] mono at 16 kHz, at most 30 s.
        words: as they are written.
        language: as `whisper_language` names it.

    Returns:
        Half-open spans in samples, in steps of 20 ms, one a word; None where they do not come out one by one, or
        are too many.
    """
    from faster_whisper.audio import pad_or_trim
    from faster_whisper.tokenizer import Tokenizer

    model = _model()
    tokenizer = Tokenizer(model.hf_tokenizer, True, task="transcribe", language=language)
    tokens = [tokenizer.encode(f" {word}") for word in words]
    features = model.feature_extractor(sound)
    encoded = model.encode(pad_or_trim(features))
    text = [token for word in tokens for token in word]
    if len(tokenizer.sot_sequence) + len(text) + 2 > MAX_TOKENS:
        return None
    (found,) = model.model.align(encoded, tokenizer.sot_sequence, [text], features.shape[-1], median_filter_width=7)
    edges = _edges(found.alignments, tokens)
    if edges is None:
        return None
    return list(pairwise(min(edge, len(sound)) for edge in edges))


def _edges(alignments: Sequence[tuple[int, int]], tokens: Sequence[Sequence[int]]) -> list[int] | None:
    """Samples at which words begin, and the last one ends, of the (token, frame) pairs of the warping path."""
    firsts = {token: frame for token, frame in reversed(alignments)}
    places = np.cumsum([0, *map(len, tokens)]).tolist()
    if not set(range(places[-1])) <= firsts.keys():
        return None
    frames = [*(firsts[place] for place in places[:-1]), firsts.get(places[-1], alignments[-1][1])]
    return [round((frame * FRAME_S + LEAD_S) * ANALYSIS_RATE_HZ) for frame in frames]


@cache
def _model() -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel("whisper-base", device="cpu", compute_type="int8", cpu_threads=THREADS, files=whisper_files())
