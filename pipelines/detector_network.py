"""The networks behind the face detector: pictures in, what they say at every anchor out.

On a CPU the MobileNet runs in ONNX Runtime, a third quicker than in torch and in half the memory.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.assets import asset_path
from pipelines.face_config import BACKENDS, DetectorConfig

if TYPE_CHECKING:
    from torch import Tensor, nn

Frames = NDArray[np.uint8]  # [B, H, W, 3] RGB
Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """What a network takes for a pixel.

    Attributes:
        mean: of each channel in 0..255, which is taken off.
        spread: of each, by which it is divided.
        is_bgr: blue comes first.
    """

    mean: tuple[float, float, float]
    spread: tuple[float, float, float] = (1.0, 1.0, 1.0)
    is_bgr: bool = False


CAFFE = Scale(mean=(104.0, 117.0, 123.0), is_bgr=True)
IMAGENET = Scale(mean=(123.675, 116.28, 103.53), spread=(58.395, 57.12, 57.375))


@dataclass(frozen=True, slots=True)
class Answers:
    """What a network says of B pictures at each of N anchors.

    Attributes:
        offsets: [B, N, 4] of boxes, in units of the anchors.
        points: [B, N, 10] of five points, likewise.
        scores: [B, N] how surely a face is there, 0..1.
    """

    offsets: Floats
    points: Floats
    scores: Floats


Network = Callable[[Frames], Answers]


def detector_network(config: DetectorConfig) -> Network:
    """The network of a backend, loaded.

    Raises:
        AssetUnavailableError: its weights are not to be had.
        ValueError: the file is of another network.
    """
    path = asset_path(BACKENDS[config.backend])
    if config.backend == "resnet50":
        return TorchNetwork(_resnet50(path), IMAGENET, config.device)
    if config.device == "cpu":
        return OnnxMobileNet(path)
    return TorchNetwork(_mobilenet(path), CAFFE, config.device)


class OnnxMobileNet:
    """RetinaFace with a MobileNet-0.25 backbone on one thread of a CPU: the published file as it is."""

    def __init__(self, path: Path) -> None:
        import onnxruntime  # type: ignore[import-untyped]

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # more give other last bits
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def __call__(self, frames: Frames) -> Answers:
        outputs = self._session.run(["loc", "landmarks", "conf"], {"input": caffe_pixels(frames)})
        offsets, points, shares = (np.asarray(output, np.float32) for output in outputs)
        return Answers(offsets, points, shares[..., 1])


class TorchNetwork:
    """A network of RetinaFace in torch: on a GPU, or one that only torch has."""

    def __init__(self, module: "nn.Module", scale: Scale, device: str) -> None:
        self._module, self._scale, self._device = module.eval().to(device), scale, device

    def __call__(self, frames: Frames) -> Answers:
        import torch

        # No TF32: a GPU then answers as a CPU does, to some last bits.
        exact = torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
        with torch.inference_mode(), exact:
            offsets, logits, points = self._module(self._scaled(torch.from_numpy(frames)))
            found = (offsets, points, logits.softmax(-1)[..., 1])
            return Answers(*(np.asarray(output.cpu().numpy(), np.float32) for output in found))

    def _scaled(self, frames: "Tensor") -> "Tensor":
        """[B, 3, H, W] as the network wants them, channels last in memory; bytes travel to the device."""
        pixels = frames.to(self._device).permute(0, 3, 1, 2).float()
        mean, spread = (pixels.new_tensor(values)[:, None, None] for values in (self._scale.mean, self._scale.spread))
        scaled = pixels.flip(1).sub_(mean) if self._scale.is_bgr else pixels.sub_(mean)
        return scaled.div_(spread)


def caffe_pixels(frames: Frames) -> Floats:
    """[B, 3, H, W] as `CAFFE` has them."""
    pixels = np.empty((len(frames), 3, *frames.shape[1:3]), np.float32)
    for frame, planes in zip(frames, pixels, strict=True):
        for samples, mean, plane in zip(cv2.split(frame)[::-1], CAFFE.mean, planes, strict=True):
            np.subtract(samples, np.float32(mean), out=plane)
    return pixels


def _mobilenet(path: Path) -> "nn.Module":
    from pipelines.retinaface import load_retinaface

    return load_retinaface(path)


def _resnet50(path: Path) -> "nn.Module":
    import torch
    from retinaface.network import RetinaFace as ResNet50  # pulls in a large package: only who asks for it pays

    network: Any = ResNet50(
        name="Resnet50",
        pretrained=False,
        return_layers={"layer2": 1, "layer3": 2, "layer4": 3},
        in_channels=256,
        out_channels=256,
    )
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    module: nn.Module = network
    return module
