"""The log-mel is librosa's, its steps in a stretch are those of the whole sound, and another rate is refused."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from librosa import stft
from librosa.filters import mel as mel_basis

from diff2lip.config import SoundWindow, parity_model
from diff2lip.mel import (
    MelRateError,
    Padding,
    heard_samples,
    log_mel,
    log_mel_part,
    num_steps,
    window_start,
)
from diff2lip.unet import UNet

SUMMING_ORDER = 1e-6  # of a matrix product may depend on its shape; the range is -4 to 4
WAVE = 0.3 * torch.randn(40_123, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("num_samples", [1, 199, 200, 201, 16_000])
def test_a_sound_has_a_step_every_200_samples_from_its_first_on(num_samples: int) -> None:
    assert log_mel(WAVE[:num_samples]).shape == (80, num_steps(num_samples))


@pytest.mark.parametrize(("first", "end"), [(0, 1), (0, 30), (1, 20), (2, 3), (3, 50), (100, 164), (150, 201)])
def test_the_steps_of_a_stretch_are_those_of_the_whole_sound(first: int, end: int) -> None:
    start, after = heard_samples(first, end)

    part = log_mel_part(WAVE[max(start, 0) : after], first, end)

    assert part.shape == (80, end - first)
    assert (part - log_mel(WAVE)[:, first:end]).abs().max() <= SUMMING_ORDER


def test_steps_hear_nothing_beyond_their_samples() -> None:
    start, after = heard_samples(50, 60)
    other = WAVE.clone()
    other[:start], other[after:] = 1, -1

    assert torch.equal(log_mel(WAVE)[:, 50:60], log_mel(other)[:, 50:60])
    assert not torch.equal(log_mel(WAVE)[:, 49:61], log_mel(other)[:, 49:61])


def of_librosa(wave: np.ndarray, pad_mode: str) -> np.ndarray:
    emphasised = np.append(wave[:1], wave[1:] - 0.97 * wave[:-1])
    spectrum = np.abs(stft(emphasised, n_fft=800, hop_length=200, win_length=800, pad_mode=pad_mode))
    bands = mel_basis(sr=16_000, n_fft=800, n_mels=80, fmin=55, fmax=7600) @ spectrum
    level_db = 20 * np.log10(np.maximum(1e-5, bands)) - 20
    return np.clip(8 * ((level_db + 100) / 100) - 4, -4, 4)


@pytest.mark.parametrize(("padding", "pad_mode"), [(Padding.ZERO, "constant"), (Padding.REFLECT, "reflect")])
def test_both_paddings_are_those_of_librosa(padding: Padding, pad_mode: str) -> None:
    mel = log_mel(WAVE, padding)

    np.testing.assert_allclose(mel, of_librosa(WAVE.numpy(), pad_mode), atol=2e-4)


def test_the_paddings_differ_at_the_ends_alone() -> None:
    zero, reflected = (log_mel(WAVE, padding) for padding in Padding)

    apart = (zero - reflected).abs().amax(0) > 1e-3
    assert apart[:2].all()
    assert apart[-2:].all()
    assert not apart[2:-2].any()  # half a window of 400 samples is two steps of 200


def test_a_sound_too_short_to_be_reflected_is_refused() -> None:
    with pytest.raises(ValueError, match="400 samples cannot be reflected"):
        log_mel(torch.zeros(400), Padding.REFLECT)


def test_a_sound_of_another_rate_is_refused_and_not_misheard() -> None:
    with pytest.raises(MelRateError, match="16000 Hz, got 48000 Hz: resample"):
        log_mel(WAVE, sample_rate_hz=48_000)


@pytest.mark.parametrize("shape", [(2, 80, 20), (2, 128, 16), (80, 16)])
def test_a_mel_of_another_rate_is_refused_by_the_network(shape: tuple[int, ...]) -> None:
    with pytest.raises(MelRateError, match=r"must be \[B, 80, 16\], 200 ms at 80 steps a second"):
        UNet(parity_model()).encode_sound(torch.zeros(shape))


def test_published_windows_of_frames_start_as_published_and_60_ms_after_the_centred_ones() -> None:
    published = [window_start(Fraction(frame, 25), SoundWindow.PUBLISHED) for frame in range(1, 9)]

    assert published == [0, 3, 6, 9, 12, 16, 19, 22]  # int(80 (k - 1) / 25)
    later = [
        window_start(Fraction(frame, 25), SoundWindow.PUBLISHED) - window_start(Fraction(frame, 25))
        for frame in range(5, 205)
    ]
    assert sum(later) / len(later) * 12.5 == pytest.approx(60, abs=6.25)  # whole steps of 12.5 ms are rounded down
