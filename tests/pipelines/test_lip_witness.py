"""An expert is asked about the right frames and the right sound, and what it says moves who is heard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from numpy.typing import NDArray

from diff2lip.bundled import expert_path
from diff2lip.checkpoint import save_expert
from diff2lip.config import CropConfig, whole_face
from diff2lip.errors import CheckpointError
from diff2lip.losses import expert_faces
from diff2lip.mel import log_mel
from diff2lip.syncnet import Expert, ExpertConfig
from jobs.dub_pipeline import open_pipeline
from jobs.inspect_job import film_row
from jobs.model_reference import resolve_model
from jobs.overrides import OverrideError
from pipelines.faces import TrackFaces
from pipelines.lip_vectors import BATCH, MIN_WINDOWS, REACH, MouthVectors, Vectors, expert_crop, fit_of, sound_vectors
from pipelines.lip_witness import steps_in_speech
from pipelines.media.probe import probe_film
from pipelines.speaking import sync_log_odds
from pipelines.speaking_config import SpeakingConfig
from pipelines.training_windows import as_crops
from schemas.shot import ALIGNED_SHOT
from schemas.timing import ANALYSIS_RATE_HZ
from tests.film_rows import UNHEARD
from tests.real_assets import real_asset

SHIPPED = expert_path("bundled:small")
STEP_SAMPLES = ANALYSIS_RATE_HZ // 25
PIECE = (10 * STEP_SAMPLES, 40 * STEP_SAMPLES)


def unit_vectors(steps: range) -> Vectors:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(len(steps), 64)).astype(np.float32)
    return dict(zip(steps, vectors / np.linalg.norm(vectors, axis=1, keepdims=True), strict=True))


def shifted(vectors: Vectors, by: int) -> Vectors:
    return {step + by: vector for step, vector in vectors.items()}


@pytest.fixture(scope="module")
def expert() -> Expert:
    torch.manual_seed(0)
    return Expert(ExpertConfig(name="tiny", face_px=(48, 96), width=2)).eval()


@pytest.mark.parametrize("late", [-1, 0, 1, 3])
def test_a_sound_in_its_place_fits(late: int) -> None:
    """A frame early at most, three late at most: lips lead."""
    mouth = unit_vectors(range(60))
    assert fit_of(mouth, shifted(unit_vectors(range(-20, 80)) | mouth, late), PIECE) > 3.5


@pytest.mark.parametrize("late", [-6, -3, 5, 8])
def test_a_sound_elsewhere_does_not(late: int) -> None:
    mouth = unit_vectors(range(60))
    assert fit_of(mouth, shifted(unit_vectors(range(-20, 80)) | mouth, late), PIECE) < 1


def test_of_a_glimpse_nothing_is_said() -> None:
    mouth, sound = unit_vectors(range(10, 10 + MIN_WINDOWS)), unit_vectors(range(-20, 80))
    assert np.isfinite(fit_of(mouth, sound, PIECE))
    del mouth[10]
    assert np.isnan(fit_of(mouth, sound, PIECE))
    assert sync_log_odds(np.array([np.nan, 2.4])).tolist() == [0.0, 1.0]


def test_windows_are_of_five_steps_that_follow_one_another(expert: Expert) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (40, 96, 96, 3), np.uint8)
    steps = [*range(3, 33), *range(40, 43), *range(50, 57)]
    mouth = MouthVectors(expert)
    for step, crop in zip(steps, crops, strict=True):
        mouth.add(step, crop)

    found = mouth.done()

    assert BATCH < 26
    assert sorted(found) == [*range(3, 29), *range(50, 53)]  # three alone are no window
    for first, place in ((3, 0), (19, 16), (28, 25), (52, 35)):
        with torch.inference_mode():
            alone = expert.embed_faces(
                expert_faces(expert, as_crops(torch.from_numpy(crops[place : place + 5]))[None])
            )
        assert np.abs(found[first] - alone[0].numpy()).max() < 1e-5


def test_the_sound_of_a_step_is_what_the_expert_was_trained_on(expert: Expert) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 3 * ANALYSIS_RATE_HZ).astype(np.float32)

    found = sound_vectors(expert, sound, [20, 30])

    assert sorted(found) == list(range(20 - REACH, 30 + REACH + 1))
    mel = log_mel(torch.from_numpy(sound))
    for step in (12, 25, 38):
        first = 80 * step // 25
        with torch.inference_mode():
            alone = expert.embed_sound(mel[None, None, :, first : first + 16])
        assert np.abs(found[step] - alone[0].numpy()).max() < 1e-5


@pytest.mark.parametrize("rate", [24, 25, 30, 50])
def test_each_step_takes_the_nearest_frame_near_speech(rate: int) -> None:
    times = 1.0 + np.arange(4 * rate) / rate
    found = list(steps_in_speech(times, [(2 * ANALYSIS_RATE_HZ, 3 * ANALYSIS_RATE_HZ)]))
    assert [step for step, _ in found] == list(range(46, 80))  # 2 to 3 s, and five frames around
    assert all(abs(times[place] - step / 25) <= 0.5 / rate + 1e-9 for step, place in found)


def test_the_crop_is_the_one_of_its_training(tmp_path: Path, expert: Expert) -> None:
    assert expert_crop(SHIPPED, 96) == CropConfig()
    save_expert(tmp_path / "published.safetensors", expert, {})
    assert expert_crop(tmp_path / "published.safetensors", 96) == whole_face(96)


def test_the_shipped_expert_has_a_name_and_is_the_same_as_its_file(tmp_path: Path) -> None:
    named = open_pipeline(str(tmp_path), tmp_path, "bundled:small", ["speaking.expert=bundled:small"])

    assert named.settings["speaking"]["expert"] == "bundled:small"
    assert SpeakingConfig(expert="bundled:small").facts == SpeakingConfig(expert=str(SHIPPED)).facts
    with pytest.raises(ValueError, match="it takes bundled:small"):
        SpeakingConfig(expert="bundled:large")


def test_what_is_no_expert_is_refused_before_anything_runs(tmp_path: Path) -> None:
    settings = [f"speaking.expert={tmp_path / 'nobody'}"]
    with pytest.raises(OverrideError, match=r"speaking\.expert=.*nobody: there is no such file"):
        open_pipeline(str(tmp_path), tmp_path, "bundled:small", settings)
    painter = resolve_model("bundled:small", None).path
    with pytest.raises(CheckpointError):
        open_pipeline(str(tmp_path), tmp_path, "bundled:small", [f"speaking.expert={painter}"])


def real_row(clip: str) -> dict[str, Any]:
    """ALIGNED_SHOT of a whole clip in which somebody speaks all the time."""
    path = real_asset(clip)
    film = film_row(path, probe_film(path))
    samples = round(film["num_frames"] / 25 * ANALYSIS_RATE_HZ)
    return film | {
        "shot_index": 0,
        "num_shots": 1,
        "shot_start_pts": film["start_pts"],
        "shot_end_pts": film["end_pts"],
        "shot_num_frames": film["num_frames"],
        "dub_start_sample": 0,
        "dub_end_sample": samples,
        "lag_samples": 0,
        "dub_speech": [],
        "original_speech": [{"start": 0, "end": samples}],
        "original_overlap": [],
        **UNHEARD,
    }


def scores(tracked: pa.Table) -> Iterator[NDArray[np.float64]]:
    """Of each track, from left to right."""
    (row,) = tracked.to_pylist()
    for one in sorted(row["tracks"], key=lambda track: track["track_index"]):
        yield np.array([piece["score"] for piece in one["speech_scores"]])


@pytest.mark.assets
def test_the_shipped_expert_hears_the_speaker_and_its_word_is_kept_apart(tmp_path: Path) -> None:
    for model in ("retinaface-mobilenet025", "face-mesh"):
        real_asset(model)
    rows = pa.Table.from_pylist([real_row("clip-obama-speech")], schema=ALIGNED_SHOT)
    store = str(tmp_path)
    asking = SpeakingConfig(expert="bundled:small")

    alone = list(scores(TrackFaces(store_uri=store)(rows)))
    both = list(scores(TrackFaces(store_uri=store, speaking=asking)(rows)))

    for listener, speaker in (alone, both):
        assert listener.max() < 0.1
        assert np.median(speaker) > 0.9
    assert any(not np.array_equal(one, other) for one, other in zip(alone, both, strict=True))
    again = list(scores(TrackFaces(store_uri=store)(rows)))
    assert all(np.array_equal(one, other) for one, other in zip(alone, again, strict=True))
