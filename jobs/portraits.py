"""A picture of each person of a film: the head in the middle of the track that shows it largest and longest."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jobs.contact_sheet import fit, jpeg
from pipelines.face_frame import apply, invert
from pipelines.media.display import display_view
from pipelines.media.picture import rgb_frames
from pipelines.people_table import Appearance, appearances
from pipelines.row_table import read_rows
from pipelines.stage import Row

HEIGHT_PX = 110
ROOM = 0.35  # around the detector's box, of its size
MOST_PEOPLE = 40  # on one page


@dataclass(frozen=True, slots=True)
class Portrait:
    """A person as they look in the film."""

    person: str
    picture: bytes  # JPEG


def portraits(shots: Sequence[Row]) -> Iterator[Portrait]:
    """Everybody who is recognised, whoever is seen largest and longest first.

    Args:
        shots: PLANNED_SHOT or wider, all of one film.
    """
    best: dict[str, Appearance] = {}
    for one in appearances(shots):
        if one.person not in best or _worth(one) > _worth(best[one.person]):
            best[one.person] = one
    for one in sorted(best.values(), key=_worth, reverse=True)[:MOST_PEOPLE]:
        yield Portrait(one.person, jpeg(fit(_head(one), HEIGHT_PX)))


def _worth(one: Appearance) -> float:
    return float(one.track["face_height_px"]) * int(one.track["num_frames"])


def _head(one: Appearance) -> NDArray[np.uint8]:
    """[H, W, 3] cut out of a frame in which the face was detected, the middle one of these."""
    mine = (frame for frame in read_rows(one.shot["tracks_uri"], ["track_index", "pts", "detected", "box"]))
    seen = [frame for frame in mine if frame["track_index"] == one.track["track_index"] and frame["detected"]]
    middle = seen[len(seen) // 2]
    film, pts = Path(one.shot["film_uri"]), middle["pts"]
    view = display_view(film, pts)
    _, own = next(rgb_frames(film, pts, one.shot["shot_end_pts"]))
    picture, corners = view.of(own), apply(invert(view.to_film), np.reshape(middle["box"], (2, 2)))
    (x0, y0), (x1, y1) = corners.min(0), corners.max(0)
    aside, above = ROOM * (x1 - x0), ROOM * (y1 - y0)
    top, left = max(0, round(y0 - above)), max(0, round(x0 - aside))
    head = picture[top : round(y1 + above), left : round(x1 + aside)]
    return np.ascontiguousarray(head) if head.size else picture
