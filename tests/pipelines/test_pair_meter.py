"""What is measured of painted frames is what was put into them."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from pipelines.instruments import Instruments
from pipelines.pair_meter import MeterConfig, PairMeter
from pipelines.published_path import PaintedFrame

NUM_FRAMES = 20
FRAMES = np.random.default_rng(0).integers(20, 230, (NUM_FRAMES, 40, 48, 3), np.uint8)
PART = np.zeros((40, 48), np.float32)
PART[22:], PART[20:22] = 1, 0.5
INSIDE = np.rint(PART)[..., None].astype(np.uint8)
SILENCE = torch.zeros(NUM_FRAMES * 640)


def painted(change: int) -> Iterator[PaintedFrame]:
    return (PaintedFrame(frame, frame + change * INSIDE, PART) for frame in FRAMES)


def meter(*, has_truth: bool = True) -> PairMeter:
    return PairMeter(Instruments(), MeterConfig(), has_truth=has_truth, source_is_real=True)


def test_frames_that_are_the_truth_are_wholly_like_it() -> None:
    look = meter()
    assert len(list(look.watching(painted(0), FRAMES))) == NUM_FRAMES

    figures = look.figures(SILENCE)

    assert figures["psnr_db"] == 100  # stands for infinite, as elsewhere in the project
    assert figures["ssim"] == pytest.approx(1)
    assert (figures["seam_ratio"], figures["flicker_ratio"], figures["outside_change"]) == (1, 1, 0)
    assert (look.num_frames, look.size_px) == (NUM_FRAMES, (48, 40))


def test_a_known_change_has_its_known_ratio_and_nothing_outside() -> None:
    look = meter()
    list(look.watching(painted(10), FRAMES))

    figures = look.figures(SILENCE)

    share = float(INSIDE.mean())
    assert figures["psnr_db"] == pytest.approx(10 * math.log10(255**2 / (share * 10**2)))
    assert figures["outside_change"] == 0
    assert figures["flicker_ratio"] == pytest.approx(1, abs=1e-4)  # the same change in every frame


def test_frames_beyond_the_truth_are_not_compared() -> None:
    look = meter()
    list(look.watching(painted(0), FRAMES[:5]))

    assert look.num_frames == NUM_FRAMES
    assert look.figures(SILENCE)["psnr_db"] == 100


def test_what_is_not_measured_is_not_there() -> None:
    look = meter(has_truth=False)
    list(look.watching(painted(10), FRAMES))

    figures = look.figures(SILENCE)

    assert {"seam_ratio", "flicker_ratio", "outside_change"} == set(figures)
