"""The frames that are decoded to watch a part of a film, each once."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.content_cuts import CONTENT_SIDE_PX, Bytes, is_black
from pipelines.face_config import MESH_SIDE_PX
from pipelines.film_parts import PartSpan
from pipelines.flash_window import FLASH_S
from pipelines.media.display import View
from pipelines.media.picture import NEAR_CHROMA, frames, rgb_frames, shrunk_rgb
from pipelines.stage import Row
from schemas.timing import fraction

LEAD_S = (2, 10, 60)  # before a part: longer where the film is black there, or shows few frames

Wanted = Bytes | None  # [H, W, 3] RGB, upright, to look for faces in; None of a frame before the part


class NoLeadError(Exception):
    """Of a part of a film nobody can tell its cuts without watching the film from its beginning."""


@dataclass(frozen=True, slots=True)
class PartFrames:
    """Reads a film from a little before a part on.

    Attributes:
        film: FILM.
        part: the part.
        view: how its pixels are shown.
        lead_frames: so many before the part are looked at, at least, beside those in which two flashes may end.
    """

    film: Row
    part: PartSpan
    view: View
    lead_frames: int

    def taken(self) -> Iterator[tuple[int, Bytes, Wanted]]:
        """Pts, picture to look for cuts in, and picture to look for faces in, to the end of the film.

        Raises:
            UndecodableError: the film cannot be decoded.
            NoLeadError: the film is black before the part, or stands still.
        """
        small = self.view.shrunk(MESH_SIDE_PX)
        for pts, frame in frames(self._path, self._first_pts(), self.film["end_pts"]):
            wanted = small.of(shrunk_rgb(frame, MESH_SIDE_PX, NEAR_CHROMA)) if pts >= self.part[0] else None
            yield pts, shrunk_rgb(frame, CONTENT_SIDE_PX), wanted

    def again(self, start_pts: int, end_pts: int) -> Iterator[Wanted]:
        """Pictures to look for faces in, of the frames of a span."""
        small = self.view.shrunk(MESH_SIDE_PX)
        for _, picture in rgb_frames(self._path, start_pts, end_pts, MESH_SIDE_PX, NEAR_CHROMA):
            yield small.of(picture)

    def _first_pts(self) -> int:
        """Where to begin so that the cuts in the part are found as from the film's beginning."""
        start_pts, time_base = self.film["start_pts"], fraction(self.film["time_base"])
        if self.part[0] == start_pts:
            return int(start_pts)
        for lead_s in LEAD_S:
            begin = max(int(start_pts), self.part[0] - round(lead_s / time_base))
            if begin == start_pts or self._is_lead(begin):
                return begin
        raise NoLeadError(f"nothing is seen before pts {self.part[0]}")

    def _is_lead(self, from_pts: int) -> bool:
        """Whether enough frames lie between a moment and the part, and the first of them is not black."""
        flashes_pts, first_pts, num_calm = 2 * FLASH_S / fraction(self.film["time_base"]), None, 0
        for pts, picture in rgb_frames(self._path, from_pts, self.part[0], CONTENT_SIDE_PX):
            if first_pts is None and is_black(picture):
                return False
            first_pts = pts if first_pts is None else first_pts
            num_calm += pts - first_pts >= flashes_pts
            if num_calm == self.lead_frames:
                return True
        return False

    @property
    def _path(self) -> Path:
        return Path(self.film["film_uri"])
