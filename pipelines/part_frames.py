"""The frames that are decoded to watch a part of a film, each once."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pipelines.content_cuts import CONTENT_SIDE_PX, Bytes, is_black
from pipelines.film_parts import PartSpan
from pipelines.media.display import View
from pipelines.media.picture import NEAR_CHROMA, frames, rgb_frames, shrunk_rgb
from pipelines.shot_faces import MESH_SIDE_PX
from pipelines.stage import Row
from schemas.timing import fraction

LEAD_S = (2, 10, 60)  # before a part: longer where the film is black there, at last from its beginning

Wanted = Bytes | None  # [H, W, 3] RGB, upright, to look for faces in; None of a frame before the part


@dataclass(frozen=True, slots=True)
class PartFrames:
    """Reads a film from a little before a part on.

    Attributes:
        film: FILM.
        part: the part.
        view: how its pixels are shown.
    """

    film: Row
    part: PartSpan
    view: View

    def taken(self) -> Iterator[tuple[int, Bytes, Wanted]]:
        """Pts, picture to look for cuts in, and picture to look for faces in, to the end of the film.

        Raises:
            UndecodableError: the film cannot be decoded.
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
        """Where to begin so that the cuts in the part are found as from the film's beginning: not in black."""
        start_pts, time_base = self.film["start_pts"], fraction(self.film["time_base"])
        begins = (self.part[0] - round(lead_s / time_base) for lead_s in LEAD_S)
        return next((begin for begin in begins if begin > start_pts and not self._is_black(begin)), int(start_pts))

    def _is_black(self, from_pts: int) -> bool:
        found = rgb_frames(self._path, from_pts, self.film["end_pts"], CONTENT_SIDE_PX)
        return all(is_black(picture) for _, picture in islice(found, 1))

    @property
    def _path(self) -> Path:
        return Path(self.film["film_uri"])
