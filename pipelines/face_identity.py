"""Whether two pictures show the same person, as a face recognition network sees it.

dlib's ResNet (King, "High quality face recognition with deep metric learning" (2017)): two pictures of one person lie
below 0.6 of each other in 99.38 % of the pairs of LFW, by its author. Its weights are an asset that is fetched:
`diff2lip assets fetch dlib-face-recognition`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.assets import list_assets
from pipelines.face_crop import crop_frame
from pipelines.face_detector import FaceDetector
from pipelines.face_frame import similarity
from pipelines.face_mesh import FaceMesh

Pixels = NDArray[np.uint8]

ASSET = "dlib-face-recognition"
CHIP_PX, PADDING = 150, 0.25
# Where dlib's network was shown the outer and inner corners of both eyes and the base of the nose, in a unit square.
CHIP_POINTS = np.array([(0.1206, 0.2137), (0.3341, 0.2291), (0.6461, 0.2290), (0.8596, 0.2135), (0.4901, 0.6278)])
MESH_INDICES = (33, 133, 362, 263, 2)


class FaceIdentity:
    """Descriptors of faces, 128 numbers each."""

    def __init__(self, network: Any) -> None:
        self._network = network
        self._detector, self._mesh = FaceDetector(), FaceMesh()

    @classmethod
    def known(cls) -> "FaceIdentity | None":
        """With the weights that are on this machine; None where there are none."""
        path = next((asset.path for asset in list_assets() if asset.name == ASSET and asset.present), None)
        if path is None:
            return None
        import dlib

        return cls(dlib.face_recognition_model_v1(str(path)))

    def distance(self, first: Sequence[Pixels], second: Sequence[Pixels]) -> float | None:
        """Mean Euclidean distance of picture pairs in which both faces are found; None where there are none."""
        pairs = [(self.descriptor(ours), self.descriptor(theirs)) for ours, theirs in zip(first, second, strict=True)]
        apart = [float(np.linalg.norm(a - b)) for a, b in pairs if a is not None and b is not None]
        return sum(apart) / len(apart) if apart else None

    def descriptor(self, picture: Pixels) -> NDArray[np.float64] | None:
        """[128] of the surest face of a picture; None where there is none."""
        best = max(self._detector.detect(picture[None])[0], key=lambda face: face.score, default=None)
        if best is None:
            return None
        landmarks, _ = self._mesh.landmarks(picture, best.box)
        chip = crop_frame(picture, chip_affine(landmarks), CHIP_PX)
        return np.array(self._network.compute_face_descriptor(np.ascontiguousarray(chip)))


def chip_affine(landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    """[2, 3] picture px to px of the square that the network was trained on."""
    return similarity(landmarks[list(MESH_INDICES)], (PADDING + CHIP_POINTS) / (1 + 2 * PADDING) * CHIP_PX)
