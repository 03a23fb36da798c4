"""A talking portrait says by its mouth what is heard, 25 times a second, as a clip of VoxCeleb2."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from jobs.portrait_clip import VIEW, Portrait, said, talking_frames, write_clip
from jobs.training_speech import SAMPLE_RATE_HZ, Utterance
from jobs.training_stills import WINDOW
from pipelines.clip_sound import read_clip_sound
from pipelines.face_frame import face_to_crop
from pipelines.media.published_frames import first_time_s, published_frames

SECONDS = 2.0
PHONES = [("pau", 0.4), ("aa", 0.8), ("pau", 1.2), ("aa", 1.6), ("pau", SECONDS)]


def portrait() -> Portrait:
    """A grey face with a dark mouth line, its face frame in the middle of the picture."""
    picture = np.full((400, 400, 3), 150, np.uint8)
    scale, middle = 100.0, 200.0  # px a face unit, and where the eyes' middle lies
    cv2.line(picture, (175, 285), (225, 285), (60, 40, 40), 3)
    to_window = face_to_crop(WINDOW) @ np.array(
        [[1 / scale, 0, -middle / scale], [0, 1 / scale, -middle / scale], [0, 0, 1]]
    )
    mouth = np.array([[175, 285], [225, 285], [200, 284], [200, 286]], np.float64)
    in_window = mouth @ to_window[:, :2].T + to_window[:, 2]
    return Portrait(picture, to_window, in_window)


def spoken() -> Utterance:
    """Two vowels between pauses; the sound is a tone, for only its length matters."""
    time_s = np.arange(round(SECONDS * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return Utterance("test", (0.1 * np.sin(2 * np.pi * 200 * time_s)).astype(np.float32), PHONES)


def test_the_mouth_is_dark_and_open_while_vowels_are_heard() -> None:
    frames = np.stack(list(talking_frames(portrait(), spoken(), np.random.default_rng(0))))

    dark = (frames.mean(3) < 90).sum((1, 2))
    assert frames.shape == (50, 224, 224, 3)
    open_frames, closed = [14, 15, 16, 34, 35, 36], [2, 3, 24, 25, 46, 47]
    assert dark[open_frames].min() > 3 * dark[closed].max()


def test_utterances_are_joined_with_their_phones_and_cut_at_the_length() -> None:
    joined = said([spoken(), spoken()], 3.0)

    assert len(joined.wave) == 3 * SAMPLE_RATE_HZ
    assert joined.phones[len(PHONES) + 1] == ("aa", pytest.approx(SECONDS + 0.8))
    assert joined.phones[-1][1] >= 3.0


def test_a_clip_that_was_written_has_its_frames_and_its_sound_in_place(tmp_path: Path) -> None:
    path = tmp_path / "dev" / "00001.mp4"
    tone = spoken()
    tone.wave[: SAMPLE_RATE_HZ // 2] = 0

    write_clip(path, talking_frames(portrait(), tone, np.random.default_rng(0)), tone.wave)

    frames, sound = list(published_frames(path)), read_clip_sound(path, first_time_s(path))
    assert len(frames) == 50
    assert frames[0].shape == (VIEW.size_px, VIEW.size_px, 3)
    loud = np.flatnonzero(np.abs(sound) > 1000)
    assert loud[0] == pytest.approx(SAMPLE_RATE_HZ / 2, abs=200)
    assert [one.name for one in path.parent.iterdir()] == ["00001.mp4"]
