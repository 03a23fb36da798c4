"""How surely one mouth is the voice that is heard, on made mouths and sounds and on real people."""

import numpy as np
import pytest

from pipelines.face_detector import FaceDetector
from pipelines.face_frame import mouth_opening
from pipelines.face_mesh import FaceMesh
from pipelines.face_scan import scan_faces
from pipelines.face_tracks import link_faces
from pipelines.heard_sound import heard_sound
from pipelines.media.picture import rgb_frames
from pipelines.media.sound import read_mono
from pipelines.speaking import Mouth, speech_pieces
from pipelines.who_speaks import speaking_score, speaking_scores
from schemas.timing import ANALYSIS_RATE_HZ
from tests.mouths_made import Floats, resting, samples, seen, syllables, voice
from tests.real_assets import real_asset

EVERYWHERE = [samples(0, 6)]


def score(mouth: Mouth, openings: Floats, speech: list[tuple[int, int]] | None = None) -> float:
    """Of a mouth while a voice is heard that these openings make."""
    return speaking_score(mouth, heard_sound(voice(openings)), EVERYWHERE if speech is None else speech)


@pytest.mark.parametrize("rate_hz", [12.0, 23.976, 25.0, 50.0])
def test_mouth_that_makes_the_sound_scores_high_at_any_frame_rate(rate_hz: float) -> None:
    assert score(seen(syllables(0), rate_hz), syllables(0)) > 0.95


@pytest.mark.parametrize("late_s", [-0.1, 0.04])
def test_sound_a_tenth_of_a_second_late_or_a_frame_early_is_still_the_mouths(late_s: float) -> None:
    assert score(seen(syllables(0), late_s=late_s), syllables(0)) > 0.9


def test_few_mouths_that_move_to_another_sound_score_as_high_as_its_own() -> None:
    scores = [score(seen(syllables(seed)), syllables(0)) for seed in range(1, 21)]

    assert np.median(scores) < 0.3
    assert np.mean([one >= 0.8 for one in scores]) <= 0.15


def test_resting_mouth_scores_nothing_whatever_is_heard() -> None:
    assert score(seen(resting(1)), syllables(0)) < 0.01


def test_slow_smile_scores_low() -> None:
    smile = 0.4 / (1 + np.exp(-(np.arange(600) - 300) / 20))
    assert score(seen(smile), syllables(0)) < 0.1


def test_nobody_speaks_where_no_speech_is_heard() -> None:
    mouth = syllables(0)
    assert score(seen(mouth), mouth, []) == 0.0
    assert score(seen(mouth), mouth, [(10**7, 10**7 + 16_000)]) == 0.0


def test_film_longer_than_its_sound_is_scored() -> None:
    mouth = syllables(0)
    cut = heard_sound(voice(mouth)[: 2 * ANALYSIS_RATE_HZ])

    _, ((first, *_, last),) = speaking_scores([seen(mouth)], cut, EVERYWHERE)

    assert 0 <= last < first <= 1
    assert speaking_score(seen(mouth), heard_sound(np.zeros(0, np.float32)), EVERYWHERE) < 0.5


def test_a_shot_of_one_frame_says_nothing() -> None:
    assert score(Mouth(np.array([1.0]), np.array([0.2])), syllables(0)) == 0.0


def test_pieces_fill_the_speech_and_are_short() -> None:
    speech = [samples(0.5, 0.9), samples(1.5, 5.2)]

    pieces = speech_pieces(speech)

    assert pieces[0] == speech[0]
    assert [piece[0] for piece in pieces[2:]] == [piece[1] for piece in pieces[1:-1]]
    assert (pieces[1][0], pieces[-1][1]) == speech[1]
    assert max(end - start for start, end in pieces) <= 1.5 * ANALYSIS_RATE_HZ
    assert speech_pieces([]) == []


def real_mouths(name: str, ticks_per_s: int) -> list[Mouth]:
    """Each face, from left to right."""
    scanned = list(scan_faces(rgb_frames(real_asset(name), 0, 1 << 60), FaceDetector(), FaceMesh(), 3))
    tracks = sorted(link_faces(scanned, ticks_per_s, 0.25), key=lambda track: float(track.faces[0].box[0]))
    openings = [np.array([mouth_opening(face.landmarks) for face in track.faces]) for track in tracks]
    return [Mouth(np.array(track.pts) / ticks_per_s, curve) for track, curve in zip(tracks, openings, strict=True)]


@pytest.mark.assets
def test_of_two_real_people_the_one_who_speaks_scores_high_in_every_piece() -> None:
    mouths = real_mouths("clip-obama-speech", 600)
    sound = read_mono(real_asset("clip-obama-speech"))

    pieces, (listener, speaker) = speaking_scores(mouths, heard_sound(sound), [(0, len(sound))])

    assert len(pieces) == 6
    assert speaker.min() > 0.9
    assert listener.max() < 0.1
    foreign = heard_sound(read_mono(real_asset("clip-jwp-intro")))
    assert speaking_score(mouths[1], foreign, [samples(0, 5)]) < 0.5
