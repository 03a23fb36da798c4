"""The face detector: frames in, faces with five points out, whatever network does it."""

from collections.abc import Sequence
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.detection import Detection
from pipelines.detector_network import Frames, Network, detector_network
from pipelines.face_anchors import anchors, decode_boxes, decode_points
from pipelines.face_config import DetectorConfig

Answer = NDArray[np.float32]
Floats = NDArray[np.float64]


class FaceDetector:
    """Finds faces. The network is loaded with the first frames, so a run that finds all done loads nothing."""

    def __init__(self, config: DetectorConfig | None = None) -> None:
        self._config = config or DetectorConfig()

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
        answers = self._network(pixels)
        priors = anchors(*pixels.shape[1:3])
        ratio = np.array([width / pixels.shape[2], height / pixels.shape[1]])
        found = zip(answers.offsets, answers.points, answers.scores, strict=True)
        return [self._faces(*of_frame, priors, ratio) for of_frame in found]

    def _faces(
        self, offsets: Answer, points: Answer, scores: Answer, priors: Answer, ratio: Floats
    ) -> list[Detection]:
        """The faces of one frame from what the network says at every anchor; the few sure ones alone are decoded."""
        sure = scores > self._config.min_score
        boxes_px = decode_boxes(offsets[sure], priors[sure]).astype(np.float64)
        points_px = decode_points(points[sure], priors[sure]).astype(np.float64)
        # Pixel centres lie at integers in film pixels; the network counts from the corner of the first pixel.
        return [
            Detection(box * np.tile(ratio, 2) - 0.5, float(score), marks * ratio - 0.5)
            for box, marks, score in distinct(
                boxes_px, points_px, scores[sure].astype(np.float64), self._config.max_overlap
            )
        ]

    @cached_property
    def _network(self) -> Network:
        return detector_network(self._config)


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
