"""Whose a voice is, as 256 numbers: stretches of one voice lie near each other.

Resemblyzer's network (Wan et al., "Generalized end-to-end loss for speaker verification" (2018)), of which only the
published weights are used: mel and network are written here and give what the package gives.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.assets import asset_path
from pipelines.speech import SampleSpan
from pipelines.stored_sound import Sound
from pipelines.torch_threads import one_thread
from schemas.timing import ANALYSIS_RATE_HZ

Floats = NDArray[np.float32]

ASSET = "resemblyzer"
SIZE = 256
MEL_BANDS, WINDOW_SAMPLES, HOP_SAMPLES = 40, 400, 160  # 25 ms every 10 ms; power, not its logarithm
NUM_LAYERS = 3
LEVEL_DBFS = -30.0  # quieter sound is raised to it, as the package does: power that is no logarithm tells loudness
MIN_SAMPLES = ANALYSIS_RATE_HZ // 2  # it learnt from 1.6 s; less than half a second is a word at most


class VoiceDescriber:
    """Descriptors of voices. The network is loaded with the first stretch."""

    def __init__(self, weights: Path | None = None) -> None:
        self._weights = weights

    def describe(self, sound: Sound, spans: Sequence[SampleSpan]) -> list[Floats]:
        """The voice of each span: [256] of length 1, nowhere below 0; [0] where the span is under half a second.

        The spans go through the network one by one, each in its own length, so none changes another's numbers.

        Args:
            sound: [N] mono at 16 kHz, in -1..1.
            spans: in samples; what lies beyond the sound is not heard.
        """
        return [self._voice(sound[max(0, start) : max(0, end)]) for start, end in spans]

    def _voice(self, wave: Floats) -> Floats:
        import torch

        if len(wave) < MIN_SAMPLES or not wave.any():
            return np.zeros(0, np.float32)
        with one_thread(), torch.inference_mode():
            found: Floats = self._network(torch.from_numpy(voice_mel(raised(wave)))[None])[0].numpy()
        return found

    @cached_property
    def _network(self) -> Any:
        return voice_network(self._weights or asset_path(ASSET))


def raised(wave: Floats) -> Floats:
    """[N] the sound, made louder where it lies below -30 dBFS in the mean; silence is not to be given."""
    level = np.sqrt(np.mean(wave.astype(np.float64) ** 2))
    return np.asarray(wave * max(1.0, 10 ** (LEVEL_DBFS / 20) / level), np.float32)


def voice_mel(wave: Floats) -> Floats:
    """[S, 40] power in mel bands of 16 kHz sound [N], every 10 ms."""
    import librosa

    mel = librosa.feature.melspectrogram(
        y=wave, sr=ANALYSIS_RATE_HZ, n_fft=WINDOW_SAMPLES, hop_length=HOP_SAMPLES, n_mels=MEL_BANDS
    )
    return np.asarray(mel.T[: len(wave) // HOP_SAMPLES], np.float32)  # the last one begins where the sound ends


def voice_network(weights: Path) -> Any:
    """[B, S, 40] mel to [B, 256]: three LSTM layers; the last state is projected and rectified, length 1 (Eq. 4)."""
    import torch
    from torch import nn

    class VoiceNetwork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(MEL_BANDS, SIZE, NUM_LAYERS, batch_first=True)
            self.linear = nn.Linear(SIZE, SIZE)

        def forward(self, mel: torch.Tensor) -> torch.Tensor:
            _, (hidden, _) = self.lstm(mel)
            return nn.functional.normalize(torch.relu(self.linear(hidden[-1])), dim=1)

    network = VoiceNetwork()
    state = torch.load(weights, map_location="cpu", weights_only=True)["model_state"]
    own = network.state_dict()
    network.load_state_dict({name: state[name] for name in own})
    return network.eval()
