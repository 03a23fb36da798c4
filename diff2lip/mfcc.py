"""Sound to mel-frequency cepstra, as the judge of lip sync hears it.

The definition is that of python_speech_features at its defaults, with which SyncNet v2 was trained: no window, power
over 512 bins, 26 triangles on whole bins, log energy in place of coefficient 0.
"""

import math
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from diff2lip.mel import SAMPLE_RATE_HZ

STEP_SAMPLES = 160  # 10 ms
WINDOW_SAMPLES = 400  # 25 ms
FFT_SAMPLES = 512
NUM_CEPSTRA, NUM_FILTERS = 13, 26
PRE_EMPHASIS = 0.97
LIFTER = 22
COLUMNS_AT_ONCE = 4096  # 41 s: 13 MB of float64 windows, whatever the length of the sound
SMALLEST = torch.finfo(torch.float64).eps  # stands for a power of 0


def mfcc(wave: Tensor) -> Tensor:
    """Cepstra of a mono sound; column c covers samples 160 c up to 160 c + 399, zeros after the end.

        power = |FFT(y, 512)|^2 / 512,   y[n] = x[n] - 0.97 x[n-1]
        c_k = (1 + 11 sin(pi k / 22)) DCT_k(log(filters @ power)),   c_0 = log(sum of power)

    Davis & Mermelstein, "Comparison of Parametric Representations for Monosyllabic Word Recognition" (1980).

    Args:
        wave: [N] at 16 kHz on the scale of int16, of any dtype; N at least 1.

    Returns:
        [13, 1 + max(0, ceil((N - 400) / 160))] float32.

    Raises:
        ValueError: no samples.
    """
    if wave.ndim != 1 or not len(wave):
        raise ValueError(f"a sound must be [N] with samples in it, got {list(wave.shape)}")
    num_columns = 1 + max(0, math.ceil((len(wave) - WINDOW_SAMPLES) / STEP_SAMPLES))
    firsts = range(0, num_columns, COLUMNS_AT_ONCE)
    parts = [_cepstra(_windows(wave, first, min(first + COLUMNS_AT_ONCE, num_columns))) for first in firsts]
    return torch.cat(parts, dim=1).float()


def _windows(wave: Tensor, first: int, end: int) -> Tensor:
    """[columns, 400] pre-emphasised windows of the columns [first, end)."""
    begin, stop = first * STEP_SAMPLES, (end - 1) * STEP_SAMPLES + WINDOW_SAMPLES
    samples = wave[max(begin - 1, 0) : stop].double()
    if not begin:
        samples = functional.pad(samples, (1, 0))  # nothing before the first sample
    emphasised = samples[1:] - PRE_EMPHASIS * samples[:-1]
    padded = functional.pad(emphasised, (0, stop - begin - len(emphasised)))  # after the emphasis: no step at the end
    return padded.unfold(0, WINDOW_SAMPLES, STEP_SAMPLES)


def _cepstra(windows: Tensor) -> Tensor:
    """[columns, 400] to [13, columns]."""
    power = torch.fft.rfft(windows, FFT_SAMPLES).abs().square() / FFT_SAMPLES
    bands = _logarithm(power @ _filters().to(power.device).T)
    cepstra = _lifted_dct().to(power.device) @ bands.T  # [13, 26] @ [26, columns]
    cepstra[0] = _logarithm(power.sum(dim=1))
    return cepstra


def _logarithm(power: Tensor) -> Tensor:
    return torch.where(power == 0, SMALLEST, power).log()


@cache
def _filters() -> Tensor:
    """[26, 257] triangles between neighbouring points of an even mel scale, mel = 2595 log10(1 + f / 700)."""
    highest = 2595 * math.log10(1 + SAMPLE_RATE_HZ / 2 / 700)
    mels = [highest * point / (NUM_FILTERS + 1) for point in range(NUM_FILTERS + 2)]
    edges = [math.floor((FFT_SAMPLES + 1) * 700 * (10 ** (mel / 2595) - 1) / SAMPLE_RATE_HZ) for mel in mels]
    bins = torch.arange(FFT_SAMPLES // 2 + 1, dtype=torch.float64)
    rows = []
    for low, middle, high in zip(edges, edges[1:], edges[2:], strict=False):
        rising, falling = (bins - low) / (middle - low), (high - bins) / (high - middle)
        rows.append(torch.minimum(rising, falling).clamp(min=0))
    return torch.stack(rows)


@cache
def _lifted_dct() -> Tensor:
    """[13, 26] orthonormal DCT-II, its rows weighted by the lifter."""
    order = torch.arange(NUM_CEPSTRA, dtype=torch.float64)[:, None]
    band = torch.arange(NUM_FILTERS, dtype=torch.float64)
    cosines = torch.cos(math.pi * order * (2 * band + 1) / (2 * NUM_FILTERS)) * math.sqrt(2 / NUM_FILTERS)
    cosines[0] /= math.sqrt(2)
    return (1 + LIFTER / 2 * torch.sin(math.pi * order / LIFTER)) * cosines
