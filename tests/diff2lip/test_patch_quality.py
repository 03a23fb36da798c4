"""Flicker, seam and change outside the mask: as the dub measures them, and as they must be by construction."""

import numpy as np
import pytest
import torch

from diff2lip.metrics import flicker_ratio, luma, outside_change, seam_ratio
from pipelines.patch_meter import PatchMeter

NUM_FRAMES, HEIGHT, WIDTH = 8, 24, 30


@pytest.fixture(name="film")
def _film() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Luma before and after, and a feathered mask that moves."""
    generator = np.random.default_rng(0)
    before = generator.uniform(30, 220, (NUM_FRAMES, HEIGHT, WIDTH)).astype(np.float32)
    rows = np.arange(HEIGHT)[:, None] - 6.0 - np.arange(NUM_FRAMES)[:, None, None] / 2
    mask = np.clip(rows / 5, 0, 1) * np.ones((1, 1, WIDTH))
    after = before + mask * generator.normal(0, 20, before.shape)
    return tuple(torch.from_numpy(values.astype(np.float32)) for values in (before, after, mask))  # type: ignore[return-value]


def test_the_ratios_are_those_of_the_dub(film: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> None:
    meter = PatchMeter()
    for pts, (before, after, mask) in enumerate(zip(*(part.numpy() for part in film), strict=True)):
        meter.see(pts, before, after, mask, scale=1)

    assert seam_ratio(*film) == pytest.approx(meter.seam_ratio, rel=1e-5)
    assert flicker_ratio(*film) == pytest.approx(meter.flicker_ratio, rel=1e-5)


def test_a_patch_that_changes_nothing_has_no_flicker_and_no_seam(
    film: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
) -> None:
    before, _, mask = film

    assert flicker_ratio(before, before, mask) == 1
    assert seam_ratio(before, before, mask) == 1
    assert not outside_change(before, before, mask).any()


def test_a_mouth_that_brightens_steadily_does_not_flicker() -> None:
    still, mask = torch.full((9, 4, 4), 100.0), torch.ones(1, 4, 4)
    brightening = still + 3 * torch.arange(9.0)[:, None, None]
    trembling = still + 2 * (torch.arange(9)[:, None, None] % 2)

    assert flicker_ratio(still, brightening, mask) == 1
    assert flicker_ratio(still, trembling, mask) == (4 + 0.25) / 0.25  # each second difference is 4 codes


def test_an_edge_along_the_feather_is_a_seam() -> None:
    flat = torch.full((1, 10, 10), 100.0)
    mask = torch.zeros(1, 10, 10)
    mask[:, 5], mask[:, 6:] = 0.5, 1.0
    stepped = flat + 20 * (mask == 1)

    assert seam_ratio(flat, stepped, mask) == (10 + 0.5) / 0.5  # central difference: half of the step of 20


def test_one_sample_outside_the_mask_is_seen() -> None:
    before = torch.zeros(3, 3, 6, 6, dtype=torch.uint8)
    mask = torch.zeros(1, 6, 6)
    mask[:, 3:] = 0.01
    after = before.clone()
    after[:, :, 3:] = 200
    after[1, 2, 0, 0] = 7

    assert outside_change(before, after, mask).tolist() == [0, 7, 0]


def test_what_cannot_be_said_is_none() -> None:
    before, hard = torch.zeros(2, 6, 6), torch.ones(1, 6, 6)

    assert flicker_ratio(before, before, hard) is None
    assert seam_ratio(before, before, hard) is None


def test_luma_of_grey_is_its_code() -> None:
    grey = torch.full((1, 3, 2, 2), 77, dtype=torch.uint8)

    torch.testing.assert_close(luma(grey), torch.full((1, 2, 2), 77.0))


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"mask \[F or 1, H, W\], got \[2, 6, 6\], \[2, 6, 6\], \[3, 6, 6\]"):
        flicker_ratio(torch.zeros(2, 6, 6), torch.zeros(2, 6, 6), torch.zeros(3, 6, 6))
