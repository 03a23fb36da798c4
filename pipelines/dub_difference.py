"""Whether the sound that was delivered as dub is the dub: as late as it, as loud as it, everywhere.

Both sounds are compared block by block over the whole film. What is expected is added up here anew from
the dub's own files, in the layout and at the rate that are found, not taken from what wrote the film.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.media.container import UndecodableError
from pipelines.media.dub_track import DubSource, parts_of, source_mix
from pipelines.media.sound import panned_blocks, sound_blocks, sound_format
from schemas.mix import Mix

Floats = NDArray[np.float32]

BLOCK_SAMPLES = 1 << 19  # 11 s at 48 kHz
MAX_LAG_S = Fraction(1)  # looked for, either way; a dub that is later is found to be unlike
AUDIBLE_RMS = 1e-3  # -60 dB: a softer block is not compared, it only has to be soft


@dataclass(slots=True)
class DubDifference:
    """What the comparison found."""

    sample_rate_hz: int
    layout: str
    mix: Mix
    num_samples: int = 0  # found
    lag_samples: int = 0  # of the delivered dub over the whole film, positive = late
    likeness: list[float] = field(default_factory=list)  # correlation of each audible block
    level_db: list[float] = field(default_factory=list)  # of each audible block, found over expected
    loudest_in_silence: float = 0.0  # RMS found in a block where nothing audible is expected


def dub_difference(delivered: Path, source: DubSource, tolerance_s: Fraction) -> DubDifference:
    """Compare the first sound stream of a film with the dub that it should be.

    Args:
        delivered: the film.
        source: the film as it was and the dub as it was given; the dub begins at the first moment of the film.
        tolerance_s: a lag that is none.

    Raises:
        UndecodableError: the dub as it was given has no sound.
    """
    form = sound_format(delivered)
    rate, layout = form.sample_rate_hz, form.layout
    found = _regular(_as_far_as_it_goes(sound_blocks(delivered, rate, layout, source.start_s)))
    mix = source_mix(source)
    wanted = [
        _regular(panned_blocks(part.path, rate, layout, part.start_s, part.routes)) for part in parts_of(source, mix)
    ]
    difference = DubDifference(sample_rate_hz=rate, layout=layout, mix=mix)
    overall = np.zeros(2 * round(MAX_LAG_S * rate) + 1)
    for block in found:
        difference.num_samples += block.shape[1]
        expected = np.zeros_like(block)
        for sound in wanted:
            part = next(sound, expected[:, :0])[:, : block.shape[1]]
            expected[:, : part.shape[1]] += part
        overall += _compare(block, expected, round(tolerance_s * rate), len(overall) // 2, difference)
    difference.likeness = difference.likeness or [0.0] * (not difference.num_samples)
    if overall.any():
        difference.lag_samples = int(overall.argmax()) - len(overall) // 2
    return difference


def _compare(found: Floats, expected: Floats, tolerance: int, max_lag: int, difference: DubDifference) -> Floats:
    """Note how like a block is; return its correlation with what is expected at all lags."""
    rms = [float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) for samples in (found, expected)]
    if rms[1] < AUDIBLE_RMS:
        difference.loudest_in_silence = max(difference.loudest_in_silence, rms[0])
        return np.zeros(2 * max_lag + 1, np.float32)
    products = _correlation(found, expected, max_lag)
    near = products[max_lag - tolerance : max_lag + tolerance + 1].max()
    difference.likeness.append(float(near) / max(rms[0] * rms[1] * found.size, 1e-12))
    difference.level_db.append(float(20 * np.log10(max(rms[0], 1e-6) / rms[1])))
    return products


def _correlation(found: Floats, expected: Floats, max_lag: int) -> Floats:
    """[2 * max_lag + 1] sum over channels of products, at lags from -max_lag to max_lag of `found`."""
    size = 1 << (found.shape[1] + max_lag - 1).bit_length()
    spectrum = sum(np.fft.rfft(a, size) * np.fft.rfft(b, size).conj() for a, b in zip(found, expected, strict=True))
    return np.asarray(np.fft.irfft(spectrum, size)[np.arange(-max_lag, max_lag + 1)], np.float32)


def _as_far_as_it_goes(blocks: Iterator[Floats]) -> Iterator[Floats]:
    """What can be decoded of a delivered dub: one that ends before the film begins has no sound at all."""
    with suppress(UndecodableError):
        yield from blocks


def _regular(blocks: Iterator[Floats]) -> Iterator[Floats]:
    """The same samples in blocks of one size, only the last one shorter."""
    held: list[Floats] = []
    num_held = 0
    for block in blocks:
        held.append(block)
        num_held += block.shape[1]
        if num_held >= BLOCK_SAMPLES:
            joined = np.concatenate(held, axis=1)
            for start in range(0, num_held - BLOCK_SAMPLES + 1, BLOCK_SAMPLES):
                yield joined[:, start : start + BLOCK_SAMPLES]
            held = [joined[:, num_held // BLOCK_SAMPLES * BLOCK_SAMPLES :]]
            num_held = held[0].shape[1]
    if num_held:
        yield np.concatenate(held, axis=1)
