"""An inspection tells the truth of a film that is known, and leaves what a dub can use again."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from diff2lip.bundled import bundled_path
from jobs.inspect_job import InspectConfig, inspect_film
from jobs.overrides import override
from jobs.result_table import show_inspection
from pipelines.dub import DubConfig
from pipelines.face_config import FaceConfig
from pipelines.stage import Row
from schemas.shot import TRACKED_SHOT
from tests.synthetic import FilmSpec, make_film


def two_faces_in_the_first_shot(rows: pa.Table) -> pa.Table:
    """What a detector would say of a film whose first shot has a speaker and a listener."""
    return pa.Table.from_pylist([_tracked(row) for row in rows.to_pylist()], schema=TRACKED_SHOT)


def _tracked(row: Row) -> Row:
    span = {"start_pts": row["shot_start_pts"], "end_pts": row["shot_end_pts"], "num_frames": row["shot_num_frames"]}
    facts = {"face_height_px": 60.0, "enlargement": 1.0, "yaw_deg": 3.0, "pitch_deg": 1.0, "smear": 0.0}
    facts |= {"score": 0.99, "speech_scores": [], "covers": [], "descriptor": [], "spread": 0.0, "stretches": []}
    tracks = [span | facts | {"track_index": index, "speaking_score": 0.9 - 0.8 * index} for index in range(2)]
    return row | {"tracks_uri": None, "tracks": [] if row["shot_index"] else tracks}


def test_cuts_are_where_they_were_put_and_tracks_have_their_scores(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(num_frames=60, cuts=(20, 40)))
    inspection = inspect_film(film.path, str(tmp_path / "work"), two_faces_in_the_first_shot)

    shots = inspection.shots
    assert tuple(shot["start_pts"] for shot in shots[1:]) == film.cuts
    assert [shot["num_frames"] for shot in shots] == [20, 20, 20]
    assert shots[1]["start"] == "00:00:00.800"
    assert [track["speaking_score"] for track in shots[0]["tracks"]] == [0.9, 0.1]
    assert {shot["reason"] for shot in shots[1:]} == {"no_face"}


def test_streams_and_facts_are_those_of_the_container(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(languages=("eng", "fra")))
    facts = inspect_film(film.path, str(tmp_path / "work"), two_faces_in_the_first_shot).film

    assert (facts["num_frames"], facts["num_chapters"], facts["duration"]) == (50, 2, "00:00:02.000")
    assert [one["language"] for one in facts["streams"] if one["kind"] == "audio"] == ["eng", "fra"]


def test_the_result_is_plain_json(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4")
    value = inspect_film(film.path, str(tmp_path / "work"), two_faces_in_the_first_shot).as_json()
    assert json.loads(json.dumps(value))["shots"] == value["shots"]


def test_speech_and_scores_are_told_over_time_and_settings_are_followed(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(num_frames=25, cuts=()))
    pieces = [{"start": 1_600, "end": 8_000, "score": 0.91234}]

    def speaker(rows: pa.Table) -> pa.Table:
        spoken = {"original_speech": [{"start": 1_600, "end": 8_000}], "dub_speech": [{"start": 0, "end": 16_000}]}
        shots = [_tracked(row) | spoken for row in rows.to_pylist()]
        heard = [shot | {"tracks": [one | {"speech_scores": pieces} for one in shot["tracks"]]} for shot in shots]
        return pa.Table.from_pylist(heard, schema=TRACKED_SHOT)

    strict = override(InspectConfig(), ["eligibility.sure_face_height_px=90", "eligibility.min_face_height_px=70"])
    usual, large = (inspect_film(film.path, str(tmp_path / "work"), speaker, one) for one in (None, strict))

    [shot] = usual.shots
    assert shot["speech"] == [{"start_s": 0.1, "end_s": 0.5}]
    assert shot["tracks"][0]["speech_scores"] == [{"start_s": 0.1, "end_s": 0.5, "score": 0.912}]
    assert [track["reason"] for track in large.shots[0]["tracks"]] == ["face_too_small"] * 2
    assert shot["tracks"][0]["reason"] != "face_too_small"


def test_faces_are_looked_for_as_in_a_dub_whose_settings_are_the_same() -> None:
    settings = ["detector.detect_every=3", "tracks.min_overlap=0.5", "speaking.expert=bundled:small"]
    inspecting = override(InspectConfig(), [*settings, "crop.size_px=128"])
    dubbing = override(DubConfig(store_uri="", out_dir="", model_path=str(bundled_path("small"))), settings)

    assert inspecting.speaking == dubbing.speaking
    assert inspecting.faces == replace(dubbing.faces, crop=replace(dubbing.crop, size_px=128))
    assert InspectConfig().faces == FaceConfig(crop=dubbing.crop)


def test_people_are_shown_words_and_no_python(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(num_frames=30, cuts=(), width_px=160, height_px=120)).path

    show_inspection(inspect_film(film, str(tmp_path / "work"), two_faces_in_the_first_shot))

    told = capsys.readouterr().out
    assert "default" in told
    assert "('default'" not in told
