"""Whether two pictures show the same person, as a face recognition network sees it (`face_descriptor.py`).

Its weights are an asset that is fetched: `diff2lip assets fetch dlib-face-recognition`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.assets import list_assets
from pipelines.face_descriptor import ASSET, FaceDescriber, face_chip
from pipelines.face_detector import FaceDetector
from pipelines.face_mesh import FaceMesh

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]


class FaceIdentity:
    """Finds the faces of a picture, and says who they are."""

    def __init__(self, describer: FaceDescriber | None = None) -> None:
        self._describer = describer or FaceDescriber()
        self._detector, self._mesh = FaceDetector(), FaceMesh()

    @classmethod
    def known(cls) -> "FaceIdentity | None":
        """With the weights that are on this machine; None where there are none."""
        path = next((asset.path for asset in list_assets() if asset.name == ASSET and asset.present), None)
        return None if path is None else cls(FaceDescriber(path))

    def distance(self, first: Sequence[Pixels], second: Sequence[Pixels]) -> float | None:
        """Mean Euclidean distance of picture pairs in which both faces are found; None where there are none."""
        pairs = [(self.descriptor(ours), self.descriptor(theirs)) for ours, theirs in zip(first, second, strict=True)]
        apart = [float(np.linalg.norm(a - b)) for a, b in pairs if a is not None and b is not None]
        return sum(apart) / len(apart) if apart else None

    def descriptor(self, picture: Pixels) -> Floats | None:
        """[128] of the surest face of a picture; None where there is none."""
        return next(iter(self.descriptors(picture)), None)

    def descriptors(self, picture: Pixels) -> list[Floats]:
        """[128] of each face of a picture, the surest first."""
        faces = sorted(self._detector.detect(picture[None])[0], key=lambda face: -face.score)
        chips = [face_chip(picture, self._mesh.found(picture, face.box).landmarks) for face in faces]
        return list(self._describer.describe(chips))
