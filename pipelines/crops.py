"""Ahead of stage 5, CutCrops: what the painter looks at, cut out of the frames of tracks that the plan wants painted.

The plan comes first: of listeners, of shots in which nobody speaks and of what a person puts aside nothing is cut. The
frames are decoded once more for it, and only the rectangles around faces are converted to RGB, in the film's true
colours.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from diff2lip.config import CropConfig
from pipelines.eligibility import Eligibility
from pipelines.face_crop import crop_frame, shown_box
from pipelines.face_frame import compose
from pipelines.media.container import UndecodableError
from pipelines.media.display import View, display_view
from pipelines.media.interlaced import is_interlaced
from pipelines.media.picture import frames
from pipelines.media.picture_part import part_around, parts_as_rgb
from pipelines.progress import TELL_EVERY_FRAMES
from pipelines.row_table import FrameRows, draft_table
from pipelines.stage import Row, RowStage
from pipelines.storage import ObjectStore, content_key
from pipelines.track_frames import TrackFrames, frames_to_paint
from schemas.frames import CROPPED_FRAME
from schemas.reason import FilmNote, Reason, Verdict
from schemas.shot import CROPPED_SHOT, PLANNED_SHOT

VERSION = 3  # raised when the same tracks give other crops

RESIZED_AROUND_PX = 3  # film px that a resize to square pixels looks at beside those that a crop shows

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WantedFrames:
    """The frames of a track that the painter looks at, as pts.

    Attributes:
        painted: to be painted.
        all: with the frames whose closed mouths are the references.
    """

    painted: frozenset[int]
    all: frozenset[int]


class CutCrops(RowStage):
    """Adds the crops of each track with verdict dub or review: of the frames to paint and of the references."""

    consumes: ClassVar[pa.Schema] = PLANNED_SHOT
    produces: ClassVar[pa.Schema] = CROPPED_SHOT

    def __init__(self, store_uri: str, crop: CropConfig, eligibility: Eligibility) -> None:
        self._store = ObjectStore(store_uri)
        self._crop, self._eligibility = crop, eligibility

    def facts(self, row: Row) -> Row:
        wanted = wanted_frames(row, self._eligibility)
        if not wanted:
            return {"crops_uri": None}
        key = self._key(row, wanted)
        try:
            if _is_interlaced(row):
                return {"crops_uri": None, "reason": Reason.INTERLACED.value}
            if not self._store.has(key):
                self._commit(key, row, wanted)
        except UndecodableError:
            return {"crops_uri": None, "reason": Reason.UNDECODABLE.value}
        return {"crops_uri": self._store.uri(key)}

    def _key(self, row: Row, wanted: Mapping[int, WantedFrames]) -> str:
        made_of = {
            "tracks": row["tracks_uri"].rsplit("/", 1)[-1],
            "frames": [[index, sorted(frames.all)] for index, frames in sorted(wanted.items())],
            "size_px": self._crop.size_px,
        }
        return content_key("crops", VERSION, made_of)

    def _commit(self, key: str, row: Row, wanted: Mapping[int, WantedFrames]) -> None:
        all_frames = {index: one.all for index, one in wanted.items()}
        with draft_table(self._store, CROPPED_FRAME) as table:
            painted = 0
            for frame in cropped_frames(row, all_frames, self._crop.size_px):
                table.add(frame)
                painted += frame["pts"] in wanted[frame["track_index"]].painted
                if painted == TELL_EVERY_FRAMES:
                    self.tell(painted)
                    painted = 0
            if table.num_rows < sum(len(one.all) for one in wanted.values()):
                raise UndecodableError(f"{row['film_uri']}: frames that were decoded once were not again")
            table.commit(key)


def _is_interlaced(row: Row) -> bool:
    """Whether any frame of a shot is; only in films of which that is noted it is looked for."""
    noted = any(note["note"] == FilmNote.INTERLACED_FRAMES for note in row["notes"])
    return noted and is_interlaced(Path(row["film_uri"]), row["shot_start_pts"], row["shot_end_pts"])


def wanted_frames(row: Row, eligibility: Eligibility) -> dict[int, WantedFrames]:
    """The frames that painting a shot needs, by track index; only of tracks of which some are painted.

    Args:
        row: PLANNED_SHOT.
        eligibility: how much earlier to begin and later to end.
    """
    wanted = {}
    for verdict in row["verdicts"]:
        if verdict["verdict"] == Verdict.LEAVE:
            continue
        track = TrackFrames(row["tracks_uri"], verdict["track_index"])
        painted = frames_to_paint(row, track, eligibility)
        if painted:
            wanted[track.index] = WantedFrames(frozenset(painted), frozenset([*painted, *track.closed]))
    return wanted


def cropped_frames(row: Row, wanted: Mapping[int, Iterable[int]], size_px: int) -> Iterator[Row]:
    """CROPPED_FRAME rows of some frames of some tracks, in order of time; a frame that cannot be decoded is missing.

    Args:
        row: TRACKED_SHOT or wider.
        wanted: pts, by track index.
        size_px: side of a crop.

    Raises:
        UndecodableError: the film cannot be decoded there.
    """
    by_track = {index: frozenset(pts) for index, pts in wanted.items()}
    every = frozenset().union(*by_track.values())
    path, tracked = Path(row["film_uri"]), FrameRows(row["tracks_uri"])
    view = display_view(path, row["shot_start_pts"])
    for pts, frame in frames(path, min(every), max(every) + 1):
        mine = [one for one in tracked.at(pts) if pts in by_track.get(one["track_index"], ())] if pts in every else []
        if mine:
            yield from _cropped(frame, view, mine, size_px)


def _cropped(frame: VideoFrame, view: View, rows: list[Row], size_px: int) -> Iterator[Row]:
    """TRACK_FRAME rows of one frame with their crops."""
    affines = [compose(np.reshape(one["affine"], (2, 3)), view.to_film) for one in rows]  # view px to crop px
    boxes = view.boxes_in_film(np.stack([shown_box(affine, size_px) for affine in affines]))
    if view.aspect != 1:
        boxes += np.array([-1, -1, 1, 1]) * RESIZED_AROUND_PX
    parts = [part_around(box, view.width_px, view.height_px) for box in boxes]
    picture = view.of(parts_as_rgb(frame, parts))
    for one, affine in zip(rows, affines, strict=True):
        yield one | {"crop": crop_frame(picture, affine, size_px).tobytes()}
