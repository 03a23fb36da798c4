"""A take keeps its length to the sample and its shape; same samples, same bytes."""

from pathlib import Path

import numpy as np
import pytest

from pipelines.media.opus import write_opus
from pipelines.media.sound import read_mono


@pytest.mark.parametrize("num_samples", [9_600, 10_001])
def test_a_take_comes_back_where_it_was(tmp_path: Path, num_samples: int) -> None:
    time_s = np.arange(num_samples) / 24_000
    sound = (0.4 * np.sin(2 * np.pi * (200 + 400 * time_s) * time_s)).astype(np.float32)

    write_opus(tmp_path / "take.ogg", sound, 24_000)

    back = read_mono(tmp_path / "take.ogg", 24_000)
    assert abs(len(back) - num_samples) <= 1
    middle = slice(1200, num_samples - 1200)
    assert np.corrcoef(back[middle], sound[middle])[0, 1] > 0.99


def test_the_same_samples_give_the_same_bytes(tmp_path: Path) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(4_800).astype(np.float32)

    for name in ("one.ogg", "two.ogg"):
        write_opus(tmp_path / name, noise, 24_000)

    assert (tmp_path / "one.ogg").read_bytes() == (tmp_path / "two.ogg").read_bytes()


def test_a_rate_that_opus_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="44100"):
        write_opus(tmp_path / "take.ogg", np.zeros(100, np.float32), 44_100)
