"""Independent detectors find the same faces of real clips: dlib's, which sees gradients, and RetinaFace's backends."""

from itertools import islice

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.assets import list_assets
from pipelines.detection import overlap
from pipelines.face_config import DetectorConfig
from pipelines.face_detector import FaceDetector
from pipelines.media.published_frames import published_frames
from tests.real_assets import real_asset

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]

CLIPS = {
    "clip-test-movie": 1,
    "clip-jwp-intro": 1,
    "clip-obama-speech": 2,
    "clip-single-face": 1,
}  # faces in each frame
EVERY, FRAMES = 12, 8


def frames(clip: str) -> list[Pixels]:
    return list(islice(published_frames(real_asset(clip)), 0, EVERY * FRAMES, EVERY))


def boxes(frame: Pixels, detector: FaceDetector) -> list[Floats]:
    return [face.box for face in detector.detect(frame[None])[0]]


@pytest.mark.parametrize("clip", CLIPS)
def test_what_a_detector_of_another_kind_finds_is_found(clip: str) -> None:
    """Histograms of oriented gradients (Dalal and Triggs, 2005), as dlib has them; boxes reach from brows to chin."""
    import dlib

    real_asset("retinaface-mobilenet025")
    other, ours = dlib.get_frontal_face_detector(), FaceDetector()
    seen = agreed = 0
    for frame in frames(clip):
        found = boxes(frame, ours)
        assert len(found) == CLIPS[clip]
        for rect in other(frame, 1):
            square = np.array([rect.left(), rect.top(), rect.right(), rect.bottom()], float)
            seen += 1
            agreed += any(overlap(square, box) > 0.4 for box in found)
    assert seen >= FRAMES // 2
    assert agreed == seen


@pytest.mark.parametrize("clip", CLIPS)
def test_both_backends_find_the_same_faces(clip: str) -> None:
    if not next(asset.present for asset in list_assets() if asset.name == "retinaface-resnet50"):
        pytest.skip("the weights of ResNet-50 are in no package; put them into the cache to run this")
    small, large = (FaceDetector(DetectorConfig(backend=backend)) for backend in ("mobilenet", "resnet50"))
    for frame in frames(clip):
        ours, theirs = boxes(frame, small), boxes(frame, large)
        assert len(ours) == len(theirs) == CLIPS[clip]
        assert all(max(overlap(one, other) for other in theirs) > 0.6 for one in ours)
