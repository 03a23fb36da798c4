"""Mel windows read from a stretch of the dub are those cut from the log-mel of the whole dub."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from diff2lip.mel import SILENCE, log_mel, mel_window
from pipelines.dub_mel import TILE_STEPS, DubMel
from schemas.timing import ANALYSIS_RATE_HZ
from tests.synthetic import FILM_24

SUMMING_ORDER = 1e-6  # of a matrix product may depend on its shape; the range is -4 to 4
TILE_SAMPLES = 200 * TILE_STEPS


def noise(num_samples: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, num_samples).astype(np.float32)


@pytest.mark.parametrize("num_samples", [1, 5000, TILE_SAMPLES - 1, TILE_SAMPLES, 2 * TILE_SAMPLES + 5077])
def test_windows_are_those_of_the_whole_dub_from_before_its_start_to_after_its_end(num_samples: int) -> None:
    dub = noise(num_samples)
    frames = range(-30, num_samples * 24 // ANALYSIS_RATE_HZ + 30)
    times_s = [frame / FILM_24 for frame in frames]

    windows = DubMel(dub).windows(times_s)

    whole = log_mel(torch.from_numpy(dub))
    expected = torch.stack([mel_window(whole, time_s) for time_s in times_s])
    assert (windows - expected).abs().max() <= SUMMING_ORDER
    assert (windows[0] == SILENCE).all()
    assert (windows[-1] == SILENCE).all()


def test_a_window_has_the_same_bits_whichever_frames_are_asked_for_with_it() -> None:
    dub = noise(3 * TILE_SAMPLES)
    times_s = [frame / FILM_24 for frame in range(0, 450)]

    together = DubMel(dub).windows(times_s)

    alone = [DubMel(dub).windows([time_s])[0] for time_s in times_s[::37]]
    assert torch.equal(together[::37], torch.stack(alone))


def test_only_the_sound_around_the_frames_is_read() -> None:
    class Watched:
        """A sound that remembers what was taken of it."""

        def __init__(self, samples: np.ndarray) -> None:
            self.samples, self.taken = samples, 0

        def __len__(self) -> int:
            return len(self.samples)

        def __getitem__(self, part: slice, /) -> np.ndarray:
            self.taken += len(self.samples[part])
            return self.samples[part]

    dub = Watched(noise(20 * TILE_SAMPLES))

    DubMel(dub).windows([Fraction(60) + frame / FILM_24 for frame in range(48)])

    assert 0 < dub.taken <= 3 * TILE_SAMPLES
