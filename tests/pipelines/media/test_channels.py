"""Where each channel of a sound is heard: by name, else as ITU-R BS.775-3 folds it."""

import numpy as np
import pytest

from pipelines.media.channels import channel_routes, channels_of, dialogue_routes, has_centre, holds, nearest_layout

G = 2**-0.5


def heard(source: str, target: str, **channels: float) -> dict[str, float]:
    """What each channel of the target holds when those of the source hold these values."""
    values = np.array([channels.get(name, 0.0) for name in channels_of(source)], np.float32)
    found = dict(zip(channels_of(target), (channel_routes(source, target) @ values).tolist(), strict=True))
    return {name: round(value, 4) for name, value in found.items() if value}


@pytest.mark.parametrize("layout", ["mono", "stereo", "3.0", "quad", "5.0(side)", "5.1", "5.1(side)", "6.1", "7.1"])
def test_a_layout_is_heard_in_itself_as_it_is(layout: str) -> None:
    assert np.array_equal(channel_routes(layout, layout), np.eye(len(channels_of(layout))))


def test_side_and_back_are_one_in_layouts_that_have_one_of_them() -> None:
    assert np.array_equal(channel_routes("5.1(side)", "5.1"), np.eye(6))


def test_surround_is_folded_into_stereo_as_bs_775_says() -> None:
    assert heard("5.1", "stereo", FL=1) == {"FL": 1}
    assert heard("5.1", "stereo", FC=1) == {"FL": round(G, 4), "FR": round(G, 4)}
    assert heard("5.1(side)", "stereo", SR=1) == {"FR": round(G, 4)}
    assert heard("5.1", "stereo", LFE=1) == {}


def test_mono_that_comes_as_stereo_is_as_loud_in_mono() -> None:
    assert heard("stereo", "mono", FL=0.5, FR=0.5) == {"FC": 0.5}
    assert heard("mono", "stereo", FC=0.5) == {"FL": 0.5, "FR": 0.5}
    assert heard("mono", "5.1", FC=0.5) == {"FC": 0.5}


@pytest.mark.parametrize("source", ["mono", "stereo"])
@pytest.mark.parametrize("target", ["3.0", "5.1", "7.1"])
def test_dialogue_is_heard_in_the_centre_alone(source: str, target: str) -> None:
    found = dialogue_routes(source, target) @ np.full(len(channels_of(source)), 0.5, np.float32)

    assert {name: value for name, value in zip(channels_of(target), found.tolist(), strict=True) if value} == {
        "FC": 0.5
    }


def test_dialogue_that_has_a_centre_keeps_its_channels() -> None:
    assert np.array_equal(dialogue_routes("5.1", "7.1"), channel_routes("5.1", "7.1"))


def test_which_layout_holds_which() -> None:
    assert holds("5.1", "stereo")
    assert holds("5.1", "mono")
    assert holds("7.1", "5.1(side)")
    assert not holds("stereo", "5.1")
    assert not holds("5.1", "7.1")


@pytest.mark.parametrize(
    ("layout", "nearest"),
    [("mono", "mono"), ("stereo", "stereo"), ("5.1(side)", "5.1"), ("quad", "5.0"), ("6.1", "7.1"), ("22.2", "7.1")],
)
def test_a_layout_that_encoders_lack_is_delivered_in_one_that_holds_it(layout: str, nearest: str) -> None:
    assert nearest_layout(layout) == nearest


def test_mono_and_stereo_have_no_centre() -> None:
    assert [has_centre(layout) for layout in ("mono", "stereo", "quad", "3.0", "5.1(side)")] == [False] * 3 + [
        True
    ] * 2
