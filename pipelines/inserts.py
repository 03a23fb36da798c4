"""The changed shots of a film as files of their own, with an edit list: an editor need not trust our mux.

OUT/<title>/<language>/inserts/ holds a MOV for each changed shot, `inserts.csv`, and where the film has frames of one
length and a rate that timecode knows, `inserts.edl` (CMX 3600) and `inserts.otio`.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import opentimelineio as otio
from numpy.typing import NDArray
from opentimelineio.opentime import RationalTime, TimeRange, from_timecode

from pipelines.media.container import FILM_FORMATS, open_media, picture_stream
from pipelines.media.insert_file import write_insert
from pipelines.shot_patches import ShotPatches
from pipelines.stage import Row
from schemas.timing import clock, fraction

VERSION = 3  # raised when the same shots have other inserts
FOLDER, SHEET, EDL, TIMELINE = "inserts", "inserts.csv", "inserts.edl", "inserts.otio"
MIDNIGHT = "00:00:00:00"
TIMECODE = re.compile(r"\d\d:\d\d:\d\d[:;.]\d\d")  # FFmpeg takes a full stop for a semicolon
HEADS = (
    *("file", "shot_index", "timecode_in", "timecode_out", "start", "end", "start_pts", "end_pts", "num_frames"),
    "num_frames_changed",
)


@dataclass(frozen=True, slots=True)
class Counting:
    """How a film counts its frames in timecode."""

    rate: float  # of `exact_rate`
    first: RationalTime  # of the film's first frame
    frame_ticks: Fraction  # not whole where a container rounds times
    start_pts: int
    drops: bool  # numbers are left out, so that a timecode of 29.97 or 59.94 keeps up with the clock

    def at(self, pts: int) -> RationalTime:
        """Of the frame at a pts."""
        return self.first + RationalTime(round((pts - self.start_pts) / self.frame_ticks), self.rate)

    def timecode(self, pts: int) -> str:
        """Of the frame at a pts; with a semicolon where numbers are left out."""
        counted = self.in_whole_frames()
        return str(counted.at(pts).to_timecode(counted.rate, drop_frame=self.drops))

    def in_whole_frames(self) -> "Counting":
        """The same count at the rate of its numbers, 30 for 29.97, by which it is midnight where none is left out."""
        rate = self.rate if self.drops else float(round(self.rate))
        return replace(self, rate=rate, first=RationalTime(self.first.value, rate))


def write_inserts(film: Row, shots: Sequence[Row], folder: Path) -> list[Row]:
    """Write the inserts of a film; what was written, as in the sheet.

    Args:
        film: row of FILM.
        shots: rows of JUDGED_SHOT, all of the film's.
        folder: of the delivery.

    Raises:
        UndecodableError: the film cannot be decoded.
        UnwritableError: a file cannot be written.
    """
    place = folder / FOLDER
    place.mkdir()
    counting = counting_of(Path(film["film_uri"]), film)
    changed = sorted((shot for shot in shots if shot["patch_uri"]), key=lambda shot: int(shot["shot_start_pts"]))
    rows = [_insert(film, shot, place, counting) for shot in changed]
    with (place / SHEET).open("w", newline="") as file:
        writer = csv.DictWriter(file, HEADS)
        writer.writeheader()
        writer.writerows(rows)
    if counting is not None:
        _write_edits(film, rows, place, counting)
    return rows


def _insert(film: Row, shot: Row, place: Path, counting: Counting | None) -> Row:
    start_pts, end_pts = shot["shot_start_pts"], shot["shot_end_pts"]
    name = f"shot{shot['shot_index']:04d}.mov"
    edges = ["" if counting is None else counting.timecode(pts) for pts in (start_pts, end_pts)]
    rate = None if counting is None else exact_rate(fraction(film["frame_rate"]))
    num_frames = write_insert(
        Path(film["film_uri"]), place / name, start_pts, end_pts, ShotPatches([shot]), edges[0] or None, rate
    )
    time_base = fraction(film["time_base"])
    return {
        "file": name,
        "shot_index": shot["shot_index"],
        "timecode_in": edges[0],
        "timecode_out": edges[1],
        "start": clock(start_pts * time_base),
        "end": clock(end_pts * time_base),
        "start_pts": start_pts,
        "end_pts": end_pts,
        "num_frames": num_frames,
        "num_frames_changed": shot["num_frames_changed"],
    }


def exact_rate(rate: Fraction) -> Fraction:
    """The rate of timecode that a film has, 30000/1001 for 29.97: a container may tell it rounded."""
    whole = Fraction(max(round(rate), 1))
    return min(whole, whole * 1000 / 1001, key=lambda one: abs(one - rate))


def counting_of(path: Path, film: Row) -> Counting | None:
    """How the film counts; None where its frames differ in length, or no timecode has its rate."""
    rate, start_pts = exact_rate(fraction(film["frame_rate"])), film["start_pts"]
    frame_ticks = 1 / rate / fraction(film["time_base"])
    moments = _moments(path)
    moments = moments[moments >= start_pts] - start_pts
    even = np.arange(len(moments)) * float(frame_ticks)
    if np.abs(moments - even).max(initial=0) >= frame_ticks / 2 or not RationalTime.is_smpte_timecode_rate(
        float(rate)
    ):
        return None
    said, can_drop = _first_timecode(path, rate), round(rate) % 30 == 0 and rate.denominator > 1
    drops = can_drop and (said is None or said[-3] != ":")  # a count that nobody began keeps up with the clock
    late = _frames_after_timecode(path, start_pts * fraction(film["time_base"]), rate) if said else 0
    first = from_timecode(_marked(said or MIDNIGHT, drops), float(rate)) + RationalTime(late, float(rate))
    return Counting(float(rate), first, frame_ticks, start_pts, drops)


def _moments(path: Path) -> NDArray[np.int64]:
    """[F] pts of the frames that are shown, in their order."""
    with open_media(path, FILM_FORMATS) as film:
        packets = film.demux(picture_stream(film))
        shown = [one.pts for one in packets if one.size and one.pts is not None and not one.is_discard]
    return np.sort(np.array(shown, np.int64))


def _first_timecode(path: Path, rate: Fraction) -> str | None:
    """As the film says, of its picture or of its container; None where neither says one that its rate has."""
    with open_media(path, FILM_FORMATS) as film:
        tags = [*picture_stream(film).metadata.items(), *film.metadata.items()]
    said = [str(value) for name, value in tags if name.casefold() == "timecode"]  # Matroska's is in capitals
    return next((one for one in said if TIMECODE.fullmatch(one) and int(one[-2:]) < round(rate)), None)


def _frames_after_timecode(path: Path, start_s: Fraction, rate: Fraction) -> int:
    """How many frames before the film's first its timecode begins: MOV has a track for it, with a start of its own."""
    with open_media(path, FILM_FORMATS) as film:
        tracks = [one for one in film.streams if one.type == "data" and "timecode" in one.metadata]
        starts = [one.start_time * one.time_base for one in tracks if one.start_time is not None and one.time_base]
    return max(0, round((start_s - starts[0]) * rate)) if starts else 0


def _marked(timecode: str, drops: bool) -> str:
    return f"{timecode[:-3]}{';' if drops else ':'}{timecode[-2:]}"


def _write_edits(film: Row, rows: Sequence[Row], place: Path, counting: Counting) -> None:
    """The same edits twice: OTIO knows where a film begins, CMX 3600 counts from midnight."""
    timeline = _timeline(film, rows, counting, counting.first)
    timeline.global_start_time = counting.first
    otio.adapters.write_to_file(timeline, str(place / TIMELINE))
    if rows:
        whole = counting.in_whole_frames()  # tools take 29.97 for a rate that leaves numbers out
        timeline = _timeline(film, rows, whole, RationalTime(0, whole.rate))
        listed = otio.adapters.write_to_string(timeline, adapter_name="cmx_3600", rate=whole.rate)
        title, _, events = listed.partition("\n")
        kind = "DROP FRAME" if counting.drops else "NON-DROP FRAME"
        (place / EDL).write_text(f"{title}\nFCM: {kind}\n{events}")


def _timeline(film: Row, rows: Sequence[Row], counting: Counting, begin: RationalTime) -> otio.schema.Timeline:
    track, end = otio.schema.Track(film["title"], kind=otio.schema.TrackKind.Video), begin
    for row in rows:
        start, after = (counting.at(row[name]) for name in ("start_pts", "end_pts"))
        if start > end:
            track.append(otio.schema.Gap(duration=start - end))
        span = TimeRange(start, after - start)
        media = otio.schema.ExternalReference(row["file"], available_range=span)
        track.append(otio.schema.Clip(Path(row["file"]).stem, media_reference=media, source_range=span))
        end = after
    timeline = otio.schema.Timeline(f"{film['title']} {film['language']}")
    timeline.tracks.append(track)
    return timeline
