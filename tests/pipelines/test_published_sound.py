"""The mel windows of the published path: which frames have one, and what lies beyond the ends."""

import numpy as np
import pytest
import torch
from librosa import stft
from librosa.filters import mel as mel_basis

from pipelines.published_sound import Padding, num_windows, published_mel, published_windows, window_step

WAVE = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, 16_100).astype(np.float32))


def of_librosa(wave: np.ndarray, pad_mode: str) -> np.ndarray:
    emphasised = np.append(wave[:1], wave[1:] - 0.97 * wave[:-1])
    spectrum = np.abs(stft(emphasised, n_fft=800, hop_length=200, win_length=800, pad_mode=pad_mode))
    bands = mel_basis(sr=16_000, n_fft=800, n_mels=80, fmin=55, fmax=7600) @ spectrum
    level_db = 20 * np.log10(np.maximum(1e-5, bands)) - 20
    return np.clip(8 * ((level_db + 100) / 100) - 4, -4, 4)


@pytest.mark.parametrize(("padding", "pad_mode"), [(Padding.ZERO, "constant"), (Padding.REFLECT, "reflect")])
def test_both_paddings_are_those_of_librosa(padding: Padding, pad_mode: str) -> None:
    mel = published_mel(WAVE, padding)

    np.testing.assert_allclose(mel, of_librosa(WAVE.numpy(), pad_mode), atol=2e-4)


def test_the_paddings_differ_at_the_ends_alone() -> None:
    zero, reflected = (published_mel(WAVE, padding) for padding in Padding)

    apart = (zero - reflected).abs().amax(0) > 1e-3
    assert apart[:2].all()
    assert apart[-2:].all()
    assert not apart[2:-2].any()  # half a window of 400 samples is two steps of 200


def test_windows_start_as_published() -> None:
    assert [window_step(index) for index in range(9)] == [0, 0, 3, 6, 9, 12, 16, 19, 22]


@pytest.mark.parametrize(("seconds", "frames"), [(1, 22), (5, 122), (8, 197), (10, 247), (60, 1497)])
def test_the_last_three_frames_have_no_window(seconds: int, frames: int) -> None:
    assert num_windows(1 + 80 * seconds) == frames


def test_each_frame_gets_its_steps() -> None:
    mel = torch.arange(81.0).expand(80, 81)

    windows = published_windows(mel)

    assert windows.shape == (22, 80, 16)
    assert windows[:, 5, 0].tolist() == [window_step(index) for index in range(22)]
    assert windows[7, 0].tolist() == list(range(19, 35))


def test_a_sound_without_a_window_has_none() -> None:
    assert published_windows(torch.zeros(80, 15)).shape == (0, 80, 16)
    with pytest.raises(ValueError, match="400 samples cannot be reflected"):
        published_mel(torch.zeros(400), Padding.REFLECT)
