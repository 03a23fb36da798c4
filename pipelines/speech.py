"""Where a sound speaks, and where two voices do at once: the model that whisperX ships inside its wheel.

It is pyannote's segmentation network (Bredin & Laurent, "End-to-end speaker segmentation for overlap-aware
resegmentation", 2021): of three voices that it tells apart in 5 s, whisperX takes the surest; the second says where
they overlap.

Runs on the CPU and needs no network and no token. One result per sound, kept in storage under the
sound's digest, so that all shots of a film and all its languages share it. A sound is listened to piece by
piece: of a long one only its scores, 60 a second, are held.
"""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.media.container import UndecodableError
from pipelines.media.sound import BEGINNING
from pipelines.stage import Row
from pipelines.storage import ObjectStore, content_key
from pipelines.stored_sound import Sound, dub_where, sound_facts, stored_sound
from pipelines.torch_threads import fixed_threads
from schemas.mix import StemChannel
from schemas.timing import ANALYSIS_RATE_HZ

VERSION = 4
THREADS = 2  # to the bit what one gives, in little more than half the time
MIN_SAMPLES = 1_600  # 100 ms: less is no word, and the model's filters need some context
LEVEL_STEP = 160  # 10 ms
LEVEL_BLOCK = 6_000 * LEVEL_STEP  # a minute: so much sound is in memory while its level is measured
NOISY_LOGGERS = ("lightning", "pytorch_lightning", "lightning_fabric", "lightning.pytorch", "pyannote", "whisperx")

Floats = NDArray[np.float32]
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


def speech_scores(sound: Sound) -> tuple[Floats, NDArray[np.int64]]:
    """The model's probability of speech, that of a second voice, and the sample at the centre of each.

    The first are those of whisperX's own pipeline over the whole sound, to the bit: windows of 5 s, one every half
    second, go through the model in the same batches, and their overlapping scores are averaged as it does.

    Args:
        sound: [N] mono at 16 kHz, N at least `MIN_SAMPLES`.

    Returns:
        [S, 2] scores in [0, 1], the first column never below the second, and [S] samples, about 60 a second.
    """
    import torch
    from pyannote.core import Segment, SlidingWindow, SlidingWindowFeature  # type: ignore[import-untyped]

    listener = _speech_model()
    with fixed_threads(THREADS), _quiet(), torch.inference_mode():
        windows = SlidingWindow(start=0.0, duration=listener.duration, step=listener.step)
        found = listener.aggregate(
            SlidingWindowFeature(np.vstack(list(_window_scores(listener, sound))), windows),
            listener.model.receptive_field,
            warm_up=listener.warm_up,
            hamming=True,
            missing=0.0,
        )
    grid, scores = found.sliding_window, found.data
    if _last_is_padded(listener, len(sound)):
        scores = found.crop(Segment(0.0, len(sound) / ANALYSIS_RATE_HZ), mode="loose")
    middle_s = grid.start + np.arange(len(scores)) * grid.step + grid.duration / 2
    return scores.astype(np.float32), np.round(middle_s * ANALYSIS_RATE_HZ).astype(np.int64)


def _window_scores(listener: Any, sound: Sound) -> Iterator[Floats]:
    """[W, scores a window, 2] of each batch of windows; what the last window lacks is silence."""
    import torch

    size, step = _window_samples(listener)
    whole = max(0, (len(sound) - size) // step + 1)
    for first in range(0, whole, listener.batch_size):
        last = min(first + listener.batch_size, whole) - 1
        heard = sound[first * step : last * step + size]
        if heard.any():
            yield _two_surest(listener.infer(torch.from_numpy(heard).unfold(0, size, step)[:, None]))
        else:  # a broadcast may count its time from hours before it begins
            yield _of_silence(last - first + 1)
    if _last_is_padded(listener, len(sound)):
        rest = torch.from_numpy(sound[whole * step : len(sound)])
        padded = torch.nn.functional.pad(rest, (0, size - len(rest)))
        yield _two_surest(listener.infer(padded[None, None]))


@cache
def _of_silence(num_windows: int) -> Floats:
    """[W, F, 2] of a batch of so many windows without any sound: what the network says of them, asked once."""
    import torch

    listener = _speech_model()
    size, _ = _window_samples(listener)
    return _two_surest(listener.infer(torch.zeros(num_windows, 1, size)))


def _two_surest(voices: Floats) -> Floats:
    """[W, F, 2] of [W, F, 3] voices: the surest, which says whether anybody speaks, and the next."""
    return np.sort(voices, axis=-1)[..., :-3:-1]


def _last_is_padded(listener: Any, num_samples: int) -> bool:
    """Whether the windows that fit leave samples over."""
    size, step = _window_samples(listener)
    return num_samples < size or (num_samples - size) % step > 0


def _window_samples(listener: Any) -> tuple[int, int]:
    """Samples of a window, and from one to the next."""
    return round(listener.duration * ANALYSIS_RATE_HZ), round(listener.step * ANALYSIS_RATE_HZ)


@cache
def _speech_model() -> Any:
    """The model with pyannote's way of sliding it over a sound, as whisperX sets them up."""
    import torch

    with _quiet():
        from whisperx.vads.pyannote import load_vad_model
    with _quiet():  # again: the import sets the levels of its loggers anew
        return load_vad_model(torch.device("cpu"))._segmentation


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the notices of libraries about their own versions, which a user can do nothing about."""
    loggers = [logging.getLogger(name) for name in NOISY_LOGGERS]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
