"""How far apart two sets of features lie, each taken for a Gaussian."""

import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import mobilenet_v2

from diff2lip.weights_file import check_weights

BACKBONE_NAME = "MobileNetV2"  # goes with the figure: it is no FID
BACKBONE_PX = 224
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
NUM_FEATURES = 1280


def frechet_distance(features: Tensor, others: Tensor) -> float:
    """Frechet distance of the Gaussians that two sets of features are taken for.

    Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium" (2017), Eq. 6:

        d^2 = |m - m'|^2 + Tr(C + C' - 2 (C C')^(1/2))

    With A and A' the centred features over sqrt(N - 1), C = A^T A, and the trace of (C C')^(1/2) is the sum of the
    singular values of A A'^T: no root of a matrix is taken, and sets with fewer features than dimensions are as
    exact as others.

    The figure is called FID where the features are those of Inception-v3 alone; with any other network name that.
    It also falls with the number of features, so only sets of about the same size compare.

    Args:
        features: [N, D], N at least 2.
        others: [M, D], M at least 2.

    Returns:
        d^2, at least 0.

    Raises:
        ValueError: the two differ in D, or one has fewer than two rows.
    """
    if features.ndim != 2 or others.ndim != 2 or features.shape[1] != others.shape[1]:
        raise ValueError(f"features must be [N, D] and [M, D], got {list(features.shape)} and {list(others.shape)}")
    if min(len(features), len(others)) < 2:
        raise ValueError(f"a spread needs two rows at least, got {len(features)} and {len(others)}")
    apart = (features.double().mean(0) - others.double().mean(0)).square().sum()
    root, other_root = _spread(features), _spread(others)
    shared = torch.linalg.svdvals(root @ other_root.mT).sum()
    distance = apart + root.square().sum() + other_root.square().sum() - 2 * shared
    return max(0.0, float(distance))


def load_backbone(path: Path) -> nn.Module:
    """MobileNetV2 of torchvision's ImageNet weights, in eval mode, for `frechet_features`.

    Raises:
        CheckpointError: the weights do not fit; all are named.
    """
    weights = torch.load(path, map_location="cpu", weights_only=True)
    network: nn.Module = mobilenet_v2(weights=None)
    counters = {name: value for name, value in network.state_dict().items() if name.endswith("num_batches_tracked")}
    check_weights(network, counters | weights, BACKBONE_NAME)
    network.load_state_dict(counters | weights)
    return network.eval()


@torch.inference_mode()
def frechet_features(backbone: nn.Module, frames: Tensor) -> Tensor:
    """[F, 1280] float32 pooled features of RGB frames [F, 3, H, W] in 0..255, resized to 224 x 224."""
    pixels = functional.interpolate(frames.float() / 255, (BACKBONE_PX, BACKBONE_PX), mode="bilinear", antialias=True)
    mean, std = (pixels.new_tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    return torch.as_tensor(backbone.get_submodule("features")((pixels - mean) / std).mean((2, 3)))


def _spread(features: Tensor) -> Tensor:
    """[min(N, D), D] whose product with itself is the covariance, R^T R = C."""
    values = features.double()
    centred = (values - values.mean(0)) / math.sqrt(len(values) - 1)
    return torch.linalg.qr(centred, mode="r").R if len(centred) > centred.shape[1] else centred
