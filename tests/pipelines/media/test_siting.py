"""Where chroma lies is what the film's bitstream says, and what players take where it says nothing."""

from pathlib import Path
from typing import Any

import av
import pytest

from pipelines.media.siting import Siting, siting_of
from tests.synthetic import FilmSpec, make_film

PLAIN: dict[str, Any] = {"num_frames": 10, "cuts": (), "languages": (), "subtitle": None, "chapters": False}
X265 = "pools=1:log-level=error"


def siting_in(path: Path, **more: Any) -> Siting:
    film = make_film(path, FilmSpec(**PLAIN | more))
    with av.open(str(film.path)) as opened:
        return siting_of(opened.streams.video[0])


@pytest.mark.parametrize("siting", Siting)
@pytest.mark.parametrize("suffix", ["mp4", "ts"])
def test_h264_says_where_its_chroma_lies(tmp_path: Path, siting: Siting, suffix: str) -> None:
    encoder = (("x264-params", f"chromaloc={int(siting)}"),)

    assert siting_in(tmp_path / f"film.{suffix}", encoder=encoder) is siting


@pytest.mark.parametrize("siting", [Siting.CENTRE, Siting.TOP_LEFT])
def test_hevc_says_where_its_chroma_lies(tmp_path: Path, siting: Siting) -> None:
    encoder = (("x265-params", f"{X265}:chromaloc={int(siting)}"),)

    assert siting_in(tmp_path / "film.mp4", codec="libx265", encoder=encoder) is siting


@pytest.mark.parametrize(("said", "siting"), [("left", Siting.LEFT), ("topleft", Siting.TOP_LEFT)])
def test_av1_says_where_its_chroma_lies(tmp_path: Path, said: str, siting: Siting) -> None:
    encoder = (("preset", "12"), ("svtav1-params", f"chroma-sample-position={said}:lp=1"))

    assert siting_in(tmp_path / "film.mp4", codec="libsvtav1", encoder=encoder, b_frames=0) is siting


@pytest.mark.parametrize(
    ("codec", "more", "siting"),
    [
        ("libx264", {}, Siting.LEFT),
        ("libx265", {"encoder": (("x265-params", X265),)}, Siting.LEFT),
        ("mpeg2video", {"encoder": ()}, Siting.LEFT),
        ("libx264", {"pixel_format": "yuv422p", "encoder": (("x264-params", "chromaloc=1"),)}, Siting.LEFT),
        ("mjpeg", {"pixel_format": "yuvj420p", "encoder": (), "b_frames": 0, "colour": (5, 1, 1, 2)}, Siting.CENTRE),
        ("mjpeg", {"pixel_format": "yuvj422p", "encoder": (), "b_frames": 0, "colour": (5, 1, 1, 2)}, Siting.CENTRE),
    ],
)
def test_what_says_nothing_has_it_where_players_take_it(
    tmp_path: Path, codec: str, more: dict[str, Any], siting: Siting
) -> None:
    suffix = "mov" if codec == "mjpeg" else "ts" if codec == "mpeg2video" else "mp4"

    assert siting_in(tmp_path / f"film.{suffix}", codec=codec, **more) is siting
