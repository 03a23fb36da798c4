"""The Frechet distance is the published formula, for few features and for many."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from diff2lip.metrics import frechet_distance, frechet_features, load_backbone
from tests.real_assets import real_asset


def features(count: int, width: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(count, width)) @ generator.normal(size=(width, width)) + generator.normal(size=width)


def formula(one: np.ndarray, other: np.ndarray) -> float:
    covariances = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    root = sqrtm(covariances[0] @ covariances[1]).real
    apart = one.mean(0) - other.mean(0)
    return float(apart @ apart + np.trace(covariances[0] + covariances[1] - 2 * root))


@pytest.mark.parametrize(("count", "others"), [(300, 200), (40, 9), (12, 15)], ids=["many", "mixed", "few"])
def test_it_is_the_formula_with_the_root_of_scipy(count: int, others: int) -> None:
    one, other = features(count, 10, 0), features(others, 10, 1)

    found = frechet_distance(torch.from_numpy(one), torch.from_numpy(other))

    assert found == pytest.approx(formula(one, other), rel=1e-6)  # sqrtm loses half its digits where C C' is singular


def test_equal_sets_are_not_apart() -> None:
    one = torch.from_numpy(features(50, 10, 0))

    assert frechet_distance(one, one) < 1e-9 * float(one.var(0).sum())


def test_a_set_that_is_moved_is_as_far_as_the_square_of_its_way() -> None:
    one = torch.from_numpy(features(50, 10, 0))

    assert frechet_distance(one, one + 3.0) == pytest.approx(10 * 9.0, rel=1e-9)


def test_gaussians_with_known_spread_have_the_known_distance() -> None:
    one = torch.from_numpy(features(50, 1, 3))

    spread = float(one.std())
    assert frechet_distance(one - one.mean(), 2 * (one - one.mean())) == pytest.approx(spread**2, rel=1e-9)


def test_sets_without_a_spread_are_refused() -> None:
    with pytest.raises(ValueError, match="two rows at least, got 1 and 3"):
        frechet_distance(torch.zeros(1, 4), torch.zeros(3, 4))
    with pytest.raises(ValueError, match=r"\[N, D\] and \[M, D\]"):
        frechet_distance(torch.zeros(3, 4), torch.zeros(3, 5))


def test_the_backbone_knows_a_cat_from_a_cup() -> None:
    from skimage import data
    from torchvision.models import MobileNet_V2_Weights

    network = load_backbone(real_asset("mobilenet-v2"))
    photos = [torch.from_numpy(photo).permute(2, 0, 1)[None] for photo in (data.chelsea(), data.coffee())]

    pooled = torch.cat([frechet_features(network, photo) for photo in photos])

    names = MobileNet_V2_Weights.IMAGENET1K_V1.meta["categories"]
    guesses = [names[index] for index in network.get_submodule("classifier")(pooled).argmax(1).tolist()]
    assert "cat" in guesses[0]
    assert guesses[1] in ("espresso", "cup")
