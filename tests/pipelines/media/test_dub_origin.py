"""A dub that comes inside a container begins where that one's film does."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.media.dub_origin import dub_origin_s
from pipelines.media.dub_sound import probe_sound
from pipelines.media.dub_track import DubSource, dub_track
from pipelines.storage import ObjectStore
from pipelines.stored_sound import stored_dub
from tests.synthetic import FilmSpec, SyntheticFilm, make_film

RATE_HZ = 48_000
PLACE = RATE_HZ  # of an impulse: one second after the first frame
LATE_S = Fraction(7, 5)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> SyntheticFilm:
    return make_film(tmp_path_factory.mktemp("film") / "film.mkv", FilmSpec(sound_codec="flac"))


def impulse(num_samples: int) -> np.ndarray:
    sound = np.zeros(num_samples, np.float32)
    sound[PLACE] = 0.9
    return sound


def with_picture(path: Path, codec: str, sound_late_s: Fraction = Fraction(0)) -> Path:
    """A dub whose picture begins late, and its sound with it or later."""
    spec = FilmSpec(start_frame=35, sound_start_s=sound_late_s, sound_codec=codec, subtitle=None, chapters=False)
    return make_film(path, spec, sound=lambda num_samples, _: impulse(num_samples)).path


def alone(path: Path, codec: str, start_s: Fraction) -> Path:
    """A dub without a picture."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=RATE_HZ, layout="stereo")
        samples = np.stack([impulse(2 * RATE_HZ)] * 2)
        for begin in range(0, samples.shape[1], 1536):
            part = np.ascontiguousarray(samples[:, begin : begin + 1536].T).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(part, "flt", "stereo")
            frame.sample_rate, frame.time_base = RATE_HZ, Fraction(1, RATE_HZ)
            frame.pts = begin + round(start_s * RATE_HZ)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def heard_at(film: SyntheticFilm, dub: Path) -> int:
    """The sample of the delivered dub at which the impulse lies."""
    source = DubSource(film=film.path, start_s=Fraction(0), dub=dub, dub_kind="dub_mix")
    track = np.concatenate(list(dub_track(source, ".mkv").blocks(3 * RATE_HZ)), axis=1)
    return int(np.abs(track[0]).argmax())


@pytest.mark.parametrize(("name", "codec"), [("dub.mkv", "flac"), ("dub.mov", "pcm_s24le"), ("dub.ts", "ac3")])
def test_a_dub_with_a_picture_counts_from_its_first_frame(
    tmp_path: Path, film: SyntheticFilm, name: str, codec: str
) -> None:
    dub = with_picture(tmp_path / name, codec)

    assert abs(heard_at(film, dub) - PLACE) <= 256  # of AC-3 in a transport stream nobody knows the delay


def test_a_sound_that_begins_after_the_picture_of_its_dub_is_as_late(tmp_path: Path, film: SyntheticFilm) -> None:
    dub = with_picture(tmp_path / "dub.mkv", "flac", Fraction(1, 4))

    assert abs(heard_at(film, dub) - PLACE - RATE_HZ // 4) <= 48


@pytest.mark.parametrize(("name", "codec"), [("dub.ts", "ac3"), ("dub.mpg", "mp2")])
def test_a_broadcast_without_a_picture_counts_from_its_beginning(
    tmp_path: Path, film: SyntheticFilm, name: str, codec: str
) -> None:
    assert abs(heard_at(film, alone(tmp_path / name, codec, LATE_S)) - PLACE) <= 481


@pytest.mark.parametrize(("name", "codec"), [("dub.mka", "flac"), ("dub.m4a", "aac"), ("dub.ogg", "libopus")])
def test_a_sound_alone_that_begins_late_is_meant_to(
    tmp_path: Path, film: SyntheticFilm, name: str, codec: str
) -> None:
    dub = alone(tmp_path / name, codec, LATE_S)

    assert abs(heard_at(film, dub) - PLACE - LATE_S * RATE_HZ) <= 48


def test_what_is_listened_to_lies_where_it_is_delivered(tmp_path: Path) -> None:
    dub = with_picture(tmp_path / "dub.mkv", "flac")

    sound = stored_dub(
        ObjectStore(str(tmp_path / "store")),
        {"dub_uri": str(dub), "dub_place": 0, "dub_channel": "mean", "dub_digest": "d" * 64},
    )[:]

    assert abs(int(np.abs(sound).argmax()) - PLACE // 3) <= 16
    assert dub_origin_s(dub) == LATE_S
    assert probe_sound(dub).end_s == pytest.approx(2, abs=0.1)
