"""What a film has beside its picture and sound, and how its container keeps time, comes back with it."""

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from pipelines.stitch import stitch_film
from pipelines.storage import ObjectStore
from pipelines.verify import verify_films
from tests.pipelines.deliveries import film_row, shot_rows
from tests.pipelines.test_splice import CONFIG, X264, film_of
from tests.synthetic import SyntheticFilm

Retag = Callable[[av.container.OutputContainer, dict[int, Any]], None]
Keep = Callable[[int, int], bool]  # stream index, number of its packet


def remuxed(
    film: SyntheticFilm,
    name: str,
    shift_s: Fraction = Fraction(0),
    options: dict[str, str] | None = None,
    retag: Retag = lambda out, copies: None,
    keep: Keep = lambda index, number: True,
) -> SyntheticFilm:
    """The film in another container: its packets, later or earlier, some of them left out."""
    target = film.path.with_name(name)
    with av.open(str(film.path)) as source, av.open(str(target), "w", options=options or {}) as out:
        kept = [one for one in source.streams if one.type in ("video", "audio")]
        copies = {one.index: out.add_stream_from_template(one) for one in kept}
        retag(out, copies)
        numbers = dict.fromkeys(copies, -1)
        for packet in source.demux():
            if packet.pts is None or packet.dts is None or packet.stream.index not in copies:
                continue
            numbers[packet.stream.index] += 1
            if keep(packet.stream.index, numbers[packet.stream.index]):
                ticks = round(shift_s / packet.time_base)
                packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
                packet.stream = copies[packet.stream.index]
                out.mux(packet)
    return as_read(replace(film, path=target))


def as_read(film: SyntheticFilm) -> SyntheticFilm:
    """The film with the frames that a decoder shows; the second half is a shot."""
    with av.open(str(film.path)) as opened:
        stream = opened.streams.video[0]
        pts = tuple(frame.pts for frame in opened.decode(stream))
        step = pts[1] - pts[0]
        return replace(
            film,
            pts=pts,
            time_base=Fraction(stream.time_base or 1),
            end_pts=pts[-1] + step,
            cuts=(pts[len(pts) // 2],),
        )


def delivered(folder: Path, film: SyntheticFilm, painted: int = 1) -> tuple[Path, dict[str, Any]]:
    """The film with a shot painted, proved, and its manifest."""
    row = film_row(film)
    shots = shot_rows(film, row, ObjectStore(str(folder / "work")), painted)
    made = stitch_film(row, shots, str(folder / "out"), encode=CONFIG).film
    assert made["failure"] is None
    path = Path(made["delivered_uri"])
    assert verify_films(film.path, path).failures == []
    return path, json.loads(path.with_name("manifest.json").read_text())


@pytest.mark.parametrize("painted", [0, 1])
@pytest.mark.parametrize(
    ("name", "shift_s", "options", "num_frames"),
    [
        pytest.param("cut.mp4", Fraction(-10, 25), {}, 86, id="an edit list hides the ten first frames"),
        pytest.param("late.mkv", Fraction(1), {}, 96, id="Matroska that starts at one second"),
        pytest.param("hour.ts", Fraction(3600), {}, 96, id="MPEG-TS that starts at one hour"),
        pytest.param("parts.mp4", Fraction(0), {"movflags": "frag_keyframe+delay_moov"}, 96, id="fragmented MP4"),
    ],
)
def test_films_that_keep_time_in_their_own_way_are_spliced(
    tmp_path: Path, name: str, shift_s: Fraction, options: dict[str, str], num_frames: int, painted: int
) -> None:
    film = remuxed(film_of(tmp_path / "film.mp4", languages=("eng",)), name, shift_s, options)

    path, manifest = delivered(tmp_path, film, painted)

    assert (manifest["picture"]["method"], manifest["num_frames"]["all"]) == ("splice", num_frames)
    assert as_read(replace(film, path=path)).pts == film.pts or path.suffix != film.path.suffix
    assert manifest["num_frames"]["copied"] >= 24


def test_a_broadcast_that_begins_in_the_middle_of_a_gop_is_spliced_where_it_can_be_decoded(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4", languages=("eng",))
    cut = remuxed(film, "cut.ts", keep=lambda index, number: index > 0 or number > 6)

    _, manifest = delivered(tmp_path, cut)

    assert manifest["num_frames"]["all"] == len(cut.pts) == 72
    assert manifest["num_frames"]["copied"] == 24


def test_a_container_that_contradicts_the_bitstream_changes_no_frame(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4")
    data = bytearray(film.path.read_bytes())
    place = data.index(b"colrnclx") + 8
    data[place : place + 7] = b"\0\5\0\6\0\5\x80"  # BT.601, full range
    conflicting = film.path.with_name("conflict.mp4")
    conflicting.write_bytes(data)

    _, manifest = delivered(tmp_path, replace(film, path=conflicting))

    assert manifest["picture"]["method"] == "splice"


def test_all_that_a_master_has_comes_back(tmp_path: Path) -> None:
    more = {"rotation": 90, "sample_aspect_ratio": Fraction(4, 3), "layout": "5.1", "chapters": True}
    film = film_of(tmp_path / "film.mov", languages=("eng", "fra", "ita"), **more)

    def retag(out: av.container.OutputContainer, copies: dict[int, Any]) -> None:
        copies[0].metadata.update({"timecode": "10:00:00:00", "reel_name": "A001"})
        out.metadata["title"] = "Master"
        for index, language in enumerate(("eng", "fra", "ita"), start=1):
            copies[index].metadata["language"] = language

    path, manifest = delivered(tmp_path, remuxed(film, "master.mov", retag=retag))

    with av.open(str(path)) as made:
        assert made.streams.video[0].metadata["timecode"] == "10:00:00:00"
        reels = [one.metadata.get("reel_name") for one in made.streams if one.type == "data"]
        assert "A001" in reels
        assert [one.language for one in made.streams.audio] == ["por", "eng", "fra", "ita"]
        assert [one.layout.name for one in made.streams.audio[1:]] == ["5.1"] * 3
        frame = next(made.decode(video=0))
        assert (frame.rotation, made.streams.video[0].sample_aspect_ratio) == (90, Fraction(4, 3))
    assert (manifest["picture"]["method"], manifest["left_out"]) == ("splice", [])


def test_a_stream_that_no_delivery_can_hold_is_named(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4", languages=("eng",), encoder=X264)

    def retag(out: av.container.OutputContainer, copies: dict[int, Any]) -> None:
        out.add_data_stream("klv")

    _, manifest = delivered(tmp_path, remuxed(film, "film.ts", retag=retag))

    assert manifest["left_out"] == ["stream 2 (data, klv)"]
