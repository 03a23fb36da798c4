"""Films that are whole and still wrong: another picture, another dub, another time. The proof must not hold."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from pipelines.media.dub_track import DubSource, dub_track
from pipelines.media.encode import EncodeConfig
from pipelines.media.mux import write_film
from pipelines.media.picture_writer import TranscodedPicture
from pipelines.media.sound import write_wav
from pipelines.proof import Proof
from pipelines.verify import verify_films
from tests.pipelines.deliveries import DUB_HZ, Changing
from tests.synthetic import FilmSpec, SyntheticFilm, make_film, ticking

FAST = EncodeConfig(preset="ultrafast")
SECONDS = 2
UNTOUCHED = Changing()


def speech_like(seed: int = 0) -> np.ndarray:
    """[N] noise in syllables, as broad as speech."""
    time_s = np.arange(SECONDS * 48_000) / 48_000
    noise = np.random.default_rng(seed).standard_normal(len(time_s)).astype(np.float32)
    smooth = np.convolve(noise, np.hanning(24) / 12, "same")
    return np.asarray(0.1 * smooth * (1 + np.sin(2 * np.pi * 4 * time_s)), np.float32)


@pytest.fixture
def film(tmp_path: Path) -> SyntheticFilm:
    return make_film(tmp_path / "film.mp4")


def written(film: SyntheticFilm, samples: np.ndarray, changes: Changing = UNTOUCHED, name: str = "made.mp4") -> Path:
    stem = film.path.with_name("laid.wav")
    write_wav(stem, samples, 48_000)
    target = film.path.with_name(name)
    start_s = film.pts[0] * film.time_base
    track = dub_track(DubSource(film=film.path, start_s=start_s, dub=stem, dub_kind="dub_stem"), target.suffix)
    write_film(film.path, target, TranscodedPicture(changes, FAST), track, "pt-BR", film.end_pts, FAST)
    return target


def proof(film: SyntheticFilm, delivered: Path, samples: np.ndarray) -> Proof:
    dub = film.path.with_name("dub.wav")
    write_wav(dub, samples, 48_000)
    return verify_films(film.path, delivered, dub)


def failed(found: Proof) -> set[str]:
    return {check.name for check in found.failures}


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("gain", [1.0, 0.05])
def test_the_dub_itself_holds(tmp_path: Path, suffix: str, gain: float) -> None:
    film = make_film(tmp_path / f"film.{suffix}")
    samples = speech_like() * np.float32(gain)

    found = proof(film, written(film, samples, name=f"made.{suffix}"), samples)

    assert failed(found) == set()
    assert abs(found.facts["dub_lag_samples"]) <= (1 if suffix == "mkv" else 0)


@pytest.mark.parametrize(
    ("laid", "named"),
    [
        pytest.param(lambda dub: dub * 0, {"dub_sound"}, id="digital silence"),
        pytest.param(lambda dub: np.roll(dub, 1024), {"dub_sound"}, id="1024 samples late"),
        pytest.param(lambda dub: np.roll(dub, -48), {"dub_sound"}, id="1 ms early"),
        pytest.param(lambda dub: dub / 2, {"dub_sound"}, id="half as loud"),
        pytest.param(lambda dub: -dub, {"dub_sound"}, id="upside down"),
        pytest.param(lambda dub: speech_like(seed=1), {"dub_sound"}, id="another dub"),
        pytest.param(lambda dub: np.roll(dub, 2), {"dub_sound"}, id="2 samples late"),
        pytest.param(lambda dub: without(dub, 30_000, 44_400), {"dub_sound"}, id="a word of 0.3 s is gone"),
        pytest.param(lambda dub: without(dub, 86_400, 96_000), {"dub_sound"}, id="the last 0.2 s are gone"),
        pytest.param(lambda dub: dub * 1.26, {"dub_sound"}, id="2 dB louder"),
        pytest.param(lambda dub: dub + np.roll(dub, 2880) / 2, {"dub_sound"}, id="with an echo"),
    ],
)
def test_another_dub_is_seen(film: SyntheticFilm, laid: Callable[[np.ndarray], np.ndarray], named: set[str]) -> None:
    dub = speech_like()

    assert failed(proof(film, written(film, laid(dub)), dub)) == named


def without(dub: np.ndarray, first: int, end: int) -> np.ndarray:
    """The dub with some of its samples silent."""
    other = dub.copy()
    other[first:end] = 0
    return other


def test_one_sample_that_is_another_is_seen_where_the_dub_track_is_lossless(tmp_path: Path) -> None:
    film, dub = make_film(tmp_path / "film.mkv", FilmSpec(sound_codec="flac")), speech_like()
    other = dub.copy()
    other[40_000] += 2**-20  # eight codes of 24 bits

    assert failed(proof(film, written(film, dub, name="made.mkv"), dub)) == set()
    assert failed(proof(film, written(film, other, name="other.mkv"), dub)) == {"dub_sound"}


def test_sound_where_the_dub_is_silent_is_seen(film: SyntheticFilm) -> None:
    assert failed(proof(film, written(film, speech_like()), np.zeros(96_000, np.float32))) == {"dub_sound"}


def test_a_dub_of_60_s_before_the_picture_is_seen(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", FilmSpec(start_frame=1500, languages=(), subtitle=None, chapters=False))
    dub = ticking(96_000, 48_000, DUB_HZ)
    early = moved(written(film, dub), tmp_path / "early.mp4", Fraction(-60))

    assert {"dub_span", "dub_sound"} <= failed(proof(film, early, dub))


def moved(source: Path, target: Path, by_s: Fraction) -> Path:
    """The film with its sound at another time."""
    options = {"video_track_timescale": "12800", "movie_timescale": "192000"}
    with av.open(str(source)) as film, av.open(str(target), "w", options=options) as out:
        copies = [out.add_stream_from_template(stream) for stream in film.streams]
        for packet in film.demux():
            if packet.dts is None or packet.pts is None:
                continue
            if packet.stream.type == "audio":
                packet.pts, packet.dts = packet.pts + int(by_s * 48_000), packet.dts + int(by_s * 48_000)
            packet.stream = copies[packet.stream.index]
            out.mux(packet)
    return target


def inverted(plane_index: int) -> Changing:
    def change(pts: int, planes_of: Callable[[], tuple[list[Any], Any]]) -> list[Any]:
        planes, _ = planes_of()
        planes[plane_index] = 255 - planes[plane_index]
        return planes

    return Changing(change)


@pytest.mark.parametrize("plane_index", [0, 1, 2])
def test_an_inverted_plane_is_seen(film: SyntheticFilm, plane_index: int) -> None:
    dub = speech_like()

    assert failed(proof(film, written(film, dub, inverted(plane_index)), dub)) == {"picture"}


def shifted(plane_index: int, codes: int) -> Changing:
    def change(pts: int, planes_of: Callable[[], tuple[list[Any], Any]]) -> list[Any]:
        planes, _ = planes_of()
        moved = planes[plane_index].astype(int) + codes
        planes[plane_index] = np.clip(moved, 0, 255).astype(planes[plane_index].dtype)
        return planes

    return Changing(change)


@pytest.mark.parametrize(("plane_index", "codes"), [(0, 2), (1, -2), (2, 2)])
def test_a_film_that_is_a_little_brighter_or_of_another_hue_throughout_is_seen(
    film: SyntheticFilm, plane_index: int, codes: int
) -> None:
    dub = speech_like()

    assert failed(proof(film, written(film, dub, shifted(plane_index, 0)), dub)) == set()
    found = proof(film, written(film, dub, shifted(plane_index, codes)), dub)
    assert failed(found) == {"picture"}
    assert found.facts["picture"]["psnr_db_min"] > 35


def painted_at(moments: tuple[int, ...]) -> Changing:
    def change(pts: int, planes_of: Callable[[], tuple[list[Any], Any]]) -> list[Any] | None:
        if pts not in moments:
            return None
        planes, _ = planes_of()
        planes[0][60:84, 40:72] = 200
        return planes

    return Changing(change)


def admitted(film: SyntheticFilm, first: int, last: int, rect: tuple[int, int, int, int]) -> None:
    run = {"first_pts": film.pts[first], "last_pts": film.pts[last], "rect": rect}
    film.path.with_name("manifest.json").write_text(json.dumps({"shots": [{"changed": [run]}]}))


def test_painting_is_excused_on_the_frames_and_in_the_rectangle_that_the_manifest_names(film: SyntheticFilm) -> None:
    dub = speech_like()
    made = written(film, dub, painted_at(film.pts[10:20]))

    assert failed(proof(film, made, dub)) == {"picture"}
    admitted(film, 10, 19, (40, 60, 32, 24))
    assert failed(proof(film, made, dub)) == set()
    admitted(film, 10, 18, (40, 60, 32, 24))
    assert failed(proof(film, made, dub)) == {"picture"}
    admitted(film, 10, 19, (40, 60, 24, 24))
    assert failed(proof(film, made, dub)) == {"picture"}


def test_a_manifest_that_excuses_the_whole_frame_excuses_nothing(film: SyntheticFilm) -> None:
    dub = speech_like()
    admitted(film, 0, 49, (0, 0, 160, 120))

    assert failed(proof(film, written(film, dub, inverted(0)), dub)) == {"picture"}
