"""Before stage 1, WatchPart: cuts and faces of a part of a film, with one decode for both.

What it finds goes into storage under the keys where DetectShots and TrackFaces look first. So these two do the work
themselves where a part was not watched, with the same result, and nothing else depends on it.
"""

from collections.abc import Iterator
from functools import cached_property
from itertools import chain, groupby
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from pipelines.face_scan import Pixels
from pipelines.film_parts import PartShots, PartSpan, ShotPlace, part_of
from pipelines.media.container import UndecodableError
from pipelines.media.display import display_view
from pipelines.part_frames import PartFrames, Wanted
from pipelines.progress import telling
from pipelines.shot_faces import FaceConfig, SeenFaces, ShotFaces, ShotSpan
from pipelines.shot_stream import ShotFrame, ShotStream
from pipelines.shots import ShotConfig, shot_facts
from pipelines.stage import Row, RowStage
from pipelines.storage import ObjectStore, content_key
from schemas.film_part import FILM_PART, WATCHED_PART
from schemas.timing import fraction

VERSION = 1


class WatchPart(RowStage):
    """Finds the shots that begin in a part of a film, and the face tracks in them."""

    consumes: ClassVar[pa.Schema] = FILM_PART
    produces: ClassVar[pa.Schema] = WATCHED_PART

    def __init__(self, *, store_uri: str, shots: ShotConfig, faces: FaceConfig, device: str = "cpu") -> None:
        self._store_uri, self._shots, self._config, self._device = store_uri, shots, faces, device

    def facts(self, row: Row) -> Row:
        part = part_of(row)
        key = watched_key(row["film_id"], part, self._shots, self._config)
        if self._store.has(key):
            return {"num_frames_watched": 0}
        try:
            places = list(self._watched(row, part))
        except UndecodableError:
            return {"num_frames_watched": 0}  # whoever looks for its shots and faces will say so
        PartShots(self._store, shot_facts(self._shots)).put(row["film_id"], part, places)
        num_frames = sum(frames for _, _, frames in places)
        self._store.put_json(key, {"num_frames": num_frames})
        return {"num_frames_watched": num_frames}

    def _watched(self, film: Row, part: PartSpan) -> Iterator[ShotPlace]:
        """The shots that begin in the part; their faces are kept."""
        view = display_view(Path(film["film_uri"]), film["start_pts"])
        source = PartFrames(film, part, view)
        stream = ShotStream[Wanted](self._shots.min_shot_frames, source.again, self._shots.threshold)
        open_shot: SeenFaces | None = None
        for first, shot in _shots_of(stream.frames(telling(source.taken(), self.tell))):
            if open_shot is not None:
                yield self._kept(film, open_shot, first.pts)
            open_shot = None
            if first.pts >= part[1]:
                return
            if part[0] <= first.pts or part[0] == film["start_pts"]:
                open_shot = self._faces.see(_pictures(first, shot), view, fraction(film["time_base"]))
            elif any(frame.pts >= part[1] for frame in shot):
                return  # a shot of before runs through the whole part
        if open_shot is not None:
            yield self._kept(film, open_shot, film["end_pts"])

    def _kept(self, film: Row, seen: SeenFaces, end_pts: int) -> ShotPlace:
        start_pts = seen.frame_pts[0]
        time_base = fraction(film["time_base"])
        shot = ShotSpan(film_id=film["film_id"], start_pts=start_pts, end_pts=end_pts, time_base=time_base)
        self._faces.keep(shot, seen)
        return start_pts, end_pts, len(seen.frame_pts)

    @cached_property
    def _store(self) -> ObjectStore:
        return ObjectStore(self._store_uri)

    @cached_property
    def _faces(self) -> ShotFaces:
        return ShotFaces(self._store, self._config, self._device)


def watched_key(film_id: str, part: PartSpan, shots: ShotConfig, faces: FaceConfig) -> str:
    """Under which it is written down that a part was watched."""
    facts = {"film": film_id, "part": part, "shots": shot_facts(shots), "faces": faces.facts}
    return content_key("watched", VERSION, facts)


Stream = Iterator[ShotFrame[Wanted]]


def _shots_of(stream: Stream) -> Iterator[tuple[ShotFrame[Wanted], Stream]]:
    """The first frame of each shot, and those that follow it."""
    for _, shot in groupby(stream, key=lambda frame: frame.shot):
        yield next(shot), shot  # noqa: B031, the second is what the first has left


def _pictures(first: ShotFrame[Wanted], rest: Stream) -> Iterator[tuple[int, Pixels]]:
    """Pts and picture of the frames of a shot."""
    for frame in chain([first], rest):
        if frame.picture is None:
            raise ValueError(f"the frame at pts {frame.pts} lies before the part in which its shot begins")
        yield frame.pts, frame.picture
