"""What is random about a training window follows from its number, not from its neighbours."""

import torch

from diff2lip.training_config import NoiseConfig
from diff2lip.windows import draw_noise
from tests.diff2lip.training_windows import bright_windows, part


def test_a_windows_noise_does_not_depend_on_its_batch() -> None:
    windows, config = bright_windows(6, 16), NoiseConfig(high_share=0.5, drop_sound=0.5)

    whole = draw_noise(windows, config, 3)
    half = draw_noise(part(windows, slice(2, 5)), config, 3)

    for name in ("t", "eps", "fill", "keep"):
        assert torch.equal(getattr(whole, name)[2:5], getattr(half, name))


def test_windows_and_seeds_differ_and_the_two_noises_too() -> None:
    windows, config = bright_windows(2, 16), NoiseConfig()

    one, other = draw_noise(windows, config, 0), draw_noise(windows, config, 1)

    assert not torch.equal(one.eps, other.eps)
    assert not torch.equal(one.eps[0], one.eps[1])
    assert not torch.equal(one.eps, one.fill)


def test_levels_and_dropped_sounds_come_in_the_shares_that_are_asked_for() -> None:
    windows = bright_windows(2000, 1)

    published = draw_noise(windows, NoiseConfig(), 0)
    ours = draw_noise(windows, NoiseConfig(high_share=0.6, high_from=0.5, drop_sound=0.12), 0)

    # Four standard deviations of a share of 2000 draws are 0.045.
    assert published.keep.min() == 1
    assert abs(float((published.t >= 500).float().mean()) - 0.5) < 0.045
    assert abs(float((ours.t >= 500).float().mean()) - 0.8) < 0.045
    assert abs(float((ours.keep == 0).float().mean()) - 0.12) < 0.03
    assert ours.t.min() >= 0
    assert ours.t.max() <= 999
