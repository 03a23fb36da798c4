"""The probability of speech along a sound, and of two voices at once: the model that whisperX ships in its wheel.

It is pyannote's segmentation network (Bredin & Laurent, "End-to-end speaker segmentation for overlap-aware
resegmentation", 2021): of three voices that it tells apart in 5 s, whisperX takes the surest; the second says where
they overlap. It runs on the CPU and needs no network and no token. A sound is listened to piece by piece: of a long
one only the network's answers are held, which overlap: half a megabyte a minute.
"""

import logging
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.stored_sound import Sound
from pipelines.torch_threads import one_thread
from schemas.timing import ANALYSIS_RATE_HZ

THREADS = 2  # each with batches of its own: to the bit what one gives, in little more than half the time
MIN_SAMPLES = 1_600  # 100 ms: less is no word, and the model's filters need some context
NOISY_LOGGERS = ("lightning", "pytorch_lightning", "lightning_fabric", "lightning.pytorch", "pyannote", "whisperx")

Floats = NDArray[np.float32]


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
    with one_thread(), _quiet(), torch.inference_mode():
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
    """[W, scores a window, 2] of each batch of windows, several at once."""
    import torch

    waiting: deque[Callable[[], Floats]] = deque()
    with ThreadPoolExecutor(THREADS, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for batch in _batches(listener, sound):
            if batch.any():
                waiting.append(pool.submit(_heard_scores, listener, batch).result)
            else:  # a broadcast may count its time from hours before it begins
                waiting.append(partial(_of_silence, _num_windows(listener, len(batch))))
            if len(waiting) > 2 * THREADS:  # so many batches are in memory
                yield waiting.popleft()()
        while waiting:
            yield waiting.popleft()()


def _batches(listener: Any, sound: Sound) -> Iterator[Floats]:
    """The samples of each batch of windows; what the last window lacks is silence."""
    size, step = _window_samples(listener)
    whole = _num_windows(listener, len(sound))
    for first in range(0, whole, listener.batch_size):
        last = min(first + listener.batch_size, whole) - 1
        yield sound[first * step : last * step + size]
    if _last_is_padded(listener, len(sound)):
        rest = sound[whole * step :]
        yield np.pad(rest, (0, size - len(rest)))


def _heard_scores(listener: Any, batch: Floats) -> Floats:
    import torch

    size, step = _window_samples(listener)
    return _two_surest(listener.infer(torch.from_numpy(batch).unfold(0, size, step)[:, None]))


@cache
def _of_silence(num_windows: int) -> Floats:
    """[W, F, 2] of a batch of so many windows without any sound: what the network says of them, asked once."""
    listener = _speech_model()
    size, step = _window_samples(listener)
    return _heard_scores(listener, np.zeros(size + (num_windows - 1) * step, np.float32))


def _two_surest(voices: Floats) -> Floats:
    """[W, F, 2] of [W, F, 3] voices: the surest, which says whether anybody speaks, and the next."""
    return np.sort(voices, axis=-1)[..., :-3:-1]


def _last_is_padded(listener: Any, num_samples: int) -> bool:
    """Whether the windows that fit leave samples over."""
    size, step = _window_samples(listener)
    return num_samples < size or (num_samples - size) % step > 0


def _num_windows(listener: Any, num_samples: int) -> int:
    """How many whole windows fit."""
    size, step = _window_samples(listener)
    return max(0, (num_samples - size) // step + 1)


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
