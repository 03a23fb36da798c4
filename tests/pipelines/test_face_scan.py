"""Between two looks of the detector faces are followed, and looked for wherever that may go wrong."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from diff2lip.config import CropConfig
from pipelines.face_detector import DetectorConfig, FaceDetector
from pipelines.face_mesh import FaceMesh
from pipelines.face_scan import scan_faces
from pipelines.face_tracks import Face, TrackConfig, link_faces, smooth_track
from pipelines.media.display import View
from pipelines.media.picture import rgb_frames
from pipelines.media.picture_part import rgb_parts
from pipelines.track_pictures import shown_parts, track_pictures
from tests.pipelines.standing_faces import frame_with
from tests.synthetic import FilmSpec, make_film

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
    rest, leapt = places(found)[0], places(found)[4]
    assert rest is not None
    assert leapt is not None
    assert leapt - rest == pytest.approx(110, abs=3)
    assert num_looked == EVERY + 1


def test_a_face_that_moves_unevenly_is_met_on_its_way() -> None:
    def place(index: int) -> int:
        return 40 + round(30 * np.sin(index / 4))

    found, _ = scan(place)
    start = places(found)[0]
    assert start is not None
    apart = [x - start - (place(index) - place(0)) for index, x in enumerate(places(found)) if x is not None]
    assert len(apart) == 30
    assert np.abs(apart).max() < 3


@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
@pytest.mark.parametrize("aspect", [Fraction(1), Fraction(16, 11)])
def test_pictures_cut_out_of_parts_are_those_cut_out_of_whole_frames(
    tmp_path: Path, quarter_turns: int, aspect: Fraction
) -> None:
    def coded(index: int) -> Pixels:
        turned = np.rot90(frame_with(20 + index, 150), -quarter_turns)
        width = round(turned.shape[1] / aspect / 2) * 2
        return np.asarray(cv2.resize(turned, (width, turned.shape[0]), interpolation=cv2.INTER_AREA), np.uint8)

    height, width = coded(0).shape[:2]
    spec = FilmSpec(num_frames=5, cuts=(), width_px=width, height_px=height)
    film = make_film(tmp_path / "film.mp4", spec, coded)
    view = View(width_px=width, height_px=height, aspect=aspect, quarter_turns=quarter_turns)
    frames = [(pts, view.of(frame)) for pts, frame in rgb_frames(film.path, 0, film.end_pts)]
    linked = link_faces(list(scan_faces(frames, FaceDetector(), FaceMesh(), EVERY)), 1 << 40, 0.25)
    tracks = [smooth_track(one, film.pts, film.time_base, CropConfig(), TrackConfig()) for one in linked]
    assert len(tracks) == 2
    parts = shown_parts(tracks, 128, view)

    whole = list(track_pictures(frames, tracks, 128))
    shown = rgb_parts(film.path, 0, film.end_pts, parts)
    cut = list(track_pictures(((pts, view.of(frame)) for pts, frame in shown), tracks, 128))

    places = [(index, place) for place in range(len(film.pts)) for index in range(2)]
    assert [(one.track_index, one.place) for one in cut] == [(one.track_index, one.place) for one in whole] == places
    assert sum(one.chip is not None for one in cut) == 2 * 3
    assert all(ours.crop == theirs.crop for ours, theirs in zip(cut, whole, strict=True))
    chips = [[one.chip for one in of if one.chip is not None] for of in (cut, whole)]
    assert np.array_equal(np.stack(chips[0]), np.stack(chips[1]))
    mouths = [[one.mouth.picture for one in of if one.mouth is not None] for of in (cut, whole)]
    assert len(mouths[1]) == 2 * 3  # frames 0, 3 and the last
    assert np.array_equal(np.stack(mouths[0]), np.stack(mouths[1]))
