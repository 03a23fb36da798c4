"""What of a dub's sound is refused before anything runs."""

from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.media.dub_sound import probe_sound
from pipelines.media.refusal import MediaRefusedError
from pipelines.media.sound import write_wav
from schemas.reason import Refusal


def unnamed(path: Path, channels: int) -> Path:
    """A plain WAV, which counts channels and names none."""
    write_wav(path, np.full((channels, 480), 0.1, np.float32), 48_000)
    return path


def named(path: Path, layout: str) -> Path:
    channels = av.AudioLayout(layout).nb_channels
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=48_000, layout=layout)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, channels * 480), np.float32), "flt", layout)
        frame.sample_rate = 48_000
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return path


@pytest.mark.parametrize("channels", [9, 10, 11, 12, 13, 16, 24])
def test_many_channels_without_names_are_refused_and_what_to_do_is_told(tmp_path: Path, channels: int) -> None:
    with pytest.raises(MediaRefusedError, match=f"it has {channels} channels .* give it as stereo") as refused:
        probe_sound(unnamed(tmp_path / "dub.wav", channels))
    assert refused.value.refusal is Refusal.UNNAMED_CHANNELS


@pytest.mark.parametrize(("channels", "layout"), [(1, "mono"), (2, "stereo"), (6, "5.1"), (7, "6.1"), (8, "7.1")])
def test_as_many_as_a_usual_layout_has_are_taken_as_that(tmp_path: Path, channels: int, layout: str) -> None:
    assert probe_sound(unnamed(tmp_path / "dub.wav", channels)).layout == layout


@pytest.mark.parametrize("layout", ["5.1(side)", "octagonal", "7.1.4"])
def test_channels_that_have_names_are_taken_however_many_they_are(tmp_path: Path, layout: str) -> None:
    assert probe_sound(named(tmp_path / "dub.wav", layout)).layout == layout
