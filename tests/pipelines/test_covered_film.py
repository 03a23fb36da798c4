"""A microphone that comes before a real mouth and goes again: the stage names the frames in which it hides it."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from pipelines.face_detector import FaceDetector
from pipelines.face_mesh import FaceMesh
from pipelines.faces import TrackFaces
from pipelines.media.picture import rgb_frames
from tests.film_rows import as_shot, film_row
from tests.pipelines.test_mouth_cover import ALL_PTS, microphone
from tests.real_assets import real_asset
from tests.synthetic import FilmSpec, make_film

NUM_FRAMES = 75
HELD = range(25, 52)  # frames in which it is there


@pytest.mark.assets
def test_frames_in_which_a_microphone_hides_a_mouth_are_named_and_no_others(tmp_path: Path) -> None:
    """Drawn into the film where the mouth truly is; detector and landmarks see only what a film would show them."""
    clip = [frame for _, frame in islice(rgb_frames(real_asset("clip-test-movie"), -ALL_PTS, ALL_PTS), NUM_FRAMES)]
    detector, mesh = FaceDetector(), FaceMesh()
    for index in HELD:
        (face,) = detector.detect(clip[index][None])[0]
        clip[index] = microphone(clip[index].copy(), mesh.found(clip[index], face.box, face.points[:2]).landmarks)
    height, width = clip[0].shape[:2]
    spec = FilmSpec(num_frames=NUM_FRAMES, cuts=(), width_px=width, height_px=height)
    film = make_film(tmp_path / "film.mp4", spec, draw=lambda index: clip[index])

    (row,) = TrackFaces(store_uri=str(tmp_path / "work"))(as_shot(film_row(film), NUM_FRAMES)).to_pylist()

    found = {
        index
        for track in row["tracks"]
        for cover in track["covers"]
        for index, pts in enumerate(film.pts)
        if cover["start_pts"] <= pts < cover["end_pts"]
    }
    true = set(HELD)
    assert len(found & true) >= 0.9 * len(true)
    assert len(found & true) >= 0.9 * len(found)
    assert np.mean([cover["kind"] == "thing" for track in row["tracks"] for cover in track["covers"]]) == 1
