"""Whether the sound that was delivered as dub is the dub: as late as it, as loud as it, everywhere.

Both sounds are compared channel by channel, block by block over the whole film, each window of a block by itself, and
each sample where the delivered codec is lossless. What is expected is added up anew from the dub's own files, in the
layout and at the rate that are found. Which channel goes where, and where a file begins, is what the writer says too
(`pipelines.media.dub_track`): a fault there is not seen here, but by the tests of that.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.media.channels import channels_of
from pipelines.media.container import UndecodableError
from pipelines.media.dub_track import DubSource, part_blocks, parts_of, source_mix
from pipelines.media.regular_blocks import regular_blocks
from pipelines.media.sound import sound_blocks, sound_format
from pipelines.sound_windows import SoundWindows
from schemas.mix import Mix

Floats = NDArray[np.float32]

BLOCK_SAMPLES = 1 << 19  # 11 s at 48 kHz
MAX_LAG_S = Fraction(1)  # looked for, either way; a dub that is later is found to be unlike
AUDIBLE_RMS = 1e-3  # -60 dB: a softer channel is not compared, it only has to be soft
AUDIBLE_SHARE = 0.02  # of the loudest channel, -34 dB: the same
LEAST_S = Fraction(1, 20)  # of the last block: of less, a codec's own sound is all that there is
MAX_HZ, MAX_LFE_HZ = 16_000, 100  # what lies above is not compared: codecs leave it out, or make noise of their own
BRIEF_S = 3  # a shorter block: a codec that has just begun makes more of its noise up
MAX_WINDOW_HZ = 4_000  # the same of short windows: AAC gives noise above that as noise of its own
SURELY_LATE = 1e-3  # so much likelier another lag must be than none: of a hum a lossy codec moves the peak by samples
LOSSLESS = ("pcm_", "flac", "alac", "truehd", "mlp")


@dataclass(slots=True)
class DubDifference:
    """What the comparison found."""

    sample_rate_hz: int
    layout: str
    mix: Mix
    num_samples: int = 0  # found
    tolerance_samples: int = 1  # a lag that is none
    is_lossless: bool = False  # as it was delivered
    lag_samples: int = 0  # of the delivered dub over the whole film, positive = late
    worst_lag_samples: int = 0  # of a channel of a block: 0 unless it is surely later, or earlier, than a sample
    likeness: list[float] = field(default_factory=list)  # correlation of each channel of each audible block
    brief_likeness: list[float] = field(default_factory=list)  # the same of blocks of less than BRIEF_S
    level_db: list[float] = field(default_factory=list)  # of both, found over expected
    windows: SoundWindows = field(default_factory=SoundWindows)
    largest: float = 0.0  # difference of two samples, full scale is 1


def dub_difference(
    delivered: Path, source: DubSource, start_s: Fraction, length_s: Fraction, tolerance_s: Fraction
) -> DubDifference:
    """Compare the first sound stream of a film with the dub that it should be.

    Args:
        delivered: the film.
        source: the film as it was and the dub as it was given.
        start_s: the first moment of the delivered film, at which the dub begins.
        length_s: of the film: what a dub holds beyond it, or a codec fills its last packet with, is not heard.
        tolerance_s: a lag that is none, beside one of a sample: that of a container that counts time roughly.

    Raises:
        UndecodableError: the dub as it was given has no sound.
    """
    form = sound_format(delivered)
    rate, layout = form.sample_rate_hz, form.layout
    heard = _as_far_as_it_goes(sound_blocks(delivered, rate, layout, start_s))
    found = regular_blocks(_until(heard, math.ceil(length_s * rate)), BLOCK_SAMPLES)
    mix = source_mix(source)
    wanted = [regular_blocks(part_blocks(part, rate, layout), BLOCK_SAMPLES) for part in parts_of(source, mix)]
    difference = DubDifference(sample_rate_hz=rate, layout=layout, mix=mix)
    difference.is_lossless = form.codec.startswith(LOSSLESS)
    difference.tolerance_samples = 1 + round(tolerance_s * rate)
    overall = np.zeros(2 * round(MAX_LAG_S * rate) + 1)
    kept = _bands(layout, rate)
    for block in found:
        if difference.num_samples and block.shape[1] < LEAST_S * rate:
            break
        expected = np.zeros_like(block)
        for sound in wanted:
            part = next(sound, expected[:, :0])[:, : block.shape[1]]
            expected[:, : part.shape[1]] += part
        np.clip(expected, -1, 1, out=expected)  # as it is encoded
        loudest = float(np.sqrt(np.square(expected, dtype=np.float64).mean(1)).max())
        audible = max(AUDIBLE_RMS, AUDIBLE_SHARE * loudest)
        for pair in zip(block, expected, kept, strict=True):
            overall += _compare(*pair, audible, difference)
        difference.num_samples += block.shape[1]
    difference.likeness = difference.likeness or [0.0] * (not difference.num_samples)
    if overall.any():
        difference.lag_samples = int(overall.argmax()) - len(overall) // 2
    return difference


def _bands(layout: str, rate: int) -> list[float]:
    """Up to which share of the spectrum each channel is compared: codecs make up the rest, or leave it out."""
    tops = (MAX_LFE_HZ if name == "LFE" else MAX_HZ for name in channels_of(layout))
    return [min(1.0, top / (rate / 2)) for top in tops]


def _compare(
    found: Floats, expected: Floats, band: float, audible: float, difference: DubDifference
) -> NDArray[np.float32]:
    """Note how like a channel [n] of a block is; return its correlation with what is expected at all lags."""
    rate = difference.sample_rate_hz
    max_lag, tolerance = round(MAX_LAG_S * rate), difference.tolerance_samples
    size = 1 << (len(found) + max_lag - 1).bit_length()
    spectra = [np.fft.rfft(samples, size)[: max(2, int(band * size / 2))] for samples in (found, expected)]
    rms = [math.sqrt(_energy(one, size) / len(found)) for one in spectra]
    products = np.fft.irfft(spectra[0] * spectra[1].conj(), size)[np.arange(-max_lag, max_lag + 1)]
    likeness = products / max(rms[0] * rms[1] * len(found), 1e-12)
    near = likeness[max_lag - tolerance : max_lag + tolerance + 1]
    _note_samples(found, expected, spectra, int(near.argmax()) - tolerance, audible, difference)
    if rms[1] < audible:
        return np.zeros(2 * max_lag + 1, np.float32)
    is_brief = len(found) < BRIEF_S * rate
    (difference.brief_likeness if is_brief else difference.likeness).append(float(near.max()))
    difference.level_db.append(float(20 * np.log10(max(rms[0], 1e-6) / rms[1])))
    lag = int(likeness.argmax()) - max_lag
    is_late = likeness.max() - likeness[max_lag - 1 : max_lag + 2].max() > SURELY_LATE
    difference.worst_lag_samples = max(difference.worst_lag_samples, lag * is_late, key=abs)
    return np.asarray(products, np.float32)


def _energy(spectrum: NDArray[np.complexfloating], size: int) -> float:
    """Of the real samples, `size` of them, whose lower bins these are: all but the first, the mean, stand for two."""
    squares = np.square(np.abs(spectrum))
    return float((2 * squares.sum() - squares[0]) / size)


def _note_samples(
    found: Floats,
    expected: Floats,
    spectra: Sequence[NDArray[np.complexfloating]],
    lag: int,
    audible: float,
    difference: DubDifference,
) -> None:
    """Note what differs moment by moment, a small lag made good: that is judged by itself."""
    start_s, rate = difference.num_samples / difference.sample_rate_hz, difference.sample_rate_hz
    size = 1 << (len(found) + round(MAX_LAG_S * rate) - 1).bit_length()
    top = max(2, round(MAX_WINDOW_HZ / rate * size))
    soft = [np.fft.irfft(one[:top], size)[: len(found)].astype(np.float32) for one in spectra]
    difference.windows.note(*_together(soft[0], soft[1], lag), audible, start_s, rate)
    if difference.is_lossless:
        apart = np.subtract(*_together(found, expected, lag))
        difference.largest = max(difference.largest, float(np.abs(apart).max(initial=0)))


def _together(found: Floats, expected: Floats, lag: int) -> tuple[Floats, Floats]:
    """The moments that both have, where the first comes `lag` samples late."""
    num_samples = len(found) - abs(lag)
    return found[max(lag, 0) :][:num_samples], expected[max(-lag, 0) :][:num_samples]


def _until(blocks: Iterator[Floats], num_samples: int) -> Iterator[Floats]:
    """The first samples of a sound."""
    left = num_samples
    for block in blocks:
        yield block[:, :left]
        left -= block.shape[1]
        if left <= 0:
            return


def _as_far_as_it_goes(blocks: Iterator[Floats]) -> Iterator[Floats]:
    """What can be decoded of a delivered dub: one that ends before the film begins has no sound at all."""
    with suppress(UndecodableError):
        yield from blocks
