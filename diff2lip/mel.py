"""Sound to log-mel, as Wav2Lip and Diff2Lip hear it, and the mel window that goes with a moment of film."""

from enum import StrEnum
from fractions import Fraction
from functools import cache
from math import floor

import torch
from torch import Tensor
from torch.nn import functional

from diff2lip.config import SoundWindow

SAMPLE_RATE_HZ = 16_000
HOP_SAMPLES = 200  # 12.5 ms
FFT_SAMPLES = 800  # 50 ms
STEPS_PER_S = Fraction(SAMPLE_RATE_HZ, HOP_SAMPLES)  # 80 mel steps a second
NUM_MELS = 80
STEPS_PER_WINDOW = 16  # 200 ms: five frames at 25 fps, held as 200 ms at any frame rate
MEL_LOW_HZ, MEL_HIGH_HZ = 55, 7600
PRE_EMPHASIS = 0.97
PUBLISHED_LEAD_S = Fraction(1, 25)  # from the start of a published window to the moment of its frame
SILENCE = -4.0  # log-mel of silence, the lower end of its range


class MelRateError(ValueError):
    """A sound, or mel steps, at another rate than the networks hear: 16 kHz, 80 steps a second."""


class Padding(StrEnum):
    """What lies beyond the ends of a sound: two versions of librosa differ, and both were used."""

    ZERO = "zero"  # librosa 0.9 and later: what Diff2Lip pins
    REFLECT = "reflect"  # librosa 0.8 and earlier: what Wav2Lip and its followers trained with


@cache
def mel_filters() -> Tensor:
    """[80, 401] Slaney mel filters over the magnitude spectrum."""
    from librosa.filters import mel

    basis = mel(sr=SAMPLE_RATE_HZ, n_fft=FFT_SAMPLES, n_mels=NUM_MELS, fmin=MEL_LOW_HZ, fmax=MEL_HIGH_HZ)
    return torch.from_numpy(basis)


def log_mel(wave: Tensor, padding: Padding = Padding.ZERO, sample_rate_hz: int = SAMPLE_RATE_HZ) -> Tensor:
    """Log-mel of a mono sound; step s is centred at sample 200 s.

    Pre-emphasis y[n] = x[n] - 0.97 x[n-1], STFT (Hann 800, hop 200, half a window of padding at both ends), 80 mel
    bands on the magnitude, 20 log10 - 20 dB, then -100..0 dB to -4..4 with clipping: the published
    numbers of Wav2Lip (Prajwal et al. 2020), which Diff2Lip keeps.

    Args:
        wave: [N] float at 16 kHz, in [-1, 1]; N at least 1, and above 400 to be reflected.
        padding: what the first and the last two steps hear beyond the ends; no other step hears it.
        sample_rate_hz: of the wave. Give it where you have it: a wave of another rate is refused, not misheard.

    Returns:
        [80, 1 + N // 200] in [-4, 4], of the type of the wave.

    Raises:
        MelRateError: another rate than 16 kHz.
        ValueError: whole numbers, no samples, or too few to be reflected.
    """
    half = FFT_SAMPLES // 2
    if sample_rate_hz != SAMPLE_RATE_HZ:
        raise MelRateError(f"sound must be at {SAMPLE_RATE_HZ} Hz, got {sample_rate_hz} Hz: resample it first")
    if wave.ndim != 1 or not len(wave) or not wave.is_floating_point():
        raise ValueError(f"a sound must be [N] floats with samples in it, got {list(wave.shape)} of {wave.dtype}")
    if padding is Padding.ZERO:
        return _log_mel(functional.pad(_emphasised(wave), (half, half)))
    if len(wave) <= half:
        raise ValueError(f"a sound of {len(wave)} samples cannot be reflected over {half}")
    return _log_mel(functional.pad(_emphasised(wave)[None], (half, half), mode="reflect")[0])


def require_windows(mel: Tensor) -> None:
    """Refuse what cannot be mel windows [B, 80, 16], such as those of another rate.

    Raises:
        MelRateError: another shape.
    """
    if mel.ndim != 3 or tuple(mel.shape[1:]) != (NUM_MELS, STEPS_PER_WINDOW):
        raise MelRateError(
            f"mel windows must be [B, {NUM_MELS}, {STEPS_PER_WINDOW}], 200 ms at {STEPS_PER_S} steps a second, "
            f"got {list(mel.shape)}: is the mel of another rate?"
        )


def num_steps(num_samples: int) -> int:
    """Mel steps of a whole sound: the last one is centred at its end or less than a step before."""
    return 1 + num_samples // HOP_SAMPLES


def heard_samples(first_step: int, end_step: int) -> tuple[int, int]:
    """The stretch of samples that the mel steps [first_step, end_step) are made of, ends of the sound not regarded.

    Half an FFT window on both sides, and the sample before, from which pre-emphasis begins.
    """
    return first_step * HOP_SAMPLES - FFT_SAMPLES // 2 - 1, (end_step - 1) * HOP_SAMPLES + FFT_SAMPLES // 2


def log_mel_part(wave: Tensor, first_step: int, end_step: int) -> Tensor:
    """Some steps of the `log_mel` of a long sound, made of the samples that they hear.

    Args:
        wave: [n] float32, what there is of `heard_samples` of these steps: less where the sound begins or ends.
        first_step: first step, at least 0.
        end_step: first step after. From `num_steps` of the whole sound on, steps hear what is left of it, where
            `log_mel` has none.

    Returns:
        [80, end_step - first_step]. Equal to `log_mel` of the whole sound to 1e-6: a matrix product may add in
        another order when it has another shape.
    """
    start, end = heard_samples(first_step, end_step)
    emphasised = _emphasised(wave)[1 if start >= 0 else 0 :]
    missing = max(0, -start - 1), end - max(start, 0) - len(wave)
    return _log_mel(functional.pad(emphasised, missing))


def _emphasised(wave: Tensor) -> Tensor:
    """[N] y[n] = x[n] - 0.97 x[n-1]; the first sample stays."""
    return torch.cat([wave[:1], wave[1:] - PRE_EMPHASIS * wave[:-1]])


def _log_mel(padded: Tensor) -> Tensor:
    """[80, 1 + (N - 800) // 200] of emphasised sound, of which each step takes 800 samples."""
    window = torch.hann_window(FFT_SAMPLES, dtype=padded.dtype, device=padded.device)
    spectrum = torch.stft(padded, FFT_SAMPLES, HOP_SAMPLES, window=window, center=False, return_complex=True).abs()
    level_db = 20 * torch.log10((mel_filters().to(spectrum) @ spectrum).clamp(min=1e-5)) - 20
    return (8 * (level_db + 100) / 100 - 4).clamp(-4, 4)


def mel_window(mel: Tensor, time_s: Fraction, window: SoundWindow = SoundWindow.CENTRED) -> Tensor:
    """The 16 mel steps around a moment, silence where the sound has none.

    Args:
        mel: [80, S] from `log_mel` of sound whose sample 0 lies at time 0.
        time_s: moment of the frame, its pts times its time base.
        window: where the steps lie.

    Returns:
        [80, 16]: 16 steps from `window_start` on.
    """
    first = window_start(time_s, window)
    steps = mel.new_full((NUM_MELS, STEPS_PER_WINDOW), SILENCE)
    low, high = max(first, 0), min(first + STEPS_PER_WINDOW, mel.shape[1])
    if high > low:
        steps[:, low - first : high - first] = mel[:, low:high]
    return steps


def window_start(time_s: Fraction, window: SoundWindow = SoundWindow.CENTRED) -> int:
    """First mel step of the window of a moment; negative near the film's start.

    round(80 t) - 8, or as published floor(80 (t - 1/25)): for frame k at 25 fps int(80 (k - 1) / 25).
    """
    if window is SoundWindow.PUBLISHED:
        return floor((time_s - PUBLISHED_LEAD_S) * STEPS_PER_S)
    return round(time_s * STEPS_PER_S) - STEPS_PER_WINDOW // 2
