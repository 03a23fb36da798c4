"""Voices are described as the package does that the weights come from, and tell two real men apart."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.media.sound import read_mono
from pipelines.voice_descriptor import ASSET, MIN_SAMPLES, SIZE, VoiceDescriber
from schemas.timing import ANALYSIS_RATE_HZ
from tests.real_assets import real_asset

# What resemblyzer 0.1.4 gives of 1.6 s of a clip from 1 s on, at two volumes:
# embed_utterance(normalize_volume(wave, -30, increase_only=True)).
PACKAGE = Path(__file__).with_name("package_voices.npz")
SPAN = (ANALYSIS_RATE_HZ, ANALYSIS_RATE_HZ * 26 // 10)
SECONDS = [(start, start + 24_000) for start in range(0, 80_000, 24_000)]
Floats = NDArray[np.float32]


@pytest.fixture(scope="module", name="describer")
def _describer() -> VoiceDescriber:
    return VoiceDescriber(real_asset(ASSET))


@pytest.mark.parametrize("clip", ["clip-obama-speech", "clip-jwp-intro"])
@pytest.mark.parametrize("gain", [1.0, 0.01])
def test_a_voice_is_described_as_the_package_does(describer: VoiceDescriber, clip: str, gain: float) -> None:
    sound = read_mono(real_asset(clip)) * np.float32(gain)

    [voice] = describer.describe(sound, [SPAN])

    assert np.abs(voice - np.load(PACKAGE)[f"{clip}@{gain:g}"]).max() < 1e-4


def test_one_man_in_two_rooms_sounds_more_alike_than_two_men(describer: VoiceDescriber) -> None:
    lecturer, again, president = (
        np.mean(describer.describe(read_mono(real_asset(clip)), SECONDS), axis=0)
        for clip in ("clip-jwp-intro", "clip-test-movie", "clip-obama-speech")
    )

    assert lecturer @ again > max(lecturer @ president, again @ president) + 0.1


def test_a_descriptor_has_length_one_and_none_is_made_of_less_than_half_a_second(describer: VoiceDescriber) -> None:
    sound = read_mono(real_asset("clip-jwp-intro"))

    short, long = describer.describe(sound, [(0, MIN_SAMPLES - 1), (16_000, 16_000 + MIN_SAMPLES)])

    assert short.shape == (0,)
    assert long.shape == (SIZE,)
    assert np.linalg.norm(long) == pytest.approx(1, abs=1e-5)
    assert long.min() >= 0


def test_silence_and_what_lies_beyond_the_sound_have_no_voice(describer: VoiceDescriber) -> None:
    silence: Floats = np.zeros(48_000, np.float32)

    assert [len(voice) for voice in describer.describe(silence, [(0, 24_000), (47_000, 90_000)])] == [0, 0]


def test_who_is_described_beside_it_changes_nothing(describer: VoiceDescriber) -> None:
    sound = read_mono(real_asset("clip-obama-speech"))

    together = describer.describe(sound, SECONDS)

    assert all(
        (describer.describe(sound, [span])[0] == voice).all() for span, voice in zip(SECONDS, together, strict=True)
    )
