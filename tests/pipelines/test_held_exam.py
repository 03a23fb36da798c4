"""A painter's exam, against what follows from pictures that are made up."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from diff2lip.checkpoint import save_checkpoint
from diff2lip.config import SamplerConfig
from diff2lip.unet import UNet
from jobs.recipes import tiny_painter
from pipelines.clip_filter import ClipThresholds
from pipelines.held_exam import HeldExam, correlation, openings_of
from pipelines.held_list import choose_held, find_held
from pipelines.mouth_meter import Mouth
from pipelines.stage import Row
from pipelines.storage import ObjectStore
from pipelines.stretch_index import HeldOut, stretch_index
from pipelines.training_window import TRAINING_WINDOW
from schemas.evaluation import HELD_FIGURES
from tests.training_sets import NUM_FRAMES, talking_set

FRAMES = 15
GREEN_A_FRAME = 5  # of tests.training_sets.picture


@pytest.fixture(scope="module", name="figures")
def _figures(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """Of a painter that knows nothing yet, examined twice."""
    folder = tmp_path_factory.mktemp("exam")
    torch.manual_seed(0)
    save_checkpoint(folder / "tiny.safetensors", UNet(tiny_painter().painter.model), {})
    index, _ = stretch_index(talking_set(folder / "data"), ClipThresholds(), HeldOut(share=0.5))
    held = find_held(choose_held(index, 1, FRAMES), index)[0]
    store = ObjectStore(str(folder / "store"))
    sampler = SamplerConfig(steps=1, guidance=1.0)
    exams = [HeldExam(folder / "tiny.safetensors", sampler, TRAINING_WINDOW, store, 2) for _ in range(2)]
    return [exam.examine(*held[0]) for exam in exams]


def test_the_figures_are_those_of_the_schema_and_the_same_again(figures: list[Row]) -> None:
    assert list(figures[0]) == HELD_FIGURES.names
    assert figures[0] == figures[1]


def test_a_reference_laid_over_the_mouth_is_as_far_off_as_its_frame(figures: list[Row]) -> None:
    """All openings are equal, so the frames closed most are the first; frame 2 is the nearest of them outside."""
    first = (NUM_FRAMES - FRAMES) // 2
    outside = round(0.15 * (NUM_FRAMES - FRAMES)) - 1
    apart = [GREEN_A_FRAME * (frame - outside) for frame in range(first, first + FRAMES)]
    expected = np.mean([10 * math.log10(255**2 / (green**2 / 3)) for green in apart])

    assert figures[0]["copied_psnr_db"] == pytest.approx(expected, abs=0.1)


def test_without_faces_nothing_is_said_of_mouths(figures: list[Row]) -> None:
    assert (figures[0]["opening_correlation"], figures[0]["leakage"]) == (None, None)
    assert 0 < figures[0]["mouth_psnr_db"] < 30


def test_a_mouth_that_moves_with_the_truth_correlates_and_a_frozen_one_does_not() -> None:
    gone = np.nan
    true = np.array([0.0, 0.1, 0.3, 0.2, 0.0, 0.4, gone])

    half = 0.1 + true / 2
    assert correlation(half, true) == pytest.approx(1.0)
    assert correlation(np.full(7, 0.2), true) == 0.0
    assert correlation(half, np.full(7, 0.1)) is None  # a mouth at rest says nothing
    assert correlation(half[:4], true[:4]) is None


def test_a_mouth_that_is_not_found_is_no_opening() -> None:
    found = openings_of([Mouth(np.zeros((40, 2)), 0.3), None])

    assert found[0] == pytest.approx(0.3)
    assert np.isnan(found[1])


def test_painted_rows_are_laid_where_they_were_cut_and_nothing_else_changes(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "tiny.safetensors", UNet(tiny_painter().painter.model), {})
    exam = HeldExam(
        tmp_path / "tiny.safetensors", SamplerConfig(), TRAINING_WINDOW, ObjectStore(str(tmp_path / "store")), 1
    )
    picture = np.full((192, 192, 3), 90, np.uint8)
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 200

    laid = exam.laid(picture, red)

    changed = (laid != picture).any(2)
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    crop = tiny_painter().crop
    px = TRAINING_WINDOW.size_px / TRAINING_WINDOW.width
    middle = crop.top + crop.width * crop.mask_row / crop.size_px
    assert rows[0] == pytest.approx((middle - TRAINING_WINDOW.top) * px, abs=2)
    assert columns[0] == pytest.approx((crop.left - TRAINING_WINDOW.left) * px, abs=2)
    assert (laid[changed] == [200, 0, 0]).all()
