"""The mel windows of the published path: which frames have one, and which steps it holds."""

import pytest
import torch

from pipelines.published_sound import num_windows, published_windows, window_step


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
