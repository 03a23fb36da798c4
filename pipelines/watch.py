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

from pipelines.content_cuts import RECENT_FRAMES
from pipelines.cuts import STREAMED
from pipelines.face_config import FaceConfig
from pipelines.face_scan import Pixels
from pipelines.film_parts import PartShots, PartSpan, ShotPlace, part_of
from pipelines.kept_faces import ShotSpan
from pipelines.media.container import UndecodableError
from pipelines.media.display import display_view
from pipelines.part_frames import NoLeadError, PartFrames, Wanted
from pipelines.progress import telling
from pipelines.shot_faces import SeenFaces, ShotFaces
from pipelines.shot_stream import ShotFrame, ShotStream
from pipelines.shots import ShotConfig, shot_facts
from pipelines.stage import Row, RowStage
from pipelines.storage import ObjectStore, content_key
from schemas.film_part import FILM_PART, WATCHED_PART
from schemas.timing import fraction

VERSION = 1
LONGEST_LAST_S = 2  # that a last frame is shown: a film that is cut off is not believed to end there
MOST_WAITING = 24  # frames of a shortest shot: so many pictures wait until it is certain


class WatchPart(RowStage):
    """Finds the shots that begin in a part of a film, and the face tracks in them."""

    consumes: ClassVar[pa.Schema] = FILM_PART
    produces: ClassVar[pa.Schema] = WATCHED_PART

    def __init__(self, *, store_uri: str, shots: ShotConfig, faces: FaceConfig) -> None:
        self._store_uri, self._shots, self._config = store_uri, shots, faces

    def facts(self, row: Row) -> Row:
        part = part_of(row)
        key = watched_key(row["film_id"], part, self._shots, self._config)
        if self._store.has(key):
            return {"num_frames_watched": 0}
        try:
            places = list(self._watched(row, part))
        except (UndecodableError, NoLeadError):
            return {"num_frames_watched": 0}  # whoever looks for its shots and faces then will say so
        PartShots(self._store, shot_facts(self._shots)).put(row["film_id"], part, places)
        num_frames = sum(frames for _, _, frames in places)
        self._store.put_json(key, {"num_frames": num_frames})
        return {"num_frames_watched": num_frames}

    def _watched(self, film: Row, part: PartSpan) -> Iterator[ShotPlace]:
        """The shots that begin in the part; their faces are kept."""
        view = display_view(Path(film["film_uri"]), film["start_pts"])
        time_base, shortest = fraction(film["time_base"]), self._shots.min_shot_frames
        source = PartFrames(film, part, view, lead_frames=RECENT_FRAMES + 2 * (1 + shortest))
        stream = ShotStream[Wanted](shortest, time_base, source.again, self._shots.threshold)
        open_shot: SeenFaces | None = None
        for first, shot in _shots_of(stream.frames(source.taken())):
            if open_shot is not None:
                yield self._kept(film, open_shot, first.pts)
            open_shot = None
            if first.pts >= part[1]:
                return
            if part[0] <= first.pts or part[0] == film["start_pts"]:
                mine = telling(_pictures(first, shot), self.tell)
                open_shot = self._faces.see(mine, view, time_base)
            elif any(frame.pts >= part[1] for frame in shot):
                return  # a shot of before runs through the whole part
        if open_shot is not None:
            if film["end_pts"] - open_shot.frame_pts[-1] > LONGEST_LAST_S / time_base:
                raise UndecodableError(f"{film['film_uri']} ends before its end")
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
        return ShotFaces(self._store, self._config)


def is_watchable(shots: ShotConfig) -> bool:
    """Whether cuts are known soon after them: by one of the detectors, and with few pictures in memory."""
    return shots.detector in STREAMED and shots.min_shot_frames <= MOST_WAITING


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
