"""The speaking score on made mouths and sounds, and on real people."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pipelines.face_detector import FaceDetector
from pipelines.face_frame import mouth_opening
from pipelines.face_mesh import FaceMesh
from pipelines.face_scan import scan_faces
from pipelines.face_tracks import link_faces
from pipelines.media.picture import rgb_frames
from pipelines.media.sound import read_mono
from pipelines.speaking import BLOCK_SAMPLES, loudness, speaking_score
from schemas.timing import ANALYSIS_RATE_HZ
from tests.real_assets import real_asset

Floats = NDArray[np.float64]

SECONDS = 6
EVERYWHERE = [(0, SECONDS * ANALYSIS_RATE_HZ)]


def syllables(seed: int) -> Floats:
    """How far the mouth opens over time, at 100 Hz: smooth noise at the pace of syllables, never below 0."""
    noise = np.random.default_rng(seed).normal(size=SECONDS * 100)
    curve = gaussian_filter1d(noise, 7)
    return np.maximum(0, curve / curve.std() * 0.12 + 0.15)


def voice(openings: Floats) -> NDArray[np.float32]:
    """Noise as loud as the mouth is open."""
    loud = np.interp(
        np.arange(SECONDS * ANALYSIS_RATE_HZ) / ANALYSIS_RATE_HZ * 100, np.arange(len(openings)), openings
    )
    return (np.random.default_rng(9).normal(0, 0.3, len(loud)) * loud**1.5).astype(np.float32)


def seen(openings: Floats, rate_hz: float = 25.0) -> tuple[Floats, Floats]:
    times = np.arange(0, SECONDS - 0.02, 1 / rate_hz)
    return times, np.interp(times * 100, np.arange(len(openings)), openings)


@pytest.mark.parametrize("rate_hz", [12.0, 23.976, 25.0, 50.0])
def test_mouth_that_makes_the_sound_scores_high_at_any_frame_rate(rate_hz: float) -> None:
    mouth = syllables(0)
    assert speaking_score(*seen(mouth, rate_hz), loudness(voice(mouth)), EVERYWHERE) > 0.85


@pytest.mark.parametrize("late_s", [-0.1, 0.1])
def test_sound_a_tenth_of_a_second_off_is_still_the_mouths(late_s: float) -> None:
    mouth = syllables(0)
    times, openings = seen(mouth)
    assert speaking_score(times + late_s, openings, loudness(voice(mouth)), EVERYWHERE) > 0.8


def test_mouth_that_moves_to_another_sound_scores_low() -> None:
    scores = [
        speaking_score(*seen(syllables(seed)), loudness(voice(syllables(0))), EVERYWHERE) for seed in range(1, 8)
    ]
    assert np.median(scores) < 0.1
    assert max(scores) < 0.5


def test_resting_mouth_scores_nothing_whatever_is_heard() -> None:
    tremor = 0.03 + np.random.default_rng(1).normal(0, 0.004, SECONDS * 100)
    assert speaking_score(*seen(tremor), loudness(voice(syllables(0))), EVERYWHERE) < 0.05


def test_slow_smile_scores_low() -> None:
    smile = 0.4 / (1 + np.exp(-(np.arange(SECONDS * 100) - 300) / 20))
    assert speaking_score(*seen(smile), loudness(voice(syllables(0))), EVERYWHERE) < 0.1


def test_nobody_speaks_where_no_speech_is_heard() -> None:
    mouth = syllables(0)
    assert speaking_score(*seen(mouth), loudness(voice(mouth)), []) == 0.0
    assert speaking_score(*seen(mouth), loudness(voice(mouth)), [(10**7, 10**7 + 16_000)]) == 0.0


def test_film_longer_than_its_sound_is_scored() -> None:
    mouth = syllables(0)
    score = speaking_score(*seen(mouth), loudness(voice(mouth)[: 2 * ANALYSIS_RATE_HZ]), EVERYWHERE)
    assert 0 <= score <= 1
    assert speaking_score(*seen(mouth), loudness(np.zeros(0, np.float32)), EVERYWHERE) < 0.5


def test_loudness_of_a_long_film_is_that_of_the_whole_to_the_bit() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 2 * BLOCK_SAMPLES + 5000).astype(np.float32)

    power = np.square(sound[: len(sound) // 320 * 320].reshape(-1, 320)).mean(1, dtype=np.float64)

    assert np.array_equal(loudness(sound), 10 * np.log10(gaussian_filter1d(power, 3.0)))  # 60 ms


def real_mouths(name: str, ticks_per_s: int) -> tuple[Floats, list[Floats]]:
    """Times and openings of each face, from left to right."""
    scanned = list(scan_faces(rgb_frames(real_asset(name), 0, 1 << 60), FaceDetector(), FaceMesh(), 3))
    tracks = sorted(link_faces(scanned, ticks_per_s, 0.25), key=lambda track: float(track.faces[0].box[0]))
    openings = [np.array([mouth_opening(face.landmarks) for face in track.faces]) for track in tracks]
    return np.array([pts for pts, _ in scanned]) / ticks_per_s, openings


@pytest.mark.assets
def test_of_two_real_people_the_one_who_speaks_scores_high() -> None:
    times, (listener, speaker) = real_mouths("clip-obama-speech", 600)
    sound = read_mono(real_asset("clip-obama-speech"))
    loud, speech = loudness(sound), [(0, len(sound))]
    assert speaking_score(times, speaker, loud, speech) > 0.8
    assert speaking_score(times, listener, loud, speech) < 0.05
    foreign = loudness(read_mono(real_asset("clip-jwp-intro")))
    assert speaking_score(times, speaker, foreign, [(0, 5 * ANALYSIS_RATE_HZ)]) < 0.4
