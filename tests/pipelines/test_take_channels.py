"""Two channels of a take are one voice, whichever of them holds it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.take_channels import one_channel
from schemas.line import STEM_RATE_HZ

Floats = NDArray[np.float32]


def tone(hertz: float, level: float = 0.25) -> Floats:
    return (level * np.cos(2 * np.pi * hertz * np.arange(STEM_RATE_HZ) / STEM_RATE_HZ)).astype(np.float32)


def of(pair: list[Floats]) -> tuple[Floats, bool]:
    return one_channel(np.stack(pair))


def test_of_two_channels_that_differ_it_is_the_mean() -> None:
    pair = [tone(220), tone(330, 0.1)]
    heard, opposed = of(pair)
    assert not opposed
    np.testing.assert_allclose(heard, (pair[0] + pair[1]) / 2, atol=1e-6)


@pytest.mark.parametrize(
    "dead", [np.zeros(STEM_RATE_HZ, "f4"), tone(50, 0.001), tone(220, 0.0024), tone(220, -0.0024)]
)
@pytest.mark.parametrize("offset", [0.0, 0.01])
def test_of_a_channel_that_is_silent_but_for_hum_bleed_and_an_offset_nothing_is_taken(
    dead: Floats, offset: float
) -> None:
    voice = tone(220)
    for pair in ([voice, dead + np.float32(offset)], [dead + np.float32(offset), voice]):
        heard, opposed = of(pair)
        assert not opposed
        np.testing.assert_array_equal(heard, voice)


def test_two_silent_channels_are_their_mean() -> None:
    pair = [tone(220, 0.0004), tone(220, 0.0002)]
    np.testing.assert_allclose(of(pair)[0], (pair[0] + pair[1]) / 2, atol=1e-7)
    assert of([np.zeros(480, "f4")] * 2)[1] is False


@pytest.mark.parametrize("gain", [-1.0, -0.89, -0.1])
def test_channels_of_opposite_phase_do_not_cancel(gain: float) -> None:
    other = np.float32(gain) * tone(220)
    for pair in ([tone(220), other], [other, tone(220)]):
        heard, opposed = of(pair)
        assert opposed
        np.testing.assert_array_equal(np.abs(heard), np.abs(tone(220)))
