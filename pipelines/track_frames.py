"""The frames of one face track of a shot: their numbers at hand, their crops read when their turn comes."""

from collections.abc import Iterable, Iterator, Sequence

from pipelines.row_table import read_columns, read_rows
from pipelines.stage import Row

NUMBERS = ("track_index", "pts", "detected", "opening")


class TrackFrames:
    """A face track in a TRACK_FRAME table.

    Attributes:
        numbers: pts, detected and opening of every frame, in order of time.
    """

    def __init__(self, uri: str, track_index: int) -> None:
        self._uri, self._index = uri, track_index
        self.numbers = [row for row in read_columns(uri, NUMBERS).to_pylist() if row["track_index"] == track_index]

    @property
    def pts(self) -> list[int]:
        """Every frame of the track."""
        return [frame["pts"] for frame in self.numbers]

    @property
    def seen(self) -> list[Row]:
        """The numbers of the frames in which the face was found; where a gap was bridged something hides it."""
        return [frame for frame in self.numbers if frame["detected"]]

    def read(self, pts: Iterable[int], columns: Sequence[str]) -> Iterator[Row]:
        """More columns of some frames, in order of time, a few rows in memory at a time."""
        wanted = set(pts)
        for row in read_rows(self._uri, ["track_index", "pts", *columns]):
            if row["track_index"] == self._index and row["pts"] in wanted:
                yield row
