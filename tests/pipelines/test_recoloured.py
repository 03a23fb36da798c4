"""Films whose colour tags change in the middle: new GOPs have those of their frames, and the proof looks at all."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from pipelines.film_picture import WrittenPicture, write_picture
from pipelines.media.dub_track import DubSource, dub_track
from pipelines.media.encode import EncodeConfig
from pipelines.media.frame_tags import colour_tags
from pipelines.media.ledger import read_ledger
from pipelines.media.muxer import delivered_suffix
from pipelines.media.nal import Avc, Hevc
from pipelines.media.parameter_sets import read_sets
from pipelines.media.probe import probe_film
from pipelines.picture_tags import picture_tags
from pipelines.progress import untold
from pipelines.splice_proof import random_seeks
from pipelines.storage import ObjectStore
from pipelines.verify import verify_films
from schemas.reason import FilmNote, Whole
from tests.pipelines.deliveries import film_row, shot_rows
from tests.pipelines.joined_films import joined
from tests.pipelines.test_splice import X264, X265
from tests.pipelines.test_survival import delivered
from tests.synthetic import SyntheticFilm

HD, SD = (1, 1, 1, 1), (6, 6, 6, 1)  # matrix, primaries, transfer, range
OPEN_GOPS: dict[str, Any] = {"encoder": (*X264, ("x264-params", "open-gop=1"))}
HEVC: dict[str, Any] = {"codec": "libx265", "encoder": X265}


def tags_of(path: Path) -> list[tuple[int, ...]]:
    """Matrix, primaries, transfer and range of each frame."""
    with av.open(str(path)) as film:
        found = (colour_tags(frame) for frame in film.decode(video=0))
        return [(tags.matrix, tags.primaries, tags.transfer, tags.range) for tags in found]


def changed_across(film: SyntheticFilm) -> SyntheticFilm:
    """The film with a shot that begins in one colour and ends in the other."""
    return replace(film, cuts=(film.pts[80], film.pts[120]))


def written_whole(folder: Path, film: SyntheticFilm) -> tuple[Path, WrittenPicture]:
    """The film with its second shot painted, every frame encoded again."""
    row, encode = film_row(film), EncodeConfig(preset="veryfast")
    shots = shot_rows(film, row, ObjectStore(str(folder / "work")), 1)
    target, dub = folder / f"whole.{delivered_suffix(film.path)}", Path(row["dub_uri"])
    start_s = film.pts[0] * film.time_base
    track = dub_track(DubSource(film=film.path, start_s=start_s, dub=dub, dub_kind="dub_stem"), target.suffix)
    return target, write_picture(row, shots, target, track, encode, untold, failed="it is tried")


@pytest.mark.parametrize(
    ("suffix", "more"),
    [
        pytest.param("mp4", {}, id="H.264 mp4"),
        pytest.param("mkv", {}, id="H.264 mkv"),
        pytest.param("ts", {}, id="H.264 broadcast"),
        pytest.param("mp4", HEVC, id="HEVC mp4"),
        pytest.param("ts", {"gop": 1}, id="H.264, every frame by itself"),
    ],
)
def test_a_run_that_spans_a_change_of_colours_keeps_each_frames_tags(
    tmp_path: Path, suffix: str, more: dict[str, Any]
) -> None:
    film = changed_across(joined(tmp_path, {"colour": HD, **more}, {"colour": SD, **more}, suffix=suffix))
    wanted = [HD] * 96 + [SD] * 96
    assert tags_of(film.path) == wanted

    made, manifest = delivered(tmp_path, film, 1)

    assert (manifest["picture"]["method"], len(manifest["picture"]["runs"])) == ("splice", 2)
    assert tags_of(made) == wanted
    assert [note["note"] for note in manifest["notes"]] == [FilmNote.COLOUR_CHANGE]


@pytest.mark.parametrize(
    ("suffix", "more"),
    [
        pytest.param("ts", {"codec": "mpeg2video", "encoder": (("b", "4M"),)}, id="MPEG-2"),
        pytest.param("mp4", OPEN_GOPS, id="H.264 mp4"),
        pytest.param("mkv", OPEN_GOPS, id="H.264 mkv"),
        pytest.param("mp4", HEVC | {"gop": 96}, id="HEVC"),
    ],
)
def test_a_film_that_is_encoded_whole_keeps_each_frames_tags(
    tmp_path: Path, suffix: str, more: dict[str, Any]
) -> None:
    film = changed_across(joined(tmp_path, *({"colour": tags, **more} for tags in (HD, SD)), suffix=suffix))

    target, made = written_whole(tmp_path, film)

    assert made.whole is Whole.PROOF_FAILED
    assert tags_of(target) == tags_of(film.path) == [HD] * 96 + [SD] * 96
    failures = {check.name for check in verify_films(film.path, target).failures}
    assert failures <= {"picture"}  # what was painted is nowhere written down
    assert random_seeks(target, read_ledger(target)).ok


def test_decoding_times_rise_where_an_encoder_of_long_frames_follows_one_of_short_ones(tmp_path: Path) -> None:
    fast, slow = {"frame_rate": Fraction(50), "colour": HD}, {"frame_rate": Fraction(10), "colour": SD}
    film = joined(tmp_path, fast, slow)

    target, _ = written_whole(tmp_path, film)

    assert tags_of(target) == [HD] * 96 + [SD] * 96
    assert read_ledger(target).pts == list(film.pts)
    with av.open(str(target)) as made:
        dts = [packet.dts for packet in made.demux(video=0) if packet.size]
    assert dts == sorted(set(dts))


def test_the_container_declares_the_sets_of_both_colours(tmp_path: Path) -> None:
    for name, more, kind in (("h264", {}, Avc.SPS), ("hevc", HEVC, Hevc.SPS)):
        folder = tmp_path / name
        folder.mkdir()
        film = joined(folder, {"colour": HD, **more}, {"colour": SD, **more}, suffix="mp4")

        made, _ = delivered(folder, changed_across(film), 1)

        with av.open(str(film.path)) as before, av.open(str(made)) as after:
            own, new = (read_sets(name, one.streams.video[0].codec_context.extradata) for one in (before, after))
        assert len(new.ids(kind) - own.ids(kind)) == 2


def test_a_change_of_colours_is_noted_with_its_place(tmp_path: Path) -> None:
    film = joined(tmp_path, {"colour": HD}, {"colour": SD}, {"colour": HD})

    probe = probe_film(film.path)

    places = [film.pts[0], film.pts[96], film.pts[192]]
    assert [(pts, (tags.matrix, tags.primaries, tags.transfer)) for pts, tags in probe.colours] == list(
        zip(places, (HD[:3], SD[:3], HD[:3]), strict=True)
    )
    (note,) = probe.notes
    sd, hd = (f"matrix {n}, primaries {n}, transfer {n}, limited range" for n in (6, 1))
    start_s = float(places[1] * film.time_base), float(places[2] * film.time_base)
    assert note.detail == (
        f"its colour tags change from {hd} at 00:00:0{start_s[0]:.3f} to {sd}, at 00:00:0{start_s[1]:.3f} to {hd} "
        "(ITU-T H.273)"
    )


def test_frames_with_the_tags_of_others_do_not_pass_the_proof(tmp_path: Path) -> None:
    true = joined(tmp_path, {"colour": HD}, {"colour": SD})
    folder = tmp_path / "other"
    folder.mkdir()
    late = joined(folder, {"colour": HD, "num_frames": 120}, {"colour": SD, "num_frames": 72})

    check = picture_tags(read_ledger(true.path), read_ledger(late.path))

    assert not check.ok
    assert json.loads(check.detail) == {
        "24 frames, the first frame 96": {"matrix": [6, 1], "primaries": [6, 1], "transfer": [6, 1]}
    }
    assert picture_tags(read_ledger(true.path), read_ledger(true.path)).ok
