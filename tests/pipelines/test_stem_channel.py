"""Of a stem in stereo whose channels oppose, or of which one is dead, one channel is the dialogue, everywhere."""

from pathlib import Path

import numpy as np
import pytest

from pipelines.media.channels import channels_of, stem_routes
from pipelines.media.dub_track import DubSource, dub_track
from pipelines.media.sound import read_mono, sound_blocks, sound_format, write_wav
from pipelines.sound_check import measure_sound
from pipelines.stem_channel import pair_of, stem_channel
from pipelines.stitch import stitch_film
from pipelines.storage import ObjectStore
from pipelines.stored_sound import stored_dub
from pipelines.verify import verify_films
from schemas.mix import StemChannel
from tests.pipelines.deliveries import film_row, shot_rows
from tests.pipelines.test_mix import FAST, film_with

HZ = 48_000
LEFT, RIGHT, MEAN = StemChannel.LEFT, StemChannel.RIGHT, StemChannel.MEAN


def voice(seconds: float = 2.2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.2, 0.2, round(seconds * HZ)).astype(np.float32)


def stem(path: Path, left: np.ndarray, right: np.ndarray) -> Path:
    write_wav(path, np.stack([left, right]), HZ)
    return path


HUM = np.asarray(5e-4 * np.sin(2 * np.pi * 50 * np.arange(len(voice())) / HZ), np.float32)


@pytest.mark.parametrize(
    ("left", "right", "wanted", "opposed"),
    [
        (voice(), voice(), MEAN, False),
        (voice(), voice(seed=1), MEAN, False),
        (voice(), 0.1 * voice(), MEAN, False),
        (voice(), 0 * voice(), LEFT, False),
        (HUM, voice(), RIGHT, False),
        (voice(), -voice(), LEFT, True),
        (-0.5 * voice(), voice(), RIGHT, True),
        (0 * voice(), 0 * voice(), MEAN, False),
    ],
)
def test_the_live_or_the_louder_channel_is_taken(
    tmp_path: Path, left: np.ndarray, right: np.ndarray, wanted: StemChannel, opposed: bool
) -> None:
    path = stem(tmp_path / "stem.wav", left, right)

    assert (pair_of(path).channel, pair_of(path).opposed) == (wanted, opposed)
    measured = measure_sound(path)
    assert (measured.alone, measured.opposed) == (None if wanted is MEAN else wanted.value, opposed)
    assert stem_channel(path, "dub_mix") is MEAN


def test_one_short_line_in_a_long_stem_decides(tmp_path: Path) -> None:
    quiet = np.zeros(60 * HZ, np.float32)
    line = quiet.copy()
    line[40 * HZ : 40 * HZ + 4_800] = 0.02 * voice(0.1)

    assert stem_channel(stem(tmp_path / "one.wav", line, quiet + np.float32(0.01))) is LEFT
    assert stem_channel(stem(tmp_path / "both.wav", line, 0.5 * line)) is MEAN


@pytest.mark.parametrize(("channel", "index"), [(LEFT, 0), (RIGHT, 1)])
@pytest.mark.parametrize(
    ("layout", "places"), [("5.1", {"FC"}), ("7.1", {"FC"}), ("stereo", {"FL", "FR"}), ("mono", {"FC"})]
)
def test_a_channel_alone_is_as_loud_as_mono(channel: StemChannel, index: int, layout: str, places: set[str]) -> None:
    heard = stem_routes(channel)("stereo", layout)[:, index]

    assert dict(zip(channels_of(layout), heard.tolist(), strict=True)) == {
        name: float(name in places) for name in channels_of(layout)
    }
    assert not stem_routes(channel)("stereo", layout)[:, 1 - index].any()


@pytest.mark.parametrize("sign", [0, -1])
@pytest.mark.parametrize(("layout", "places"), [("5.1", (2,)), ("stereo", (0, 1))])
def test_an_opposed_or_dead_channel_is_left_out_of_analysis_mix_and_proof(
    tmp_path: Path, layout: str, places: tuple[int, ...], sign: int
) -> None:
    film, path = film_with(tmp_path / "film.mkv", layout), stem(tmp_path / "stem.wav", sign * voice(), voice())
    row = film_row(film, dub=path)
    assert row["dub_channel"] == "right" if sign == 0 else "left"  # of two as loud as each other the left
    want = voice() if sign == 0 else -voice()

    write_wav(tmp_path / "alone.wav", want, HZ)
    analysed = stored_dub(ObjectStore(str(tmp_path / "work")), row)[:]
    np.testing.assert_allclose(analysed, read_mono(tmp_path / "alone.wav"), atol=1e-6)
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), None)
    done = stitch_film(row, shots, str(tmp_path / "out"), encode=FAST).film
    assert done["failure"] is None
    delivered = Path(done["delivered_uri"])
    found = np.concatenate(list(sound_blocks(delivered, HZ, sound_format(delivered).layout)), axis=1)
    for place in places:
        size = min(found.shape[1], len(want))
        assert np.abs(found[place, :size] - want[:size]).max() < 1e-6


def test_a_delivery_in_which_an_opposed_stem_cancelled_is_no_proof(tmp_path: Path) -> None:
    film, path = film_with(tmp_path / "film.mkv", "5.1"), stem(tmp_path / "stem.wav", voice(), -voice())
    row = film_row(film, dub=path)
    silent, store = tmp_path / "silent.wav", ObjectStore(str(tmp_path / "work"))
    write_wav(silent, 0 * voice(), HZ)
    quiet = film_row(film, dub=silent)
    done = stitch_film(quiet, shot_rows(film, quiet, store, None), str(tmp_path / "out"), encode=FAST).film

    proof = verify_films(film.path, Path(done["delivered_uri"]), Path(row["dub_uri"]), dub_kind="dub_stem")

    assert [check.name for check in proof.failures] == ["dub_sound", "dub_digest"]


def test_a_stem_is_heard_as_it_is_unless_the_row_says_otherwise(tmp_path: Path) -> None:
    film, path = film_with(tmp_path / "film.mkv", "stereo"), stem(tmp_path / "stem.wav", voice(), voice(seed=1))
    source = DubSource(film=film.path, start_s=film.pts[0] * film.time_base, dub=path, dub_kind="dub_stem")

    (block,) = [np.concatenate(list(dub_track(source, ".mkv").blocks(HZ)), axis=1)]

    assert np.abs(block - np.stack([voice(), voice(seed=1)])[:, :HZ]).max() < 1e-6
