"""Films unlike others all give a plan: crowds, cut-off faces, single frames, black, turned and squeezed pictures."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from skimage.data import astronaut

from jobs.inspect_job import inspect_film
from pipelines.faces import TrackFaces
from pipelines.plan import plan_shots, plan_table
from pipelines.storage import read_table
from schemas.shot import ALIGNED_SHOT
from tests.cropped_tracks import crops_of
from tests.film_rows import UNHEARD, film_row
from tests.real_assets import real_asset
from tests.synthetic import FilmSpec, SyntheticFilm, make_film

Pixels = NDArray[np.uint8]

SPEC = FilmSpec(num_frames=12, cuts=(), width_px=320, height_px=240, subtitle=None, chapters=False)
FACE = np.asarray(cv2.resize(astronaut()[:200, 130:330], (160, 160), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.fixture(autouse=True)
def _models() -> None:
    for name in ("retinaface-mobilenet025", "face-mesh", "dlib-face-recognition"):
        real_asset(name)


def grey(width_px: int = 320, height_px: int = 240) -> Pixels:
    return np.full((height_px, width_px, 3), 90, np.uint8)


def with_face(x: int, y: int, side_px: int = 160, picture: Pixels | None = None) -> Pixels:
    """A face whose picture's upper left corner lies at a place, which may be outside."""
    frame = grey() if picture is None else picture
    face = cv2.resize(FACE, (side_px, side_px), interpolation=cv2.INTER_AREA)
    left, top = max(0, x), max(0, y)
    right, low = min(frame.shape[1], x + side_px), min(frame.shape[0], y + side_px)
    frame[top:low, left:right] = face[top - y : low - y, left - x : right - x]
    return frame


def tracked(folder: Path, film: SyntheticFilm) -> list[dict[str, Any]]:
    """Its face tracks, in one shot in which original and dub speak all the time."""
    speech = [{"start": 0, "end": 16_000}]
    shot = {"shot_index": 0, "num_shots": 1, "shot_start_pts": film.pts[0], "shot_end_pts": film.end_pts}
    sound = {
        "dub_start_sample": 0,
        "dub_end_sample": 16_000,
        "lag_samples": 0,
        "original_overlap": [],
        **UNHEARD,
    }
    row = film_row(film) | shot | sound | {"shot_num_frames": len(film.pts)}
    row |= {"dub_speech": speech, "original_speech": speech}
    table = TrackFaces(store_uri=str(folder / "work"))(pa.Table.from_pylist([row], schema=ALIGNED_SHOT))
    assert plan_table(plan_shots(table)).num_rows >= 1
    (found,) = table.to_pylist()
    tracks: list[dict[str, Any]] = [one | {"uri": found["tracks_uri"], "row": found} for one in found["tracks"]]
    return tracks


def test_fifty_faces_are_fifty_tracks_and_one_plan(tmp_path: Path) -> None:
    picture = grey(1600, 800)
    for place in range(50):
        with_face(160 * (place % 10), 160 * (place // 10), 150, picture)
    film = make_film(
        tmp_path / "film.mp4", replace(SPEC, num_frames=1, width_px=1600, height_px=800), lambda _: picture
    )

    assert len(tracked(tmp_path, film)) == 50


@pytest.mark.parametrize(("x", "y"), [(-60, 40), (220, 40), (80, -60), (80, 130), (-45, 115)])
def test_a_face_that_is_cut_off_by_the_edge_gives_a_plan(tmp_path: Path, x: int, y: int) -> None:
    film = make_film(tmp_path / "film.mp4", SPEC, lambda _: with_face(x, y))

    (track,) = tracked(tmp_path, film)
    table = read_table(track["uri"])
    assert np.isfinite(np.array(table["landmarks"].to_pylist())).all()
    assert len(crops_of(track["row"], 96, track["track_index"])) == table.num_rows == track["num_frames"]


@pytest.mark.parametrize(("x", "y"), [(-110, 40), (270, 40), (80, 190)])
def test_half_a_face_at_the_edge_gives_a_plan(tmp_path: Path, x: int, y: int) -> None:
    tracked(tmp_path, make_film(tmp_path / "film.mp4", SPEC, lambda _: with_face(x, y)))


def test_shots_of_one_frame_each_give_a_plan(tmp_path: Path) -> None:
    colours = [(20, 20, 20), (230, 40, 40), (30, 220, 60), (40, 60, 230), (240, 240, 240), (0, 160, 160)]

    def draw(at: int) -> Pixels:
        return with_face(80, 40, 160, np.full((240, 320, 3), colours[at % len(colours)], np.uint8))

    film = make_film(tmp_path / "film.mp4", replace(SPEC, num_frames=6, cuts=(1, 2, 3, 4, 5)), draw)

    inspection = inspect_film(film.path, str(tmp_path / "work"))

    assert sum(shot["num_frames"] for shot in inspection.shots) == 6
    assert all(track["verdict"] == "leave" for shot in inspection.shots for track in shot["tracks"])
    (whole,) = tracked(tmp_path / "one", make_film(tmp_path / "one.mp4", replace(SPEC, num_frames=1), draw))
    assert whole["num_frames"] == 1


def test_a_black_film_gives_a_plan_without_faces(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", SPEC, lambda _: np.zeros((240, 320, 3), np.uint8))

    inspection = inspect_film(film.path, str(tmp_path / "work"))

    assert [shot["reason"] for shot in inspection.shots] == ["no_face"]


def crop_of(track: dict[str, Any], at: int = 3) -> NDArray[np.float64]:
    return crops_of(track["row"], 96)[at].astype(np.float64)


def straight(folder: Path) -> dict[str, Any]:
    """The face in a film that is coded as it is shown."""
    film = make_film(folder / "straight.mp4", SPEC, lambda _: with_face(60, 40))
    (track,) = tracked(folder / "straight", film)
    return track


@pytest.mark.parametrize(("rotation", "turns"), [(180, 2), (90, 3), (-90, 1)])
def test_a_film_that_is_coded_turned_shows_the_same_crop_as_one_that_is_not(
    tmp_path: Path, rotation: int, turns: int
) -> None:
    """A phone's upright film is coded lying, with side data by which players turn it."""
    coded = np.ascontiguousarray(np.rot90(with_face(60, 40), turns))  # players turn it back by `rotation`
    spec = replace(SPEC, width_px=coded.shape[1], height_px=coded.shape[0], rotation=rotation)

    (track,) = tracked(tmp_path, make_film(tmp_path / "film.mp4", spec, lambda _: coded))

    upright = straight(tmp_path)
    assert np.abs(crop_of(track) - crop_of(upright)).mean() < 4
    assert track["face_height_px"] == pytest.approx(upright["face_height_px"], rel=0.05)


def test_a_squeezed_film_shows_the_same_crop_as_one_with_square_pixels(tmp_path: Path) -> None:
    squeezed = np.asarray(cv2.resize(with_face(60, 40), (240, 240), interpolation=cv2.INTER_AREA), np.uint8)
    spec = replace(SPEC, width_px=240, sample_aspect_ratio=Fraction(4, 3))

    (track,) = tracked(tmp_path, make_film(tmp_path / "film.mkv", spec, lambda _: squeezed))

    assert np.abs(crop_of(track) - crop_of(straight(tmp_path))).mean() < 5
    affine = np.array(read_table(track["uri"])["affine"][3].as_py()).reshape(2, 3)
    across, down = np.linalg.norm(affine[:, 0]), np.linalg.norm(affine[:, 1])
    assert across / down == pytest.approx(4 / 3, rel=0.02)  # back into pixels that are wider than high
