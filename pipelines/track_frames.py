"""The frames of one face track of a shot: their numbers at hand, their crops read when their turn comes."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from pipelines.eligibility import Eligibility
from pipelines.paint_spans import spans_to_paint
from pipelines.reference import closed_frames
from pipelines.row_table import read_columns, read_rows
from pipelines.stage import Row

NUMBERS = ("track_index", "pts", "detected", "opening")


class TrackFrames:
    """A face track in a TRACK_FRAME table.

    Attributes:
        index: of the track in its shot.
        numbers: pts, detected and opening of every frame, in order of time.
    """

    def __init__(self, uri: str, track_index: int) -> None:
        self.index = track_index
        self.numbers = [row for row in read_columns(uri, NUMBERS).to_pylist() if row["track_index"] == track_index]

    @property
    def pts(self) -> list[int]:
        """Every frame of the track."""
        return [frame["pts"] for frame in self.numbers]

    @property
    def seen(self) -> list[int]:
        """The frames in which the face was found; where a gap was bridged something hides it."""
        return [frame["pts"] for frame in self.numbers if frame["detected"]]

    @property
    def closed(self) -> list[int]:
        """The frames whose mouths are closed most: the references."""
        openings = np.array([frame["opening"] for frame in self.numbers if frame["detected"]], np.float32)
        seen = self.seen
        return [seen[place] for place in closed_frames(openings)]

    def cropped(self, uri: str, pts: Iterable[int], columns: Sequence[str]) -> Iterator[Row]:
        """Columns of some frames in a CROPPED_FRAME table, in order of time, a few rows in memory at a time."""
        wanted = set(pts)
        for row in read_rows(uri, ["track_index", "pts", *columns]):
            if row["track_index"] == self.index and row["pts"] in wanted:
                yield row


def frames_to_paint(row: Row, track: TrackFrames, eligibility: Eligibility) -> list[int]:
    """The frames of a track that are painted, as pts in order: those within `spans_to_paint` in which it is seen.

    Args:
        row: PLANNED_SHOT.
        track: one of its tracks.
        eligibility: how much earlier to begin and later to end.
    """
    facts = next(one for one in row["tracks"] if one["track_index"] == track.index)
    spans = spans_to_paint(row, facts, eligibility)
    return [pts for pts in track.seen if any(start <= pts < end for start, end in spans)]
