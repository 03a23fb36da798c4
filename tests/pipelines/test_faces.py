"""TrackFaces on films whose faces are put there: exact births and deaths, crops of the right place."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest

from diff2lip.config import CropConfig
from pipelines.eligibility import Eligibility
from pipelines.face_config import DetectorConfig
from pipelines.face_detector import FaceDetector
from pipelines.face_frame import apply
from pipelines.face_mesh import FaceMesh
from pipelines.face_scan import between, same_faces
from pipelines.face_tracks import Face
from pipelines.faces import TrackFaces
from pipelines.speaking import speech_pieces
from pipelines.stage import check_chain
from pipelines.storage import read_table
from schemas.frames import TRACK_FRAME
from schemas.shot import ALIGNED_SHOT, TRACKED_SHOT
from tests.cropped_tracks import crops_of
from tests.film_rows import UNHEARD, film_row
from tests.pipelines.standing_faces import frame_with
from tests.portraits import SIDE_PX, talking_portrait
from tests.real_assets import real_asset
from tests.synthetic import FilmSpec, SyntheticFilm, make_film

SPEC = FilmSpec(num_frames=26, cuts=(), width_px=320, height_px=240, sound_start_s=0, languages=("eng",))


def shot_row(film: SyntheticFilm, **changes: Any) -> dict[str, Any]:
    return film_row(film) | {
        "shot_index": 0,
        "num_shots": 1,
        "shot_start_pts": film.pts[0],
        "shot_end_pts": film.end_pts,
        "shot_num_frames": len(film.pts),
        "dub_start_sample": 0,
        "dub_end_sample": 16_000,
        "lag_samples": 0,
        "dub_speech": [],
        "original_speech": [],
        "original_overlap": [],
        **UNHEARD,
        **changes,
    }


def track(stage: TrackFaces, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    tracked = stage(pa.Table.from_pylist(list(rows), schema=ALIGNED_SHOT))
    assert tracked.schema == TRACKED_SHOT
    found: list[dict[str, Any]] = tracked.to_pylist()
    return found


@pytest.fixture
def models() -> None:
    real_asset("retinaface-mobilenet025")
    real_asset("face-mesh")


def test_stage_fits_between_its_neighbours() -> None:
    class Upstream:
        consumes = produces = ALIGNED_SHOT

    check_chain([Upstream, TrackFaces])  # type: ignore[list-item]


def test_constructor_loads_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIFF2LIP_CACHE", str(tmp_path / "empty"))
    TrackFaces(store_uri=str(tmp_path))
    assert not (tmp_path / "empty").exists()


@pytest.mark.assets
@pytest.mark.usefixtures("models")
def test_face_is_tracked_from_its_first_frame_to_its_last(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", SPEC, lambda at: frame_with(80 if 5 <= at < 19 else None))
    (row,) = track(TrackFaces(store_uri=str(tmp_path / "work")), shot_row(film))
    (facts,) = row["tracks"]
    assert (facts["start_pts"], facts["end_pts"]) == (film.pts[5], film.pts[19])
    assert facts["num_frames"] == 14
    assert 80 < facts["face_height_px"] < 150
    assert abs(facts["yaw_deg"]) < 25
    assert facts["speaking_score"] == 0.0
    first, second = facts["stretches"]  # half a second is 12 frames and a half
    assert (first["start_pts"], first["end_pts"], second["end_pts"]) == (film.pts[5], film.pts[18], film.pts[19])
    assert second["start_pts"] == film.pts[18]
    assert abs(first["face_height_px"] - facts["face_height_px"]) < 5
    assert 0 <= facts["spread"] < 0.3


@pytest.mark.assets
@pytest.mark.usefixtures("models")
def test_who_speaks_is_scored_in_each_piece_of_the_speech_in_film_time(tmp_path: Path) -> None:
    """The shot begins two seconds into the film."""
    spec = FilmSpec(num_frames=100, cuts=(), width_px=SIDE_PX, height_px=SIDE_PX)
    film = talking_portrait(tmp_path / "film.mp4", spec).film
    speech = [(32_000, 52_800), (57_600, 64_000)]
    spans = [{"start": start, "end": end} for start, end in speech]
    shot = shot_row(film, shot_start_pts=film.pts[50], shot_num_frames=50, original_speech=spans)

    (row,) = track(TrackFaces(store_uri=str(tmp_path / "work")), shot)

    (facts,) = row["tracks"]
    scores = facts["speech_scores"]
    assert [(piece["start"], piece["end"]) for piece in scores] == speech_pieces(speech)
    assert min(piece["score"] for piece in scores) > Eligibility().min_speaking_score
    assert facts["speaking_score"] == max(piece["score"] for piece in scores)


@pytest.mark.assets
@pytest.mark.usefixtures("models")
def test_crops_show_the_face_where_the_affine_says(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", SPEC, lambda at: frame_with(20 + 4 * at))
    crop = CropConfig(size_px=64)
    (row,) = track(TrackFaces(store_uri=str(tmp_path / "work"), crop=crop), shot_row(film))
    table = read_table(row["tracks_uri"])
    assert table.schema == TRACK_FRAME
    assert table["pts"].to_pylist() == list(film.pts)
    frames = table.to_pylist()
    crops = crops_of(row, 64).astype(float)
    assert np.abs(crops[4:-4] - crops.mean(0)).mean() < 6  # the face moves through the picture, not in its crop
    corners = np.array([frame["affine"] for frame in frames]).reshape(-1, 2, 3)[:, 0, 2]
    assert np.all(np.diff(corners) < 0)


@pytest.mark.assets
@pytest.mark.usefixtures("models")
def test_frames_lie_in_order_of_time_with_each_tracks_own_affine(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", replace(SPEC, num_frames=12), lambda at: frame_with(0, 160))
    (row,) = track(TrackFaces(store_uri=str(tmp_path / "work")), shot_row(film))

    frames = read_table(row["tracks_uri"]).to_pylist()

    assert [(frame["pts"], frame["track_index"]) for frame in frames] == [
        (at, who) for at in film.pts for who in (0, 1)
    ]
    assert all(frame["box"][0] // 160 == frame["track_index"] for frame in frames)  # left face, right face
    lefts = [apply(np.array(frame["affine"]).reshape(2, 3), np.array([160.0, 120.0]))[0] for frame in frames]
    assert all((left > 64) == (frame["track_index"] == 0) for left, frame in zip(lefts, frames, strict=True))


@pytest.mark.assets
@pytest.mark.usefixtures("models")
def test_a_face_that_is_not_found_for_a_while_is_hidden_and_a_short_track_is_described(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", SPEC, lambda at: frame_with(None if 9 <= at < 18 else 80))
    stage = TrackFaces(store_uri=str(tmp_path / "work"))

    (row,) = track(stage, shot_row(film))

    (facts,) = row["tracks"]
    (cover,) = facts["covers"]
    assert cover["kind"] == "thing"
    assert cover["start_pts"] <= film.pts[9]
    assert cover["end_pts"] >= film.pts[17]
    assert len(facts["descriptor"]) == 128


@pytest.mark.assets
@pytest.mark.usefixtures("models")
def test_who_is_behind_a_face_that_passes_is_hidden_by_a_face(tmp_path: Path) -> None:
    spec = replace(SPEC, num_frames=48, width_px=480)
    passes = [320] * 16 + [round(at) for at in np.linspace(320, 0, 16)] + [0] * 16
    film = make_film(tmp_path / "film.mp4", spec, lambda at: frame_with(160, passes[at], width_px=480))
    (row,) = track(TrackFaces(store_uri=str(tmp_path / "work")), shot_row(film))

    (stands,) = [one for one in row["tracks"] if any(cover["kind"] == "face" for cover in one["covers"])]

    (cover,) = stands["covers"]
    behind = [pts for pts, left in zip(film.pts, passes, strict=True) if abs(left - 160) < 20]
    assert cover["start_pts"] <= behind[0]
    assert cover["end_pts"] > behind[-1]


@pytest.mark.assets
@pytest.mark.usefixtures("models")
def test_second_language_finds_the_tracks_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = make_film(tmp_path / "film.mp4", SPEC, lambda at: frame_with(80))
    store = str(tmp_path / "work")
    (first,) = track(TrackFaces(store_uri=store), shot_row(film))
    film.path.unlink()
    monkeypatch.setenv("DIFF2LIP_CACHE", str(tmp_path / "empty"))
    (second,) = track(TrackFaces(store_uri=store), shot_row(film, language="fr", dub_id="e" * 64, lag_samples=99))
    assert (second["tracks"], second["tracks_uri"]) == (first["tracks"], first["tracks_uri"])
    assert second["language"] == "fr"


@pytest.mark.assets
@pytest.mark.usefixtures("models")
def test_shot_without_a_face_keeps_its_row(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", SPEC, lambda at: frame_with(None))
    (row,) = track(TrackFaces(store_uri=str(tmp_path / "work")), shot_row(film))
    assert row["tracks"] == []
    assert row["tracks_uri"] is None


@pytest.mark.assets
@pytest.mark.usefixtures("models")
def test_looking_now_and_then_finds_what_looking_at_all_frames_finds(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", replace(SPEC, num_frames=24), lambda at: frame_with(5 * at))
    tables = []
    for every in (1, DetectorConfig().detect_every):
        stage = TrackFaces(store_uri=str(tmp_path / "work"), detector=DetectorConfig(detect_every=every))
        tables.append(read_table(track(stage, shot_row(film))[0]["tracks_uri"]).to_pylist())
    assert [frame["pts"] for frame in tables[0]] == [frame["pts"] for frame in tables[1]]
    apart = [np.abs(np.subtract(a["landmarks"], b["landmarks"])).max() for a, b in zip(*tables, strict=True)]
    assert max(apart) < 2.0


@pytest.mark.assets
@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("roll_deg", [-35, 20, 50])
def test_landmarks_turn_with_the_head(roll_deg: float) -> None:
    upright = frame_with(80)
    affine = cv2.getRotationMatrix2D((159.5, 119.5), roll_deg, 1.0)
    turned = cv2.warpAffine(upright, affine, (320, 240), borderMode=cv2.BORDER_REPLICATE)
    detector, mesh = FaceDetector(), FaceMesh()
    found = []
    for picture in (upright, turned):
        ((face,),) = detector.detect([picture])
        seen = mesh.found(picture, face.box, face.points[:2])
        assert seen.presence > 0.9
        found.append(seen.landmarks)
    assert np.abs(found[1] - apply(affine, found[0])).mean() < 1.5


def face_at(x: float) -> Face:
    return Face(np.array([x, 0, x + 50, 50]), 0.9, np.full((468, 2), x))


def test_steady_faces_are_paired_and_interpolated_between() -> None:
    pairs = same_faces([face_at(0), face_at(100)], [face_at(103), face_at(6)])
    assert pairs is not None
    assert [round(between(one, other, 1 / 3).box[0]) for one, other in pairs] == [2, 101]


@pytest.mark.parametrize("after", [[], [0], [0, 100, 200], [0, 140], [0, 2]])
def test_face_that_came_went_or_leapt_is_no_steady_stretch(after: list[float]) -> None:
    assert same_faces([face_at(0), face_at(100)], [face_at(x) for x in after]) is None


def test_two_who_may_have_passed_each_other_are_looked_at_in_every_frame() -> None:
    assert same_faces([face_at(0), face_at(30)], [face_at(28), face_at(3)]) is None


def test_empty_stretch_is_steady() -> None:
    assert same_faces([], []) == []
