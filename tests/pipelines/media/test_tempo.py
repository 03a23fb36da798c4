"""Another tempo moves every moment of a sound, at its own pitch."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.media.tempo import at_tempo
from schemas.line import STEM_RATE_HZ

LEVEL = 0.25


def tone(seconds: float, hertz: float = 220.0) -> NDArray[np.float32]:
    moments = np.arange(round(seconds * STEM_RATE_HZ)) / STEM_RATE_HZ
    return (LEVEL * np.cos(2 * np.pi * hertz * moments)).astype(np.float32)


def silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * STEM_RATE_HZ), np.float32)


@pytest.mark.parametrize("tempo", [0.85, 0.97, 1.04, 1.15])
def test_another_tempo_keeps_pitch_and_moves_every_moment(tempo: float) -> None:
    speech = np.concatenate([silence(1.0), tone(1.0, 300.0)])[None]

    played = at_tempo(speech, STEM_RATE_HZ, tempo)

    assert played.shape == (1, round(speech.shape[1] / tempo))
    onset = np.flatnonzero(np.abs(played[0]) > LEVEL / 2)[0] / STEM_RATE_HZ
    assert onset == pytest.approx(1 / tempo, abs=0.025)
    spectrum = np.abs(np.fft.rfft(played[0, -STEM_RATE_HZ // 2 :]))
    assert spectrum.argmax() * 2 == pytest.approx(300, abs=4)
    np.testing.assert_array_equal(played, at_tempo(speech, STEM_RATE_HZ, tempo))


def test_a_click_is_too_short_for_another_tempo_and_is_not_lost() -> None:
    assert at_tempo(tone(0.01)[None], STEM_RATE_HZ, 1.1).shape == (1, round(480 / 1.1))


def test_at_its_own_tempo_a_take_is_what_it_was() -> None:
    speech = tone(0.3)[None]
    assert at_tempo(speech, STEM_RATE_HZ, 1.0) is speech
    with pytest.raises(ValueError, match=r"0\.5 to 2"):
        at_tempo(speech, STEM_RATE_HZ, 3.0)
