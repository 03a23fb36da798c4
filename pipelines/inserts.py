"""The changed shots of a film as files of their own, with an edit list: an editor need not trust our mux.

OUT/<title>/<language>/inserts/ holds a MOV for each changed shot, `inserts.csv`, and where the film has frames of one
length and a rate that timecode knows, `inserts.edl` (CMX 3600) and `inserts.otio`.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange, from_timecode

from pipelines.media.container import FILM_FORMATS, open_media, picture_stream
from pipelines.media.gops import index_picture
from pipelines.media.insert_file import write_insert
from pipelines.shot_patches import ShotPatches
from pipelines.stage import Row
from schemas.timing import clock, fraction

FOLDER, SHEET, EDL, TIMELINE = "inserts", "inserts.csv", "inserts.edl", "inserts.otio"
MIDNIGHT = "00:00:00:00"
HEADS = (
    *("file", "shot_index", "timecode_in", "timecode_out", "start", "end", "start_pts", "end_pts", "num_frames"),
    "num_frames_changed",
)


@dataclass(frozen=True, slots=True)
class Counting:
    """How a film counts its frames in timecode."""

    rate: float
    first: RationalTime  # of the film's first frame
    frame_ticks: Fraction  # not whole where a container rounds times
    start_pts: int

    def at(self, pts: int) -> RationalTime:
        """Of the frame at a pts."""
        return self.first + RationalTime(round((pts - self.start_pts) / self.frame_ticks), self.rate)


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
    edges = ["" if counting is None else counting.at(pts).to_timecode() for pts in (start_pts, end_pts)]
    num_frames = write_insert(
        Path(film["film_uri"]), place / name, start_pts, end_pts, ShotPatches([shot]), edges[0] or None
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


def counting_of(path: Path, film: Row) -> Counting | None:
    """How the film counts; None where its frames differ in length, or no timecode has its rate."""
    rate, start_pts = fraction(film["frame_rate"]), film["start_pts"]
    frame_ticks = 1 / rate / fraction(film["time_base"])
    moments = np.sort(index_picture(path).pts)
    moments = moments[moments >= start_pts] - start_pts
    even = np.arange(len(moments)) * float(frame_ticks)
    if np.abs(moments - even).max(initial=0) >= frame_ticks / 2 or not RationalTime.is_smpte_timecode_rate(
        float(rate)
    ):
        return None
    return Counting(float(rate), from_timecode(_first_timecode(path), float(rate)), frame_ticks, start_pts)


def _first_timecode(path: Path) -> str:
    """As the film says, of its picture or of its container; midnight where it says none."""
    with open_media(path, FILM_FORMATS) as film:
        found = picture_stream(film).metadata.get("timecode") or film.metadata.get("timecode")
        return str(found or MIDNIGHT)


def _write_edits(film: Row, rows: Sequence[Row], place: Path, counting: Counting) -> None:
    track = otio.schema.Track(film["title"], kind=otio.schema.TrackKind.Video)
    end = RationalTime(0, counting.rate)  # CMX 3600 counts from midnight
    for row in rows:
        begin, after = (counting.at(row[name]) for name in ("start_pts", "end_pts"))
        if begin > end:
            track.append(otio.schema.Gap(duration=begin - end))
        span = TimeRange(begin, after - begin)
        media = otio.schema.ExternalReference(row["file"], available_range=span)
        track.append(otio.schema.Clip(Path(row["file"]).stem, media_reference=media, source_range=span))
        end = after
    timeline = otio.schema.Timeline(f"{film['title']} {film['language']}")
    timeline.tracks.append(track)
    otio.adapters.write_to_file(timeline, str(place / TIMELINE))
    if rows:
        otio.adapters.write_to_file(timeline, str(place / EDL), adapter_name="cmx_3600", rate=counting.rate)
