"""MXF with a sound for each channel, as mixers and broadcasters deliver it: such a film works, such a dub is told."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.admit import AdmitRequest
from pipelines.media.encode import EncodeConfig
from pipelines.media.ledger import read_ledger
from pipelines.media.sound import read_channels
from pipelines.stitch import stitch_film
from pipelines.storage import ObjectStore
from tests.pipelines.deliveries import admitted_here, film_row, shot_rows
from tests.pipelines.test_own_sound import noise
from tests.synthetic import FilmSpec, Sound, SyntheticFilm, make_film

FAST = EncodeConfig(preset="ultrafast")
INTRA = (("crf", "12"), ("preset", "ultrafast"), ("threads", "1"), ("x264-params", "keyint=1"))
CODINGS = {
    "h264": {"pixel_format": "yuv422p10le", "encoder": INTRA},
    "mpeg2video": {"codec": "mpeg2video", "encoder": (("b", "20M"),), "pixel_format": "yuv422p"},
}


def mxf_of(path: Path, coding: str, sounds: int, layout: str = "mono", sound: Sound | None = None) -> SyntheticFilm:
    """OP1a with an intra picture and so many sounds of 24 bits."""
    spec = FilmSpec(
        languages=("eng",) * sounds,
        layout=layout,
        sound_codec="pcm_s24le",
        subtitle=None,
        chapters=False,
        gop=1,
        b_frames=0,
        **CODINGS[coding],  # type: ignore[arg-type]
    )
    return make_film(path, spec, sound=sound)


@pytest.mark.parametrize(("coding", "method"), [("h264", "splice"), ("mpeg2video", "transcode")])
def test_a_film_with_a_sound_for_each_channel_is_told_of_and_delivered_with_all_of_them(
    tmp_path: Path, coding: str, method: str
) -> None:
    film = mxf_of(tmp_path / "film.mxf", coding, 6)
    row = film_row(film)
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), 0)

    done = stitch_film(row, shots, str(tmp_path / "out"), encode=FAST).film

    assert [note["note"] for note in row["notes"]] == ["several_sounds", "split_channels"]
    assert "docs/mix.md has the command" in row["notes"][1]["detail"]
    assert done["failure"] is None
    delivered = Path(done["delivered_uri"])
    manifest = json.loads((delivered.parent / "manifest.json").read_text())
    assert (delivered.suffix, manifest["picture"]["method"], manifest["proof"]["holds"]) == (".mov", method, True)
    kept, given = (
        [one.digest for one in read_ledger(path).streams if one.kind == "audio"] for path in (delivered, film.path)
    )
    assert kept[1:] == given


@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1"])
def test_a_dub_that_is_one_sound_of_an_mxf_is_delivered_to_the_sample(tmp_path: Path, layout: str) -> None:
    given = noise(1, {"mono": 1, "stereo": 2, "5.1": 6}[layout])
    dub = mxf_of(tmp_path / "dub.mxf", "mpeg2video", 1, layout, lambda number, _: given[:, :number])
    film = make_film(tmp_path / "film.mov", FilmSpec(sound_codec="pcm_s24le"))
    row = film_row(film, dub=dub.path, dub_kind="dub_mix")
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), None)

    done = stitch_film(row, shots, str(tmp_path / "out"), encode=FAST).film

    assert (done["failure"], row["dub_place"]) == (None, 0)
    found, _, read = read_channels(Path(done["delivered_uri"]))
    assert read == layout
    assert np.abs(found - given[:, : found.shape[1]]).max() < 2**-20


@pytest.mark.parametrize(("column", "sounds"), [("dub", 6), ("dub", 2), ("me_stem", 8)])
def test_a_dub_whose_channels_are_sounds_of_their_own_is_refused_with_what_to_do(
    tmp_path: Path, column: str, sounds: int
) -> None:
    film = make_film(tmp_path / "film.mov")
    split = mxf_of(tmp_path / "dub.mxf", "mpeg2video", sounds).path
    files = {"dub": film.path, column: split}
    request = AdmitRequest(row_number=1, title="a", language="es", film=film.path, dub_kind="dub_stem", **files)

    (refused,) = admitted_here(request).refused

    assert (refused.column, refused.refusal) == ("dub_stem" if column == "dub" else column, "several_sounds")
    numbers = ", ".join(str(number + 1) for number in range(sounds))
    assert f"), and {numbers} are one channel each" in refused.detail
    assert refused.detail.endswith("join those that are meant into one sound; docs/mix.md has the command")
