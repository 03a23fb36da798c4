"""LMD leaves out the place of the head, and its size and turn where asked, and nothing else."""

import numpy as np
import pytest
import torch
from skimage.transform import SimilarityTransform

from diff2lip.metrics import Alignment, lmd

MOUTHS = torch.from_numpy(np.random.default_rng(1).normal(100, 12, (6, 20, 2)))


def moved(points: torch.Tensor, scale: float = 1.0, turn: float = 0.0) -> torch.Tensor:
    rotation = torch.tensor([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return scale * points @ rotation.T + torch.tensor([7.0, -31.0])


def test_a_mouth_elsewhere_is_the_same_mouth() -> None:
    assert lmd(moved(MOUTHS), MOUTHS).abs().max() < 1e-12


def test_size_and_turn_count_unless_they_are_aligned() -> None:
    other = moved(MOUTHS, scale=1.3, turn=0.2)

    assert lmd(other, MOUTHS).min() > 1
    assert lmd(other, MOUTHS, Alignment.SIMILARITY).max() < 1e-9


def test_a_mirror_image_is_another_mouth() -> None:
    mirrored = MOUTHS * torch.tensor([-1.0, 1.0])

    assert lmd(mirrored, MOUTHS, Alignment.SIMILARITY).min() > 1


def test_a_lip_that_drops_by_a_known_length_has_a_known_distance() -> None:
    painted = MOUTHS.clone()
    painted[:, :10, 1] += 4.0  # half of the points by 4 px: the mean moves by 2, so every point ends 2 px off

    np.testing.assert_allclose(lmd(painted, MOUTHS), 2.0, rtol=1e-12)


def test_similarity_is_that_of_scikit_image() -> None:
    painted = moved(MOUTHS, 0.8, -0.4) + torch.from_numpy(np.random.default_rng(2).normal(0, 3, MOUTHS.shape))

    found = lmd(painted, MOUTHS, Alignment.SIMILARITY)

    wanted = []
    for here, there in zip(painted.numpy(), MOUTHS.numpy(), strict=True):
        fitted = SimilarityTransform.from_estimate(here, there)
        wanted.append(np.linalg.norm(fitted(here) - there, axis=1).mean())
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_points_all_in_one_place_give_a_figure() -> None:
    collapsed = torch.full((1, 20, 2), 5.0)

    assert torch.isfinite(lmd(collapsed, MOUTHS[:1], Alignment.SIMILARITY)).all()


def test_sets_that_do_not_pair_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[F, P, 2\] alike"):
        lmd(MOUTHS[:, :19], MOUTHS)
