"""Changed shots as files of their own, where the edit list says, with what was painted."""

import csv
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import opentimelineio as otio
import pytest

from pipelines.inserts import write_inserts
from pipelines.media.picture import frames, planes_of
from pipelines.storage import ObjectStore
from tests.pipelines.deliveries import PAINTED_CODES, RECT, film_row, shot_rows
from tests.pipelines.test_splice import WHOLE_FILM, film_of
from tests.pipelines.test_survival import remuxed
from tests.synthetic import FILM_24, NTSC_30, SyntheticFilm


def timed_film(folder: Path, rate: Fraction, first: str | None, suffix: str = "mov") -> SyntheticFilm:
    """A film of 96 frames with a cut at frame 40, whose picture says a timecode, or none."""
    film = film_of(folder / "film.mov", languages=("eng",), cuts=(40,), frame_rate=rate)

    def retag(out: Any, copies: dict[int, Any]) -> None:
        copies[0].metadata.update({"timecode": first} if first else {})

    made = remuxed(film, f"timed.{suffix}", retag=retag)
    return SyntheticFilm(made.path, made.spec, made.time_base, made.pts, made.end_pts, (made.pts[40],))


def inserts_of(folder: Path, film: SyntheticFilm) -> tuple[Path, list[dict[str, str]]]:
    row = film_row(film)
    shots = shot_rows(film, row, ObjectStore(str(folder / "work")), 1)
    write_inserts(row, list(reversed(shots)), folder)
    with (folder / "inserts/inserts.csv").open() as file:
        return folder / "inserts", list(csv.DictReader(file))


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="8 bit 4:2:0"),
        pytest.param({"pixel_format": "yuv422p10le", "colour": (9, 9, 16, 1)}, id="10 bit 4:2:2 PQ"),
        pytest.param({"pixel_format": "yuv444p", "frame_rate": NTSC_30}, id="4:4:4"),
        pytest.param({"start_frame": 7}, id="late start"),
    ],
)
def test_an_insert_shows_the_shot_as_it_was_composited(tmp_path: Path, more: dict[str, Any]) -> None:
    film = film_of(tmp_path / "film.mp4", languages=("eng",), cuts=(40,), **more)

    folder, (line,) = inserts_of(tmp_path, film)

    made = list(frames(folder / line["file"], *WHOLE_FILM))
    own = list(frames(film.path, film.pts[40], film.end_pts))
    assert len(made) == len(own) == int(line["num_frames"]) == int(line["num_frames_changed"]) == 56
    for (pts, new), (source_pts, old) in zip(made, own, strict=True):
        assert abs(pts * new.time_base - (source_pts - film.pts[40]) * film.time_base) < Fraction(1, 10_000)
        assert (new.colorspace, new.color_trc, new.color_range) == (old.colorspace, old.color_trc, old.color_range)
        luma = planes_of(new)[0].astype(int)
        scale = new.format.components[0].bits - old.format.components[0].bits  # FFmpeg decodes 4:4:4 at 12 bits
        before = planes_of(old)[0].astype(int) << scale
        inner = luma[RECT.y + 4 : RECT.y + RECT.height - 4, RECT.x + 4 : RECT.x + RECT.width - 4]
        bits = new.format.components[0].bits
        assert np.abs((inner >> bits - 10) - 4 * PAINTED_CODES[0]).max() < 24
        outside = np.abs(luma - before)
        outside[RECT.y - 8 : RECT.y + RECT.height + 8, RECT.x - 8 : RECT.x + RECT.width + 8] = 0
        assert np.square(outside >> bits - 10).mean() < 12  # 49 dB of 10 bits


@pytest.mark.parametrize(
    ("rate", "first", "wanted"),
    [
        (Fraction(25), "10:00:00:00", ("10:00:01:15", "10:00:03:21")),
        (FILM_24, "01:00:00:00", ("01:00:01:16", "01:00:04:00")),
        (NTSC_30, "00:00:59;00", ("00:01:00;12", "00:01:02;08")),
        (NTSC_30, "01:00:00:00", ("01:00:01:10", "01:00:03:06")),
        (NTSC_30, "00:00:59:00", ("00:01:00:10", "00:01:02:06")),
        (NTSC_30, "00:00:00:00", ("00:00:01:10", "00:00:03:06")),
        (NTSC_30, "00:00:00;00", ("00:00:01;10", "00:00:03;06")),
        (2 * NTSC_30, "00:00:00:00", ("00:00:00:40", "00:00:01:36")),
        (2 * NTSC_30, "00:00:59;00", ("00:00:59;40", "00:01:00;40")),
        (2 * NTSC_30, "01:00:00:00", ("01:00:00:40", "01:00:01:36")),
        (NTSC_30, None, ("00:00:01;10", "00:00:03;06")),
        (Fraction(25), None, ("00:00:01:15", "00:00:03:21")),
    ],
)
def test_edit_lists_say_where_an_insert_is_to_be_spliced_in(
    tmp_path: Path, rate: Fraction, first: str | None, wanted: tuple[str, str]
) -> None:
    folder, (line,) = inserts_of(tmp_path, timed_film(tmp_path, rate, first))

    assert (line["timecode_in"], line["timecode_out"]) == wanted
    with av.open(str(folder / line["file"])) as opened:
        assert opened.streams.video[0].metadata["timecode"] == wanted[0]
    edits = (folder / "inserts.edl").read_text()
    assert all(moment in edits for moment in (*wanted, "FROM CLIP: shot0001.mov"))
    kind = "DROP FRAME" if ";" in wanted[0] else "NON-DROP FRAME"
    assert edits.splitlines()[1] == f"FCM: {kind}"
    assert edits.count(wanted[0]) == edits.count(wanted[1]) == 2  # of the insert, and of the film
    counted = float(rate) if ";" in wanted[0] else float(round(rate))
    (read,) = otio.adapters.read_from_string(edits, adapter_name="cmx_3600", rate=counted).find_clips()
    assert read.duration().to_frames() == 56
    timeline = otio.adapters.read_from_file(str(folder / "inserts.otio"))
    (clip,) = timeline.find_clips()
    assert clip.media_reference.target_url == "shot0001.mov"
    begin = clip.transformed_time_range(clip.available_range(), timeline.tracks).start_time
    start = timeline.global_start_time + begin
    assert start.to_timecode(float(rate), drop_frame=";" in wanted[0]) == wanted[0]
    assert clip.available_range().start_time == start
    assert clip.duration().to_frames() == 56


@pytest.mark.parametrize(
    ("first", "wanted"),
    [
        ("01:00:00:00", ("01:00:01:10", "01:00:03:06")),
        ("00:00:59;00", ("00:01:00;12", "00:01:02;08")),
        ("00:00:59.00", ("00:01:00;12", "00:01:02;08")),
        pytest.param("reel 7", ("00:00:01;10", "00:00:03;06"), id="no timecode"),
        pytest.param("01:00:00:45", ("00:00:01;10", "00:00:03;06"), id="of another rate"),
    ],
)
def test_the_timecode_of_a_matroska_film_is_its_own(tmp_path: Path, first: str, wanted: tuple[str, str]) -> None:
    _, (line,) = inserts_of(tmp_path, timed_film(tmp_path, NTSC_30, first, "mkv"))

    assert (line["timecode_in"], line["timecode_out"]) == wanted


@pytest.mark.parametrize(
    ("num_late", "wanted"), [(0, ("10:00:01:15", "10:00:03:21")), (12, ("10:00:02:02", "10:00:04:08"))]
)
def test_a_film_that_begins_after_its_timecode_counts_what_lies_between(
    tmp_path: Path, num_late: int, wanted: tuple[str, str]
) -> None:
    film = film_of(tmp_path / "film.mov", languages=("eng",), cuts=(40,), start_frame=num_late)

    def retag(out: Any, copies: dict[int, Any]) -> None:
        copies[0].metadata.update({"timecode": "10:00:00:00"})

    late = replace(remuxed(film, "late.mov", retag=retag), cuts=film.cuts)
    with av.open(str(late.path)) as opened:
        (code,) = (one for one in opened.streams if one.type == "data" and "timecode" in one.metadata)
        assert (code.start_time, late.pts[0] * late.time_base) == (0, Fraction(num_late, 25))
    _, (line,) = inserts_of(tmp_path, late)

    assert (line["timecode_in"], line["timecode_out"]) == wanted


@pytest.mark.parametrize("rate", [NTSC_30, FILM_24, Fraction(25)])
def test_frames_of_an_insert_are_even_where_a_container_has_rounded_their_times(
    tmp_path: Path, rate: Fraction
) -> None:
    folder, (line,) = inserts_of(tmp_path, timed_film(tmp_path, rate, "01:00:00:00", "mkv"))

    with av.open(str(folder / line["file"])) as opened:
        stream = opened.streams.video[0]
        packets = [packet for packet in opened.demux(stream) if packet.size]
        moments = [packet.pts * stream.time_base for packet in packets]
        lengths = {packet.duration * stream.time_base for packet in packets}
        assert stream.average_rate == stream.base_rate == rate
    assert lengths == {1 / rate}
    assert moments == [number / rate for number in range(56)]


@pytest.mark.parametrize(
    ("rate", "wanted"),
    [
        (NTSC_30, ("00:00:00:10", "00:00:02:06")),
        (2 * NTSC_30, ("23:59:59:40", "00:00:00:36")),
        (FILM_24, ("00:00:00:16", "00:00:03:00")),
    ],
)
def test_a_count_that_leaves_no_number_out_begins_again_at_its_own_midnight(
    tmp_path: Path, rate: Fraction, wanted: tuple[str, str]
) -> None:
    """24 hours of 30 numbers a second are longer than 24 hours of 29.97 frames."""
    folder, (line,) = inserts_of(tmp_path, timed_film(tmp_path, rate, "23:59:59:00"))

    assert (line["timecode_in"], line["timecode_out"]) == wanted
    with av.open(str(folder / line["file"])) as opened:
        assert opened.streams.video[0].metadata["timecode"] == wanted[0]
    assert all((folder / "inserts.edl").read_text().count(moment) == 2 for moment in wanted)


def test_a_film_of_uneven_frames_has_inserts_without_timecode(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4", languages=("eng",), durations=(20, 40, 25, 25, 60, 30) * 16)

    folder, (line,) = inserts_of(tmp_path, film)

    assert (line["timecode_in"], line["num_frames"]) == ("", "48")
    assert sorted(path.name for path in folder.iterdir()) == ["inserts.csv", "shot0001.mov"]
    steps = np.diff([pts * frame.time_base for pts, frame in frames(folder / line["file"], *WHOLE_FILM)])
    own = np.diff([pts * film.time_base for pts in film.pts[48:]])
    assert all(abs(a - b) < Fraction(1, 10_000) for a, b in zip(steps, own, strict=True))
