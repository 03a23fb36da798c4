"""Learned perceptual distances: LPIPS where its backbone is at hand, and its shift-tolerant sister."""

import warnings
from collections import OrderedDict
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from diff2lip.weights_file import check_weights

LPIPS_BACKBONE = "alexnet-owt-7be5be79.pth"  # torchvision's name for its AlexNet
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of [-1, 1] pixels to the network's range
TINY = 1e-10  # added to a length before it divides
BINOMIAL = (1.0, 2.0, 1.0)
CHANNELS = (64, 192, 384, 256, 256)  # of the five maps that are compared


class PerceptualWeightsError(RuntimeError):
    """Weights of a perceptual distance that are not on this machine; says where they belong."""


def backbone_path() -> Path:
    """Where torchvision keeps the AlexNet that LPIPS is calibrated on."""
    return Path(torch.hub.get_dir()) / "checkpoints" / LPIPS_BACKBONE


def load_lpips() -> nn.Module:
    """LPIPS 0.1 over AlexNet by the `lpips` package; use with `perceptual_distance`.

    Zhang, Isola, Efros, Shechtman & Wang, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric"
    (2018). The package carries the calibrated heads alone.

    Raises:
        PerceptualWeightsError: AlexNet is not here; nothing is downloaded.
    """
    path = backbone_path()
    if not path.is_file():
        raise PerceptualWeightsError(
            f"LPIPS needs torchvision's ImageNet AlexNet, and no registry has it: put {path.name} into {path.parent}, "
            "or measure ST-LPIPS, whose weights are an asset"
        )
    from lpips import LPIPS

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of torchvision, on how the package asks for weights
        network: nn.Module = LPIPS(net="alex", verbose=False)
    return network.eval()


def load_st_lpips(path: Path) -> "StLpips":
    """ST-LPIPS of a weights file, in eval mode.

    Args:
        path: `alex_shift_tolerant.pth` of the authors' package `stlpips-pytorch`.

    Raises:
        CheckpointError: the weights do not fit; all are named.
    """
    weights = torch.load(path, map_location="cpu", weights_only=True)
    network = StLpips()
    check_weights(network, weights, "shift-tolerant AlexNet")
    network.load_state_dict(weights)
    return network.eval()


@torch.inference_mode()
def perceptual_distance(network: nn.Module, painted: Tensor, truth: Tensor) -> Tensor:
    """The distance of each pair of pictures; 0 when they are equal.

    Args:
        network: from `load_lpips` or `load_st_lpips`; the figure bears its name.
        painted: [B, 3, H, W] RGB in [-1, 1].
        truth: the same.

    Returns:
        [B] float32, at least 0.

    Raises:
        ValueError: the shapes differ.
    """
    if painted.shape != truth.shape or painted.ndim != 4 or painted.shape[1] != 3:
        raise ValueError(f"pictures must be [B, 3, H, W] alike, got {list(painted.shape)} and {list(truth.shape)}")
    return torch.as_tensor(network(painted, truth)).flatten()


class StLpips(nn.Module):
    """Shift-tolerant LPIPS over an AlexNet that is blurred before each halving. Not LPIPS: its figures are its own.

    Ghildyal & Liu, "Shift-tolerant Perceptual Similarity Metric" (2022), section 4; the blur is that of Zhang,
    "Making Convolutional Networks Shift-Invariant Again" (2019). With f_l the features of layer l at unit length,

        d(x, y) = sum_l mean_hw(w_l . (f_l(x) - f_l(y))^2)

    Names and shapes of the weights are those of the authors' file. `forward`: [B, 3, H, W] twice, RGB in [-1, 1],
    to [B, 1, 1, 1].
    """

    def __init__(self) -> None:
        super().__init__()
        self.scaling_layer = _Scaling()
        self.net = nn.ModuleDict({f"slice{number}": layers for number, layers in enumerate(_slices(), start=1)})
        for index, channels in enumerate(CHANNELS):
            head = nn.Sequential(nn.Dropout(), nn.Conv2d(channels, 1, 1, bias=False))
            self.add_module(f"lin{index}", nn.ModuleDict({"model": head}))

    def forward(self, painted: Tensor, truth: Tensor) -> Tensor:
        x, y = self.scaling_layer(painted), self.scaling_layer(truth)
        distance = painted.new_zeros(len(painted), 1, 1, 1)
        for index, layers in enumerate(self.net.values()):
            x, y = layers(x), layers(y)
            change = (_unit(x) - _unit(y)).square()
            distance = distance + self.get_submodule(f"lin{index}.model")(change).mean((2, 3), keepdim=True)
        return distance


class _Scaling(nn.Module):
    """Pixels in [-1, 1] to the range that AlexNet was trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("shift", torch.tensor(SHIFT)[None, :, None, None])
        self.register_buffer("scale", torch.tensor(SCALE)[None, :, None, None])

    def forward(self, pixels: Tensor) -> Tensor:
        return (pixels - self.get_buffer("shift")) / self.get_buffer("scale")


class _BlurHalving(nn.Module):
    """Every second sample of a map blurred by the 3 x 3 binomial, two reflected samples around it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        row = torch.tensor(BINOMIAL) / sum(BINOMIAL)
        self.register_buffer("filt", (row[:, None] * row).expand(channels, 1, 3, 3).clone())

    def forward(self, x: Tensor) -> Tensor:
        padded = functional.pad(x, (2, 2, 2, 2), mode="reflect")
        return functional.conv2d(padded, self.get_buffer("filt"), stride=2, groups=x.shape[1])


def _slices() -> list[nn.Sequential]:
    """The five stretches of the network, each ending in a ReLU whose map is compared."""
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 11, padding=2), _BlurHalving(64), nn.ReLU()]
    layers += [nn.MaxPool2d(3, 1), _BlurHalving(64), nn.Conv2d(64, 192, 5, padding=2), nn.ReLU()]
    layers += [nn.MaxPool2d(3, 1), _BlurHalving(192), nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()]
    layers += [nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(), nn.Conv2d(256, 256, 3, padding=1), nn.ReLU()]
    named = [(str(place), layer) for place, layer in enumerate(layers)]
    edges = (0, 3, 7, 11, 13, 15)
    return [nn.Sequential(OrderedDict(named[low:high])) for low, high in pairwise(edges)]


def _unit(features: Tensor) -> Tensor:
    return features / (features.square().sum(1, keepdim=True).sqrt() + TINY)
