"""Sound to log-mel, as Wav2Lip and Diff2Lip hear it, and the mel window that goes with a moment of film."""

from fractions import Fraction
from functools import cache

import torch
from torch import Tensor

SAMPLE_RATE_HZ = 16_000
HOP_SAMPLES = 200  # 12.5 ms
FFT_SAMPLES = 800  # 50 ms
STEPS_PER_S = Fraction(SAMPLE_RATE_HZ, HOP_SAMPLES)  # 80 mel steps a second
NUM_MELS = 80
STEPS_PER_WINDOW = 16  # 200 ms: five frames at 25 fps, held as 200 ms at any frame rate
MEL_LOW_HZ, MEL_HIGH_HZ = 55, 7600
PRE_EMPHASIS = 0.97
SILENCE = -4.0  # log-mel of silence, the lower end of its range


@cache
def mel_filters() -> Tensor:
    """[80, 401] Slaney mel filters over the magnitude spectrum."""
    from librosa.filters import mel

    basis = mel(sr=SAMPLE_RATE_HZ, n_fft=FFT_SAMPLES, n_mels=NUM_MELS, fmin=MEL_LOW_HZ, fmax=MEL_HIGH_HZ)
    return torch.from_numpy(basis)


def log_mel(wave: Tensor) -> Tensor:
    """Log-mel of a mono sound; step s is centred at sample 200 s.

    Pre-emphasis y[n] = x[n] - 0.97 x[n-1], STFT (Hann 800, hop 200, zero padding at both ends), 80 mel
    bands on the magnitude, 20 log10 - 20 dB, then -100..0 dB to -4..4 with clipping: the published
    numbers of Wav2Lip (Prajwal et al. 2020), which Diff2Lip keeps.

    Args:
        wave: [N] float32 at 16 kHz, in [-1, 1]; N at least 1.

    Returns:
        [80, 1 + N // 200] in [-4, 4].
    """
    emphasised = torch.cat([wave[:1], wave[1:] - PRE_EMPHASIS * wave[:-1]])
    window = torch.hann_window(FFT_SAMPLES, dtype=wave.dtype, device=wave.device)
    spectrum = torch.stft(
        emphasised, FFT_SAMPLES, HOP_SAMPLES, window=window, center=True, pad_mode="constant", return_complex=True
    ).abs()
    level_db = 20 * torch.log10((mel_filters().to(wave.device) @ spectrum).clamp(min=1e-5)) - 20
    return (8 * (level_db + 100) / 100 - 4).clamp(-4, 4)


def mel_window(mel: Tensor, time_s: Fraction) -> Tensor:
    """The 16 mel steps around a moment, silence where the sound has none.

    Args:
        mel: [80, S] from `log_mel` of sound whose sample 0 lies at time 0.
        time_s: moment of the frame, its pts times its time base.

    Returns:
        [80, 16]: steps round(80 t) - 8 up to round(80 t) + 7.
    """
    first = round(time_s * STEPS_PER_S) - STEPS_PER_WINDOW // 2
    window = mel.new_full((NUM_MELS, STEPS_PER_WINDOW), SILENCE)
    low, high = max(first, 0), min(first + STEPS_PER_WINDOW, mel.shape[1])
    if high > low:
        window[:, low - first : high - first] = mel[:, low:high]
    return window
