"""Between two looks of the detector faces are followed, and looked for wherever that may go wrong."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.face_config import DetectorConfig
from pipelines.face_detector import FaceDetector
from pipelines.face_mesh import FaceMesh
from pipelines.face_scan import scan_faces
from pipelines.face_tracks import Face
from tests.pipelines.standing_faces import frame_with

pytestmark = pytest.mark.assets

Pixels = NDArray[np.uint8]

EVERY = DetectorConfig().detect_every


class CountingDetector(FaceDetector):
    """The detector, and how many frames it looked at."""

    num_frames = 0

    def detect(self, frames: object) -> list[list[object]]:  # type: ignore[override]
        self.num_frames += len(frames)  # type: ignore[arg-type]
        return super().detect(frames)  # type: ignore[arg-type, return-value]


def scan(place_of: Callable[[int], int | None], num_frames: int = 30) -> tuple[list[list[Face]], int]:
    """Faces of each frame of a film in which a face stands at a place in x, and frames looked at by the detector."""
    detector = CountingDetector()
    frames = [(index, frame_with(place_of(index))) for index in range(num_frames)]
    return [faces for _, faces in scan_faces(frames, detector, FaceMesh(), EVERY)], detector.num_frames


def places(found: list[list[Face]]) -> list[float | None]:
    """Where the face of each frame begins."""
    assert all(len(faces) <= 1 for faces in found)
    return [float(faces[0].landmarks[:, 0].min()) if faces else None for faces in found]


def test_the_detector_looks_at_a_steady_face_now_and_then() -> None:
    found, num_looked = scan(lambda _: 80)
    assert None not in places(found)
    assert num_looked == 1 + -(-29 // EVERY)


@pytest.mark.parametrize("begin", range(3, 3 + EVERY))
def test_a_face_that_is_long_enough_to_be_painted_is_found_to_the_frame(begin: int) -> None:
    found, _ = scan(lambda index: 80 if begin <= index < begin + 10 else None)
    assert [index for index, faces in enumerate(found) if faces] == list(range(begin, begin + 10))


def test_a_face_that_leaps_away_and_back_between_two_looks_is_found_where_it_is() -> None:
    found, num_looked = scan(lambda index: 150 if 3 <= index < 6 else 40, num_frames=EVERY + 1)
    start, *rest = places(found)
    assert start is not None
    assert [x and x - start for x in rest] == pytest.approx([0, 0, 110, 110, 110, *[0] * (EVERY - 5)], abs=3)
    assert num_looked < EVERY + 1  # the stretch was halved, not looked at frame by frame


def test_a_face_that_moves_unevenly_is_met_on_its_way() -> None:
    def place(index: int) -> int:
        return 40 + round(30 * np.sin(index / 4))

    found, _ = scan(place)
    start = places(found)[0]
    assert start is not None
    apart = [x - start - (place(index) - place(0)) for index, x in enumerate(places(found)) if x is not None]
    assert len(apart) == 30
    assert np.abs(apart).max() < 3
