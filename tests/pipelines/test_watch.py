"""A film that was watched in parts has the shots and the tracks that it has looked at shot by shot, to the byte."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import film_parts, part_frames
from pipelines.face_config import FaceConfig
from pipelines.faces import TrackFaces
from pipelines.film_parts import PartShots
from pipelines.media.picture import rgb_frames
from pipelines.shots import DetectShots, ShotConfig, detect_shots, shot_columns, shot_facts
from pipelines.storage import ObjectStore, open_object
from pipelines.watch import WatchPart
from schemas.film_part import FILM_PART
from schemas.shot import ALIGNED_SHOT
from schemas.timing import fraction
from tests.film_rows import UNHEARD, film_row
from tests.pipelines.standing_faces import WALL, Pixels, frame_with
from tests.real_assets import real_asset
from tests.synthetic import FilmSpec, SyntheticFilm, make_film

SPEC = FilmSpec(num_frames=110, cuts=(), width_px=320, height_px=240, sound_start_s=0)
SILENT = {"dub_start_sample": 0, "dub_end_sample": 1, "lag_samples": 0, "dub_speech": []}
SILENT |= {"original_speech": [], "original_overlap": [], **UNHEARD}
WALLS = np.array([(150, 40, 40), (40, 40, 170), (40, 150, 60), (190, 180, 60)], np.uint8)
PLACES = (20, 150, None, 110)  # of the face
Analysed = tuple[list[Any], list[bytes]]

IN_BLACK = (Fraction(1, 5), Fraction(1, 2))
CUTS = (30, 41, 80)  # with two parts the second begins at 55, in a shot without a face


def picture(at: int) -> Pixels:
    """Of each shot another wall, and another place of the face."""
    shot = sum(cut <= at for cut in CUTS)
    frame = frame_with(PLACES[shot])
    frame[(frame == WALL).all(-1)] = WALLS[shot]
    return frame


def fading(at: int) -> Pixels:
    """A face before a wall fades to a long black, and another comes back; the second of two parts begins in it."""
    light = np.interp(at, [0, 25, 34, 79, 89, 109], [1, 1, 0, 0, 1, 1])
    return np.asarray(picture(0 if at < 60 else 90) * light, np.uint8)


def parts_of(film: SyntheticFilm, num_parts: int, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    monkeypatch.setattr(film_parts, "PART_S", SPEC.num_frames / 25 / num_parts)
    return film_parts.part_rows(film_row(film))


def watch(parts: list[dict[str, Any]], store: Path) -> list[int]:
    stage = WatchPart(store_uri=str(store), shots=ShotConfig(), faces=FaceConfig())
    watched: list[int] = stage(pa.Table.from_pylist(parts, schema=FILM_PART))["num_frames_watched"].to_pylist()
    return watched


def analysed(film: SyntheticFilm, store: Path) -> Analysed:
    """Shots and tracks of a film as later stages see them, and the tables of the tracks."""
    films = pa.Table.from_pylist([film_row(film)], schema=DetectShots.consumes)
    rows = [row | SILENT for row in DetectShots(str(store))(films).to_pylist()]
    tracked = TrackFaces(store_uri=str(store))(pa.Table.from_pylist(rows, schema=ALIGNED_SHOT)).to_pylist()
    tables = []
    for row in tracked:
        if row["tracks_uri"]:
            with open_object(row["tracks_uri"]) as file:
                tables.append(file.read())
    return [
        (row["shot_start_pts"], row["shot_end_pts"], row["shot_num_frames"], row["tracks"]) for row in tracked
    ], tables


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> SyntheticFilm:
    real_asset("retinaface-mobilenet025")
    real_asset("face-mesh")
    return make_film(tmp_path_factory.mktemp("watched") / "film.mp4", SPEC, picture)


@pytest.fixture(scope="module")
def shot_by_shot(film: SyntheticFilm, tmp_path_factory: pytest.TempPathFactory) -> Analysed:
    return analysed(film, tmp_path_factory.mktemp("alone"))


@pytest.mark.assets
@pytest.mark.parametrize("num_parts", [1, 2, 4])
def test_a_film_watched_in_parts_is_as_looked_at_shot_by_shot(
    film: SyntheticFilm, shot_by_shot: Analysed, tmp_path: Path, num_parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = parts_of(film, num_parts, monkeypatch)

    assert sum(watch(parts, tmp_path)) == SPEC.num_frames
    assert watch(parts, tmp_path) == [0] * num_parts  # done before

    monkeypatch.setattr("pipelines.shots.rgb_frames", pytest.fail)  # nothing is decoded again
    monkeypatch.setattr("pipelines.faces.rgb_frames", pytest.fail)
    assert analysed(film, tmp_path) == shot_by_shot
    assert [len(tracks) for *_, tracks in shot_by_shot[0]] == [1, 1, 0, 1]
    assert len(shot_by_shot[1]) == 3


@pytest.mark.assets
@pytest.mark.parametrize("num_parts", [1, 2, 5])
def test_a_part_that_begins_in_black_finds_the_cut_in_it(
    tmp_path: Path, num_parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_asset("retinaface-mobilenet025")
    film = make_film(tmp_path / "film.mp4", SPEC, fading)
    alone = analysed(film, tmp_path / "alone")
    monkeypatch.setattr(part_frames, "LEAD_S", (*IN_BLACK, Fraction(5, 2)))

    watch(parts_of(film, num_parts, monkeypatch), tmp_path / "watched")

    monkeypatch.setattr("pipelines.shots.rgb_frames", pytest.fail)
    monkeypatch.setattr("pipelines.faces.rgb_frames", pytest.fail)
    assert len(alone[0]) == 2
    assert analysed(film, tmp_path / "watched") == alone


@pytest.mark.assets
def test_a_part_before_which_nothing_is_seen_is_left_to_whoever_looks_at_the_whole_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_asset("retinaface-mobilenet025")
    film = make_film(tmp_path / "film.mp4", SPEC, fading)
    monkeypatch.setattr(part_frames, "LEAD_S", IN_BLACK)

    watched = watch(parts_of(film, 5, monkeypatch), tmp_path / "watched")

    assert 0 in watched
    assert sum(watched) < SPEC.num_frames
    assert analysed(film, tmp_path / "watched") == analysed(film, tmp_path / "alone")


@pytest.mark.assets
@pytest.mark.parametrize("shortest", [1, 20])
def test_a_frame_that_is_held_over_a_border_and_long_shots_give_the_same_shots(
    film: SyntheticFilm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shortest: int
) -> None:
    """Frames 50 to 54 are shown for a second each: a lead of half a second before the border has none."""
    durations = tuple(25 if 50 <= place < 55 else 1 for place in range(SPEC.num_frames))
    held = make_film(tmp_path / "film.mp4", replace(SPEC, durations=durations), picture)
    monkeypatch.setattr(part_frames, "LEAD_S", (Fraction(1, 2), Fraction(3, 2), Fraction(30)))
    config = ShotConfig(min_shot_frames=shortest)
    row = film_row(held)
    monkeypatch.setattr(film_parts, "PART_S", (row["end_pts"] - row["start_pts"]) * fraction(row["time_base"]) / 3)

    stage = WatchPart(store_uri=str(tmp_path / "store"), shots=config, faces=FaceConfig())
    stage(pa.Table.from_pylist(film_parts.part_rows(row), schema=FILM_PART))

    places = PartShots(ObjectStore(str(tmp_path / "store")), shot_facts(config)).of_film(row)
    frames = rgb_frames(held.path, row["start_pts"], row["end_pts"], 256)
    found = detect_shots(frames, row["end_pts"], fraction(row["time_base"]), config)
    assert places is not None
    assert shot_columns(places) == found
    assert len(found) == (4 if shortest == 1 else 3)


@pytest.mark.assets
def test_parts_that_do_not_agree_are_not_believed(film: SyntheticFilm, shot_by_shot: Analysed, tmp_path: Path) -> None:
    parts = PartShots(ObjectStore(str(tmp_path)), shot_facts(ShotConfig()))
    row = film_row(film)
    parts.put(row["film_id"], (row["start_pts"], row["end_pts"]), [(film.pts[0], film.pts[50], 50)])

    assert parts.of_film(row) is None
    assert analysed(film, tmp_path) == shot_by_shot


def test_a_film_that_cannot_be_decoded_leaves_nothing(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", SPEC, picture)
    data = film.path.read_bytes()
    film.path.write_bytes(data[: len(data) // 3])
    parts = film_parts.part_rows(film_row(film))

    assert watch(parts, tmp_path / "store") == [0]
    assert not [path for path in (tmp_path / "store").rglob("*") if path.is_file()]


def test_a_film_that_ends_early_is_not_believed_to_end_there(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", replace(SPEC, num_frames=40), picture)
    row = film_row(film) | {"end_pts": film.end_pts + 3 * (film.pts[25] - film.pts[0])}

    assert watch(film_parts.part_rows(row), tmp_path / "store") == [0]
    assert PartShots(ObjectStore(str(tmp_path / "store")), shot_facts(ShotConfig())).of_film(row) is None


@given(start=st.integers(-1000, 1000), ticks=st.integers(1, 10**7))
def test_parts_tile_a_film(start: int, ticks: int) -> None:
    film = {"start_pts": start, "end_pts": start + ticks, "time_base": {"num": 1, "den": 1000}}

    parts = film_parts.film_parts(film)

    assert [parts[0][0], parts[-1][1]] == [start, start + ticks]
    assert all(end == begin for (_, end), (begin, _) in pairwise(parts))
    assert all(end > begin for begin, end in parts)
    assert max(end - begin for begin, end in parts) <= 1.5 * film_parts.PART_S * 1000 + 1
