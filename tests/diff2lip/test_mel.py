"""Mel steps of a stretch are those of the whole sound."""

import pytest
import torch

from diff2lip.mel import heard_samples, log_mel, log_mel_part, num_steps

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
