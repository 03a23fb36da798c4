"""RetinaFace with a MobileNet-0.25 backbone in torch.

Deng et al., "RetinaFace: Single-shot Multi-level Face Localisation in the Wild" (2020). Batch normalisation is
folded into the convolutions, as in the published ONNX file, whose 59 convolutions are taken in graph order.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from pipelines.onnx_weights import conv_weights

NUM_ANCHORS = 2  # a place, of each level
NUM_LEVELS = 3
FEATURES = 64
SLOPE = 0.1

# (channels in, channels out, stride) of the depthwise-separable blocks, by stage of the backbone.
STAGE_1 = ((8, 16, 1), (16, 32, 2), (32, 32, 1), (32, 64, 2), (64, 64, 1))
STAGE_2 = ((64, 128, 2), *((128, 128, 1),) * 5)
STAGE_3 = ((128, 256, 2), (256, 256, 1))

Outputs = tuple[Tensor, Tensor, Tensor]  # offsets [B, N, 4], logits [B, N, 2], points [B, N, 10]


class RetinaFace(nn.Module):
    """Offsets of boxes, class logits and landmark offsets at every anchor."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            [
                nn.Sequential(_conv(3, 8, 3, stride=2), *(_separable(*block) for block in STAGE_1)),
                nn.Sequential(*(_separable(*block) for block in STAGE_2)),
                nn.Sequential(*(_separable(*block) for block in STAGE_3)),
            ]
        )
        self.laterals = nn.ModuleList([_conv(channels, FEATURES, 1) for channels in (64, 128, 256)])
        self.merge_2 = _conv(FEATURES, FEATURES, 3)
        self.merge_1 = _conv(FEATURES, FEATURES, 3)
        self.contexts = nn.ModuleList([Context() for _ in range(NUM_LEVELS)])
        self.class_heads = nn.ModuleList([nn.Conv2d(FEATURES, NUM_ANCHORS * 2, 1) for _ in range(NUM_LEVELS)])
        self.box_heads = nn.ModuleList([nn.Conv2d(FEATURES, NUM_ANCHORS * 4, 1) for _ in range(NUM_LEVELS)])
        self.point_heads = nn.ModuleList([nn.Conv2d(FEATURES, NUM_ANCHORS * 10, 1) for _ in range(NUM_LEVELS)])

    def forward(self, pixels: Tensor) -> Outputs:
        """Raw outputs at every anchor.

        Args:
            pixels: [B, 3, H, W] BGR in 0..255, less their mean (`detector_network.CAFFE`).
        """
        levels = []
        for stage, lateral in zip(self.stages, self.laterals, strict=True):
            pixels = stage(pixels)
            levels.append(lateral(pixels))
        fine, middle, coarse = levels
        middle = self.merge_2(middle + _enlarge(coarse, middle))
        fine = self.merge_1(fine + _enlarge(middle, fine))
        features = [context(level) for context, level in zip(self.contexts, (fine, middle, coarse), strict=True)]
        offsets = _per_anchor(self.box_heads, features, 4)
        return offsets, _per_anchor(self.class_heads, features, 2), _per_anchor(self.point_heads, features, 10)


class Context(nn.Module):
    """The context module of a level: receptive fields of 3, 5 and 7 px side by side."""

    def __init__(self) -> None:
        super().__init__()
        half, quarter = FEATURES // 2, FEATURES // 4
        self.near = nn.Conv2d(FEATURES, half, 3, padding=1)
        self.shared = _conv(FEATURES, quarter, 3)
        self.middle = nn.Conv2d(quarter, quarter, 3, padding=1)
        self.far = nn.Sequential(_conv(quarter, quarter, 3), nn.Conv2d(quarter, quarter, 3, padding=1))

    def forward(self, features: Tensor) -> Tensor:
        shared = self.shared(features)
        return torch.relu(torch.cat([self.near(features), self.middle(shared), self.far(shared)], dim=1))


def load_retinaface(path: Path) -> RetinaFace:
    """The network with the weights of an ONNX file.

    Raises:
        ValueError: the file is of another network.
    """
    network = RetinaFace()
    with torch.no_grad():
        for conv, (weight, bias) in zip(_in_graph_order(network), conv_weights(path), strict=True):
            if tuple(conv.weight.shape) != weight.shape or conv.bias is None:
                raise ValueError(f"{path.name} is of another network: {weight.shape} for {tuple(conv.weight.shape)}")
            conv.weight.copy_(torch.from_numpy(weight))
            conv.bias.copy_(torch.from_numpy(bias))
    return network.eval().to(memory_format=torch.channels_last)  # twice as fast on a CPU


def _in_graph_order(network: RetinaFace) -> list[nn.Conv2d]:
    """The convolutions as the ONNX graph uses them; the shared one of each context comes twice there."""
    contexts = []
    for context in network.contexts:
        assert isinstance(context, Context)
        contexts += [context.near, context.shared, context.middle, context.shared, context.far]
    parts = [*network.stages, *network.laterals, network.merge_2, network.merge_1, *contexts]
    heads = [*network.class_heads, *network.box_heads, *network.point_heads]
    return [layer for part in (*parts, *heads) for layer in part.modules() if isinstance(layer, nn.Conv2d)]


def _conv(channels: int, out_channels: int, size: int, *, stride: int = 1, groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(channels, out_channels, size, stride, padding=size // 2, groups=groups)
    return nn.Sequential(conv, nn.LeakyReLU(SLOPE, inplace=True))


def _separable(channels: int, out_channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        _conv(channels, channels, 3, stride=stride, groups=channels), _conv(channels, out_channels, 1)
    )


def _enlarge(coarse: Tensor, like: Tensor) -> Tensor:
    return nn.functional.interpolate(coarse, size=like.shape[2:], mode="nearest")


def _per_anchor(heads: nn.ModuleList, features: list[Tensor], size: int) -> Tensor:
    """[B, N, size], level after level, row by row, the anchors of a place side by side."""
    maps = [head(level) for head, level in zip(heads, features, strict=True)]
    return torch.cat([value.permute(0, 2, 3, 1).reshape(len(value), -1, size) for value in maps], dim=1)
