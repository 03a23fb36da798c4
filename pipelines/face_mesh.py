"""MediaPipe face mesh: 468 landmarks of one face in one frame."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.assets import asset_path
from pipelines.face_crop import crop_frame
from pipelines.face_frame import apply, invert
from schemas.frames import NUM_LANDMARKS

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]  # [H, W, 3] RGB

INPUT_PX = 192
MARGIN = 1.5  # side of the square the network was trained on, over the long side of the face's landmarks
EYE_LEFT, EYE_RIGHT = 33, 263  # outer eye corners, left and right in the picture


@dataclass(frozen=True, slots=True)
class MeshSight:
    """What the network saw, and what it said of it.

    Attributes:
        landmarks: [468, 2] in film pixels.
        presence: how surely a face is there, 0..1.
        crop: [192, 192, 3] RGB it looked at.
        affine: [2, 3] from film pixels to the crop's.
    """

    landmarks: Floats
    presence: float
    crop: Pixels
    affine: Floats


class FaceMesh:
    """Finds the landmarks of a face. The model is loaded with the first face."""

    def found(self, frame: Pixels, box: Floats, eyes: Floats | None = None) -> MeshSight:
        """The face in a box.

        It is looked at three times: the first finds the face in the box, the second sees it centred and upright, the
        third as `refined` would see it in the next frame, so that landmarks do not leap where the detector looked.

        Args:
            frame: [H, W, 3] RGB.
            box: [4] x0 y0 x1 y1 of the face.
            eyes: [2, 2] the eyes from left to right in the picture; without them the head is taken to be upright.
        """
        level = np.array([[0.0, 0.0], [1.0, 0.0]])
        first = self._seen(frame, square_affine(box.reshape(2, 2), level if eyes is None else eyes))
        return self.refined(frame, self.refined(frame, first.landmarks).landmarks)

    def refined(self, frame: Pixels, near: Floats) -> MeshSight:
        """The same, where it is known nearly where its landmarks are.

        Args:
            frame: [H, W, 3] RGB.
            near: [468, 2] in film pixels.
        """
        return self._seen(frame, square_affine(near, near[[EYE_LEFT, EYE_RIGHT]]))

    def _seen(self, frame: Pixels, affine: Floats) -> MeshSight:
        crop = crop_frame(frame, affine, INPUT_PX, finest=1)
        points, presence = self._infer(crop)
        return MeshSight(apply(invert(affine), points), presence, crop, affine)

    def _infer(self, crop: Pixels) -> tuple[Floats, float]:
        interpreter, source, outputs = self._interpreter
        interpreter.set_tensor(source, crop[None].astype(np.float32) / 255)
        interpreter.invoke()
        values = [np.asarray(interpreter.get_tensor(output), np.float64).reshape(-1) for output in outputs]
        points, logit = sorted(values, key=len, reverse=True)
        # The network counts from the corner of the first pixel; pixel centres lie at integers here.
        return points.reshape(NUM_LANDMARKS, 3)[:, :2] - 0.5, float(1 / (1 + np.exp(-logit[0])))

    @cached_property
    def _interpreter(self) -> tuple[Any, int, list[int]]:
        from ai_edge_litert.interpreter import Interpreter  # loads a native library: only who has a face pays

        interpreter = Interpreter(model_path=str(asset_path("face-mesh")), num_threads=1)
        interpreter.allocate_tensors()
        outputs = [detail["index"] for detail in interpreter.get_output_details()]
        return interpreter, interpreter.get_input_details()[0]["index"], outputs


def square_affine(points: Floats, eyes: Floats) -> Floats:
    """[2, 3] from film pixels to the network's input: a square around all points, the eyes level.

    Args:
        points: [N, 2] what it has to show; two corners of a box will do.
        eyes: [2, 2] the eyes from left to right.
    """
    across = (eyes[1] - eyes[0]) / max(float(np.linalg.norm(eyes[1] - eyes[0])), 1e-6)
    rotation = np.array([across, [-across[1], across[0]]])
    turned = points @ rotation.T
    low, high = turned.min(0), turned.max(0)
    scale = INPUT_PX / (MARGIN * max(float((high - low).max()), 1e-6))
    centre = (INPUT_PX - 1) / 2
    return np.hstack([scale * rotation, (centre - scale * (low + high) / 2)[:, None]])
