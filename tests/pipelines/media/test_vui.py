"""What a sequence parameter set says of chroma is found behind all that stands before it."""

from pathlib import Path
from typing import Any

import av
import pytest

from pipelines.media.nal import Avc, Hevc
from pipelines.media.parameter_sets import read_sets
from pipelines.media.vui import chroma_siting
from tests.synthetic import FilmSpec, make_film


def sps_of(folder: Path, codec: str, params: str, **more: Any) -> bytes:
    name = "x264-params" if codec == "libx264" else "x265-params"
    encoder = ((name, params), ("preset", "medium"))
    facts = {"num_frames": 12, "cuts": (), "languages": (), "subtitle": None, "chapters": False} | more
    film = make_film(folder / "film.mp4", FilmSpec(codec=codec, encoder=encoder, **facts))
    with av.open(str(film.path)) as opened:
        context = opened.streams.video[0].codec_context
        kind = Avc.SPS if codec == "libx264" else Hevc.SPS
        return read_sets(context.codec.canonical_name, bytes(context.extradata)).sets[kind][0]


AVC = [
    pytest.param("", {}, id="high"),
    pytest.param("interlaced=0:nal-hrd=vbr:vbv-maxrate=900:vbv-bufsize=900", {}, id="with a buffer"),
    pytest.param("", {"pixel_format": "yuv422p10le"}, id="4:2:2"),
    pytest.param("", {"width_px": 158, "height_px": 118}, id="cropped"),
    pytest.param("bframes=0:ref=1:cabac=0", {"b_frames": 0, "sample_aspect_ratio": None}, id="simple"),
]
HEVC = [
    pytest.param("", {}, id="8 bit"),
    pytest.param("bframes=8:b-pyramid=1:ref=5", {}, id="many reference sets"),
    pytest.param("", {"pixel_format": "yuv420p10le", "colour": (9, 9, 16, 1)}, id="PQ"),
    pytest.param("", {"width_px": 156, "height_px": 116}, id="cropped"),
    pytest.param("amp=1:rect=1:strong-intra-smoothing=1", {"pixel_format": "yuv444p"}, id="4:4:4"),
]


@pytest.mark.parametrize(("params", "more"), AVC)
@pytest.mark.parametrize("siting", [None, 1, 2, 3])
def test_siting_of_avc(tmp_path: Path, siting: int | None, params: str, more: dict[str, Any]) -> None:
    if siting is not None and "422" in more.get("pixel_format", ""):
        pytest.skip("x264 writes it of 4:2:0 alone")
    wanted = ":".join(filter(None, [params, f"chromaloc={siting}" if siting is not None else ""]))

    assert chroma_siting(sps_of(tmp_path, "libx264", wanted, **more), "h264") == siting


@pytest.mark.parametrize(("params", "more"), HEVC)
@pytest.mark.parametrize("siting", [None, 1, 2, 3])
def test_siting_of_hevc(tmp_path: Path, siting: int | None, params: str, more: dict[str, Any]) -> None:
    asked = f"chromaloc={siting}" if siting is not None else ""
    wanted = ":".join(filter(None, ["pools=1:log-level=error", params, asked]))

    assert chroma_siting(sps_of(tmp_path, "libx265", wanted, **more), "hevc") == siting


def test_a_set_that_is_cut_off_is_an_error(tmp_path: Path) -> None:
    sps = sps_of(tmp_path, "libx265", "pools=1:log-level=error:chromaloc=2")

    with pytest.raises(ValueError, match="cut off"):
        chroma_siting(sps[:-14], "hevc")
