"""The face detector: frames in, faces with five points out, whatever network does it."""

from collections.abc import Sequence
from functools import cached_property, lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipelines.assets import asset_path
from pipelines.detection import Detection
from pipelines.face_config import BACKENDS, DetectorConfig
from pipelines.retinaface import PIXEL_MEAN_BGR as MOBILENET_MEAN_BGR
from pipelines.retinaface import Outputs, anchors, decode_boxes, decode_points, load_retinaface

Frames = NDArray[np.uint8]  # [B, H, W, 3] RGB
Floats = NDArray[np.float64]

IMAGENET_MEAN_RGB, IMAGENET_STD_RGB = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class FaceDetector:
    """Finds faces. The network is loaded with the first frames, so a run that finds all done loads nothing."""

    def __init__(self, config: DetectorConfig | None = None, device: str = "cpu") -> None:
        self._config = config or DetectorConfig()
        self._device = device

    def detect(self, frames: Frames | Sequence[Frames]) -> list[list[Detection]]:
        """The faces of each frame, best score first.

        Args:
            frames: [B, H, W, 3] RGB, or a list of [H, W, 3] of one size.
        """
        size = self._config.batch_size
        batches = [frames[start : start + size] for start in range(0, len(frames), size)]
        return [faces for batch in batches for faces in self._detect_batch(batch)]

    def _detect_batch(self, frames: Frames | Sequence[Frames]) -> list[list[Detection]]:
        height, width = frames[0].shape[:2]
        scale = working_scale(height, width, self._config)
        pixels = np.stack([_resized(frame, scale) for frame in frames])
        with torch.inference_mode():
            offsets, logits, points = self._network(self._normalised(pixels))
            scores = logits.softmax(-1)[..., 1]
        priors = _anchors(*pixels.shape[1:3]).to(self._device)
        ratio = np.array([width / pixels.shape[2], height / pixels.shape[1]])
        return [self._faces(*found, priors, ratio) for found in zip(offsets, points, scores, strict=True)]

    def _faces(
        self, offsets: Tensor, points: Tensor, scores: Tensor, priors: Tensor, ratio: Floats
    ) -> list[Detection]:
        """The faces of one frame from what the network says at every anchor; the few sure ones alone are decoded."""
        sure = scores > self._config.min_score
        boxes_px = _on_cpu(decode_boxes(offsets[sure], priors[sure]))
        points_px = _on_cpu(decode_points(points[sure], priors[sure]))
        # Pixel centres lie at integers in film pixels; the network counts from the corner of the first pixel.
        return [
            Detection(box * np.tile(ratio, 2) - 0.5, float(score), marks * ratio - 0.5)
            for box, marks, score in distinct(boxes_px, points_px, _on_cpu(scores[sure]), self._config.max_overlap)
        ]

    def _normalised(self, pixels: Frames) -> Tensor:
        """[B, 3, H, W] as the backend's network wants it."""
        if self._config.backend == "mobilenet":
            pixels = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2BGR) for frame in pixels])
            bgr = self._floats(pixels)
            return bgr.sub_(bgr.new_tensor(MOBILENET_MEAN_BGR)[:, None, None])
        rgb = self._floats(pixels)
        mean, std = (rgb.new_tensor(values)[:, None, None] for values in (IMAGENET_MEAN_RGB, IMAGENET_STD_RGB))
        return (rgb / 255 - mean) / std

    def _floats(self, pixels: Frames) -> Tensor:
        """[B, 3, H, W], channels last in memory, as it came."""
        return torch.from_numpy(pixels).to(self._device).permute(0, 3, 1, 2).float()

    def _network(self, pixels: Tensor) -> Outputs:
        outputs: Outputs = self._module(pixels)
        return outputs

    @cached_property
    def _module(self) -> nn.Module:
        path = asset_path(BACKENDS[self._config.backend])
        if self._config.backend == "mobilenet":
            return load_retinaface(path).to(self._device)
        from retinaface.network import RetinaFace as ResNet50  # pulls in a large package: only who asks for it pays

        network: nn.Module = ResNet50(
            name="Resnet50",
            pretrained=False,
            return_layers={"layer2": 1, "layer3": 2, "layer4": 3},
            in_channels=256,
            out_channels=256,
        )
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        return network.eval().to(self._device)


def distinct(boxes: Floats, points: Floats, scores: Floats, max_overlap: float) -> list[tuple[Floats, Floats, float]]:
    """Box, points and score of each face, best first, without those that overlap a better one by more than allowed.

    By OpenCV, not torchvision, whose import takes seconds: it loads the compiler of torch.

    Args:
        boxes: [N, 4] x0 y0 x1 y1.
        points: [N, 5, 2].
        scores: [N].
        max_overlap: intersection over union.
    """
    corners = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(corners.tolist(), scores.tolist(), 0.0, max_overlap)
    return [(boxes[face], points[face], float(scores[face])) for face in np.asarray(kept, int).reshape(-1)]


def _on_cpu(values: Tensor) -> Floats:
    return values.cpu().numpy().astype(np.float64)


def working_scale(height: int, width: int, config: DetectorConfig) -> float:
    """By how much a picture is resized before faces are looked for."""
    long_side = max(height, width)
    if long_side > config.max_side_px:
        return config.max_side_px / long_side
    return min(2.0, max(1.0, config.min_side_px / long_side))


def _resized(frame: Frames, scale: float) -> Frames:
    if scale == 1.0:
        return frame
    kernel = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR  # above, two pixels each way are all there are
    resized: Frames = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=kernel)
    return resized


@lru_cache(maxsize=4)
def _anchors(height: int, width: int) -> Tensor:
    return anchors(height, width)
