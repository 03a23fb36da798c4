"""Stage 2: where the dub lies on each shot, how late it is, where dub and original speak, and in whose voice.

The dub is delivered as it comes: its beginning (`dub_origin.py`) lies on the film's first frame. So the dub's span on
a shot is the shot's own span in samples, and the mouths follow what will be heard. The lag that is left is measured
and reported: whatever could be done about it was done before (`conform.py`).
"""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from pipelines.line_check import WordsConfig, heard_lines
from pipelines.media.container import UndecodableError
from pipelines.media.sound import BEGINNING
from pipelines.original_voices import original_voices
from pipelines.recognised import recognised_words
from pipelines.sound_check import checked_sounds
from pipelines.speech import SampleSpan, SpeechConfig, dub_speech, original_speech
from pipelines.spoken_lines import spoken_lines
from pipelines.stage import Row, RowStage
from pipelines.storage import ObjectStore, content_key
from pipelines.stored_heard import keep_heard
from pipelines.stored_sound import Sound, dub_facts, dub_where, place_facts, stored_dub, stored_original
from pipelines.voice_descriptor import VoiceDescriber
from schemas.mix import StemChannel
from schemas.shot import ALIGNED_SHOT, SHOT
from schemas.timing import ANALYSIS_RATE_HZ, Span, fraction, pts_to_sample

VERSION = 6
BLOCK_SAMPLES = (
    60 * ANALYSIS_RATE_HZ
)  # a minute at a time: a feature film's sound needs no transform of its own length
DIGESTS = {"dub": "dub_digest", "film": "film_id"}
CLEAR_PEAK = 12.0  # the peak over the typical value; unrelated sounds stay below 6, shared effects are above 30


@dataclass(frozen=True, kw_only=True, slots=True)
class AlignConfig:
    """How dub and original are compared."""

    max_lag_s: float = 2.0  # later than that is another cut of the film, not a lag
    speech: SpeechConfig = field(default_factory=SpeechConfig)


class AlignDub(RowStage):
    """Says where the dub lies on a shot, where dub and original speak in it, and in whose voice the original does.

    The lag is measured for a `dub_mix`, which shares music and effects with the film's own sound. Stems and the takes
    of cue sheets hold dialogue only and share nothing that could be compared: their lag is not known, and they are
    taken to be in time. Where all their lines seem late, `sound_check.py` says so.
    """

    consumes: ClassVar[pa.Schema] = SHOT
    produces: ClassVar[pa.Schema] = ALIGNED_SHOT

    def __init__(self, store_uri: str, config: AlignConfig | None = None, words: WordsConfig | None = None) -> None:
        self._store = ObjectStore(store_uri)
        self._config, self._words = config or AlignConfig(), words or WordsConfig()
        self._describer = VoiceDescriber()
        self._spoken_lines = lru_cache(maxsize=4)(spoken_lines)

    def facts(self, row: Row) -> Row:
        span = Span(row["shot_start_pts"], row["shot_end_pts"], fraction(row["time_base"]))
        start, end = span.to_samples(ANALYSIS_RATE_HZ)
        spoken = dub_speech(self._store, row, self._config.speech)
        original = original_speech(self._store, row, self._config.speech)
        for sound, heard in (("dub", spoken), ("film", original)):
            if heard.spoken:  # stages that compare mouths with it then need no network
                path = Path(row[f"{sound}_uri"])
                where = dub_where(row) if sound == "dub" else (BEGINNING, row["sound_place"], StemChannel.MEAN)
                keep_heard(self._store, row[DIGESTS[sound]], path, *where)
        zero = _film_start(row)
        dub = [(first + zero, after + zero) for first, after in spoken.spoken]
        speech = clip_spans(original.spoken, start, end)
        pieces = [(span["start"], span["end"]) for span in speech]
        return {
            "dub_start_sample": start - zero,
            "dub_end_sample": end - zero,
            "lag_samples": self._lag_samples(row),
            "dub_speech": clip_spans(dub, start, end),
            "original_speech": speech,
            "original_overlap": clip_spans(original.overlapped, start, end),
            "original_voices": original_voices(self._store, row, pieces, self._describer),
            "sounds_uri": checked_sounds(self._store, row, self._config.speech, hear=self._words.hear),
            **self._lines(row, (start - zero, end - zero), spoken.spoken, zero),
        }

    def _lines(self, row: Row, span: SampleSpan, spoken: list[SampleSpan], zero: int) -> Row:
        lines = self._spoken_lines(row["lines_uri"], row["script_uri"], row["script_digest"])
        heard = (self._store, row, lines, span, spoken, zero, self._words)
        return heard_lines(*heard) | recognised_words(*heard)

    def _lag_samples(self, row: Row) -> int | None:
        if row["dub_kind"] != "dub_mix":
            return None
        facts = {"film_id": row["film_id"], "dub": row["dub_digest"], "max_lag_s": self._config.max_lag_s}
        facts |= place_facts(row["sound_place"]) | dub_facts(row)
        key = content_key("lag", VERSION, facts)
        if not self._store.has(key):
            self._store.put_json(key, self._measure_lag(row))
        lag: int | None = self._store.get_json(key)
        return lag

    def _measure_lag(self, row: Row) -> int | None:
        try:
            original = stored_original(self._store, row).since(max(_film_start(row), 0))
        except UndecodableError:  # a silent film shares nothing with its dub
            return None
        dub = stored_dub(self._store, row)
        return constant_lag(original, dub, round(self._config.max_lag_s * ANALYSIS_RATE_HZ))


def _film_start(row: Row) -> int:
    """The sample of the film's time at which its first frame is shown, and the dub begins."""
    return pts_to_sample(row["start_pts"], fraction(row["time_base"]), ANALYSIS_RATE_HZ)


def clip_spans(spans: list[SampleSpan], start: int, end: int) -> list[dict[str, int]]:
    """What of the spans lies within [start, end), as a row holds it."""
    clipped = [(max(first, start), min(after, end)) for first, after in spans]
    return [{"start": first, "end": after} for first, after in clipped if first < after]


def constant_lag(original: Sound, dub: Sound, max_lag: int) -> int | None:
    """How many samples later the dub is than the original: positive = dub late; None when they share nothing clear.

    What is not found is looked for with the opposite polarity.

    Knapp and Carter, "The generalized correlation method for estimation of time delay" (1976), PHAT
    weighting, over cross spectra that are summed block by block.

    Args:
        original: [N] the film's sound.
        dub: [N] the dub's sound, at the same rate.
        max_lag: largest lag looked for, either way.
    """
    size = 1 << (min(BLOCK_SAMPLES, max(len(original), len(dub))) + max_lag).bit_length()
    spectrum = np.zeros(size // 2 + 1, np.complex128)
    for start in range(0, min(len(original), len(dub)), BLOCK_SAMPLES):
        block = slice(start, start + BLOCK_SAMPLES)
        spectrum += np.fft.rfft(dub[block], size) * np.fft.rfft(original[block], size).conj()
    weight = np.abs(spectrum)
    likeness = np.fft.irfft(spectrum / np.maximum(weight, 1e-9 * max(float(weight.max()), 1e-9)), size)
    lags = np.arange(-max_lag, max_lag + 1)
    near = likeness[lags]
    clear = CLEAR_PEAK * float(np.sqrt(np.mean(near**2)))
    found = [int(lags[signed.argmax()]) for signed in (near, -near) if signed.max() > clear > 0]
    return found[0] if found else None
