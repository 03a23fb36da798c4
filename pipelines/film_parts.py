"""The parts of a film that are watched side by side, and the shots that begin in each."""

from itertools import pairwise
from typing import Any

from pipelines.stage import Row
from pipelines.storage import ObjectStore, content_key
from schemas.timing import fraction

PART_S = 120  # of film: each is begun a little early, and ends with the shot that runs past its end

PartSpan = tuple[int, int]  # pts, half-open
ShotPlace = tuple[int, int, int]  # first pts, first pts after it, number of frames


def film_parts(film: Row) -> list[PartSpan]:
    """The parts of a film, which tile it.

    Args:
        film: FILM.
    """
    length = film["end_pts"] - film["start_pts"]
    number = max(1, round(length * fraction(film["time_base"]) / PART_S))
    edges = [film["start_pts"] + length * edge // number for edge in range(number + 1)]
    return list(pairwise(edges))


def part_rows(film: Row) -> list[Row]:
    """FILM_PART of all parts of a film."""
    return [
        film | {"part_index": index, "part_start_pts": start_pts, "part_end_pts": end_pts}
        for index, (start_pts, end_pts) in enumerate(film_parts(film))
    ]


def part_of(row: Row) -> PartSpan:
    """The part that FILM_PART names."""
    return row["part_start_pts"], row["part_end_pts"]


class PartShots:
    """Where the shots that begin in parts of films are written down."""

    def __init__(self, store: ObjectStore, facts: dict[str, Any]) -> None:
        """A list of shots belongs to how cuts are found.

        Args:
            store: where it is kept.
            facts: all that cuts depend on beside the film.
        """
        self._store, self._facts = store, facts

    def put(self, film_id: str, part: PartSpan, places: list[ShotPlace]) -> None:
        """Write down the shots that begin in a part, in order of time."""
        self._store.put_json(self._key(film_id, part), places)

    def of_film(self, film: Row) -> list[ShotPlace] | None:
        """All shots of a film; None where a part was not watched, or they do not tile the film frame by frame."""
        keys = [self._key(film["film_id"], part) for part in film_parts(film)]
        if not all(self._store.has(key) for key in keys):
            return None
        places: list[ShotPlace] = [tuple(place) for key in keys for place in self._store.get_json(key)]
        starts, ends = [place[0] for place in places], [place[1] for place in places]
        tile = [*starts, film["end_pts"]] == [film["start_pts"], *ends]
        return places if tile and sum(place[2] for place in places) == film["num_frames"] else None

    def _key(self, film_id: str, part: PartSpan) -> str:
        return content_key("part-shots", 1, {"film": film_id, "part": part, **self._facts})
