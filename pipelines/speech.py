"""Where a sound speaks, and where two voices do at once: the model that whisperX ships inside its wheel.

Found from the scores of `pipelines.speech_network`. One result per sound, kept in storage under the sound's digest, so
that all shots of a film and all its languages share it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.media.container import UndecodableError
from pipelines.media.sound import BEGINNING
from pipelines.speech_network import MIN_SAMPLES, Floats, speech_scores
from pipelines.stage import Row
from pipelines.storage import ObjectStore, content_key
from pipelines.stored_sound import Sound, dub_where, sound_facts, stored_sound
from schemas.mix import StemChannel
from schemas.timing import ANALYSIS_RATE_HZ

VERSION = 4
LEVEL_STEP = 160  # 10 ms
LEVEL_BLOCK = 6_000 * LEVEL_STEP  # a minute: so much sound is in memory while its level is measured

SampleSpan = tuple[int, int]  # half-open, samples at 16 kHz, film time


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeechConfig:
    """When a probability of speech counts as speech."""

    onset: float = 0.5  # begins above it: whisperX's own setting
    offset: float = 0.363  # ends below it: whisperX's own setting
    min_speech_s: float = 0.1  # shorter is a click
    min_pause_s: float = 0.15  # shorter is a stop consonant, during which the mouth need not rest
    silence_dbfs: float = -60.0  # below lies no speech: the model alone bridges the silence between lines of a stem

    def __post_init__(self) -> None:
        if not 0 < self.offset <= self.onset < 1:
            raise ValueError(f"0 < offset <= onset < 1 must hold, got offset {self.offset} and onset {self.onset}")


@dataclass(frozen=True, slots=True)
class Speech:
    """Where a sound speaks: spans in samples, in order, apart from each other, within the sound.

    Attributes:
        spoken: somebody speaks.
        overlapped: two voices at once, or more.
    """

    spoken: list[SampleSpan]
    overlapped: list[SampleSpan]


def stored_speech(
    store: ObjectStore,
    digest: str,
    path: Path,
    config: SpeechConfig,
    start_s: Fraction = BEGINNING,
    place: int = 0,
    channel: StemChannel = StemChannel.MEAN,
) -> Speech:
    """Where a sound of a file speaks, from `start_s` of its time on; computed once. One without sound is silent."""
    key = content_key("speech", VERSION, sound_facts(digest, start_s, place, channel) | {"config": asdict(config)})
    if not store.has(key):
        store.put_json(key, asdict(_speech_of_file(store, digest, path, config, start_s, place, channel)))
    stored = store.get_json(key)
    return Speech(**{name: [(start, end) for start, end in spans] for name, spans in stored.items()})


def dub_speech(store: ObjectStore, row: Row, config: SpeechConfig) -> Speech:
    """Where the dub of a row of FILM or wider speaks, in samples from the film's first frame on."""
    return stored_speech(store, row["dub_digest"], Path(row["dub_uri"]), config, *dub_where(row))


def original_speech(store: ObjectStore, row: Row, config: SpeechConfig) -> Speech:
    """Where the own sound of a row of FILM or wider speaks, in samples of the film's time."""
    path = Path(row["film_uri"])
    return stored_speech(store, row["film_id"], path, config, BEGINNING, row["sound_place"])


def _speech_of_file(
    store: ObjectStore,
    digest: str,
    path: Path,
    config: SpeechConfig,
    start_s: Fraction,
    place: int,
    channel: StemChannel,
) -> Speech:
    try:
        sound = stored_sound(store, digest, path, start_s, place, channel)
    except UndecodableError:  # a silent film, or no sound that anyone could hear: nobody speaks in it
        return Speech([], [])
    return find_speech(sound, config)


def find_speech(sound: Sound, config: SpeechConfig | None = None) -> Speech:
    """Where somebody speaks, and where two do.

    Args:
        sound: [N] mono at 16 kHz.
        config: thresholds; the default one when left out.
    """
    config = config or SpeechConfig()
    if len(sound) < MIN_SAMPLES:
        return Speech([], [])
    scores, centres = speech_scores(sound)
    return Speech(*(_spans(of_voice, centres, sound, config) for of_voice in scores.T))


def _spans(scores: Floats, centres: NDArray[np.int64], sound: Sound, config: SpeechConfig) -> list[SampleSpan]:
    heard = heard_parts(above(scores, centres, config), sound, config.silence_dbfs)
    spans = join_near(heard, round(config.min_pause_s * ANALYSIS_RATE_HZ))
    return [(start, end) for start, end in spans if end - start >= config.min_speech_s * ANALYSIS_RATE_HZ]


def above(scores: Floats, centres: NDArray[np.int64], config: SpeechConfig) -> list[SampleSpan]:
    """Spans between a score over `onset` and the next one under `offset`; the last one ends with the scores."""
    spans: list[SampleSpan] = []
    start: int | None = None
    for score, centre in zip(scores, centres, strict=True):
        if start is None and score > config.onset:
            start = int(centre)
        elif start is not None and score < config.offset:
            spans.append((start, int(centre)))
            start = None
    if start is not None and len(centres) and start < centres[-1]:
        spans.append((start, int(centres[-1])))
    return spans


def heard_parts(spans: list[SampleSpan], sound: Sound, silence_dbfs: float) -> list[SampleSpan]:
    """What is left of the spans, within [0, N), without stretches of silence; steps of 10 ms."""
    loud = _loud_steps(sound, silence_dbfs)
    edges = np.flatnonzero(np.diff(np.pad(loud, 1).astype(np.int8))) * LEVEL_STEP
    starts, ends = edges[::2], np.minimum(edges[1::2], len(sound))
    return [
        (max(start, int(starts[run])), min(end, int(ends[run])))
        for start, end in spans
        for run in range(int(np.searchsorted(ends, start, "right")), int(np.searchsorted(starts, end, "left")))
    ]


def _loud_steps(sound: Sound, silence_dbfs: float) -> NDArray[np.bool_]:
    """Whether each 10 ms are louder than silence; the last ones may be fewer."""
    loud = [np.zeros(0, np.bool_)]
    for first in range(0, len(sound), LEVEL_BLOCK):
        samples = sound[first : first + LEVEL_BLOCK]
        steps = np.pad(samples, (0, -len(samples) % LEVEL_STEP)).reshape(-1, LEVEL_STEP)
        loud.append(np.sqrt((steps.astype(np.float64) ** 2).mean(axis=1)) > 10 ** (silence_dbfs / 20))
    return np.concatenate(loud)


def shared_samples(one: SampleSpan, other: SampleSpan) -> int:
    """How many samples two spans have in common."""
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def join_near(spans: Sequence[SampleSpan], min_pause: int) -> list[SampleSpan]:
    """Ordered spans, those with less than `min_pause` between them made one."""
    joined: list[SampleSpan] = []
    for start, end in spans:
        if joined and start - joined[-1][1] < min_pause:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
