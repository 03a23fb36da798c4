"""Each channel of a dub track is coded so that any player that follows the standard hears it where it belongs."""

import json
from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.media.channels import LAYOUTS
from pipelines.media.encode import EncodeConfig
from pipelines.media.sound import read_channels, sound_format
from pipelines.stitch import stitch_film
from pipelines.storage import ObjectStore
from tests.pipelines.deliveries import film_row, shot_rows
from tests.pipelines.test_align_sound_check import encoded
from tests.pipelines.test_mix import SAMPLES, film_with, track_of

FAST = EncodeConfig(preset="ultrafast")


def pitches(channels: int) -> np.ndarray:
    """[C, N] a tone of 50 Hz, 100 Hz, ... in each channel: AAC keeps of low frequency effects what is below 280 Hz."""
    time_s = np.arange(SAMPLES + 4800) / 48_000
    tones = [0.2 * np.sin(2 * np.pi * 50 * (place + 1) * time_s) for place in range(channels)]
    return np.stack(tones).astype(np.float32)


def aac_channel_configuration(path: Path) -> int:
    """Of the first sound: bits 9 to 12 of the AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1)."""
    with av.open(str(path)) as film:
        config = int.from_bytes(bytes(film.streams.audio[0].codec_context.extradata or b"")[:2])
        assert (config >> 11, config >> 7 & 15) == (2, 3)  # AAC LC, 48 kHz
        return config >> 3 & 15


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "mov"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_channel_of_a_mix_is_heard_where_it_was_by_any_player(tmp_path: Path, layout: str, suffix: str) -> None:
    channels = av.AudioLayout(layout).nb_channels
    film = film_with(tmp_path / f"film.{suffix}", "stereo", "aac")
    mix = encoded(tmp_path / "mix.mov", "pcm_s24le", pitches(channels), {}, 48_000, layout)
    row = film_row(film, dub=mix, dub_kind="dub_mix")
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), None)

    done = stitch_film(row, shots, str(tmp_path / "out"), encode=FAST).film

    assert done["failure"] is None
    delivered = Path(done["delivered_uri"])
    found, rate, heard_layout = read_channels(delivered)
    spectra = np.abs(np.fft.rfft(found[:, 4_800:91_200]))
    assert [round(place * rate / 86_400) for place in spectra.argmax(1)] == [50 * (one + 1) for one in range(channels)]
    codec = json.loads(delivered.with_name("manifest.json").read_text())["dub_track"]["codec"]
    assert (heard_layout, codec) == (layout, sound_format(delivered).codec)
    if layout == "7.1":
        assert codec == ("pcm_s24le" if suffix == "mov" else "flac")
    else:
        assert codec == "aac"
        assert aac_channel_configuration(delivered) == channels  # 1 to 6 of table 1.19 are these layouts


@pytest.mark.parametrize(
    ("suffix", "codec", "layout", "kept"),
    [
        ("mov", "pcm_s24le", "2.1", "2.1"),
        ("mov", "pcm_s24le", "6.1", "6.1"),
        ("mkv", "flac", "4.1", "4.1"),
        ("mkv", "flac", "5.1(side)", "5.1(side)"),
        ("mkv", "pcm_s24le", "5.1(side)", "5.1"),
        ("mp4", "flac", "4.0", "6.1"),
        ("mp4", "flac", "5.1", "5.1(side)"),
        ("mp4", "aac", "quad", "5.0"),
    ],
)
def test_a_layout_is_kept_where_it_is_read_as_it_was_written(
    tmp_path: Path, suffix: str, codec: str, layout: str, kept: str
) -> None:
    film = film_with(tmp_path / f"film.{suffix}", "stereo", codec)
    names = [channel.name.replace("S", "B") for channel in av.AudioLayout(layout).channels]
    mix = encoded(tmp_path / "mix.mov", "pcm_s24le", pitches(len(names)), {}, 48_000, layout)
    row = film_row(film, dub=mix, dub_kind="dub_mix")
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), None)

    done = stitch_film(row, shots, str(tmp_path / "out"), encode=FAST).film

    assert done["failure"] is None
    found, _, heard_layout = read_channels(Path(done["delivered_uri"]))
    assert heard_layout == kept
    heard = dict(zip((one.name for one in av.AudioLayout(kept).channels), found[:, 4_800:91_200], strict=True))
    loud = {name.replace("S", "B"): sound for name, sound in heard.items() if np.abs(sound).max() > 0.01}
    pitch = {name: round(np.abs(np.fft.rfft(sound)).argmax() * 48_000 / 86_400) for name, sound in loud.items()}
    assert pitch == {name: 50 * (place + 1) for place, name in enumerate(names)}


@pytest.mark.parametrize("layout", ["2.1", "3.1", "quad", "4.1", "5.1(side)", "6.1"])
def test_the_film_s_own_layout_is_the_dub_track_s(tmp_path: Path, layout: str) -> None:
    stem = encoded(tmp_path / "stem.mov", "pcm_s24le", pitches(1), {}, 48_000, "mono")

    assert track_of(film_with(tmp_path / "film.mkv", layout, "flac"), stem).layout == layout
