"""The people of a film: the face tracks of all its shots, sorted by who they are. Pure functions, no network.

Tracks whose descriptors lie near each other are one person (agglomerative clustering with average linkage: Sokal and
Michener, "A statistical method for evaluating systematic relationships" (1958)). Two who are seen at once are two.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist

from pipelines.stage import Row

Floats = NDArray[np.float64]
TrackKey = tuple[int, int]  # shot_index, track_index

ONE_PERSON = 0.5  # mean distance of two people's descriptors; single pictures of one person lie up to 0.6 apart
MIN_FACE_HEIGHT_PX = 32.0  # a smaller face is a few pixels to the network: nobody knows who it is
APART = 1e9  # of two who are seen at once


@dataclass(frozen=True, slots=True)
class _Seen:
    """A face track that can be recognised."""

    key: TrackKey
    start_pts: int
    end_pts: int
    descriptor: Floats

    def is_beside(self, other: "_Seen") -> bool:
        """Whether both are seen in one frame."""
        same_shot = self.key[0] == other.key[0]
        return same_shot and self.start_pts < other.end_pts and other.start_pts < self.end_pts


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the tracks of one group show.

    Attributes:
        number: from 0; one for each group, whatever it is named.
        name: that of the nearest of the known within `ONE_PERSON`, else "person 1", "person 2" and so on, whoever is
            seen longest first.
        distances: from everybody whose pictures are known: a name goes to one of two who are seen at once, but both
            may be the one.
    """

    number: int
    name: str
    distances: Mapping[str, float]


def find_people(shots: Sequence[Row], named: Mapping[str, Floats] | None = None) -> dict[TrackKey, Person]:
    """Who each face track of a film is.

    Args:
        shots: TRACKED_SHOT or wider, all of one film.
        named: descriptors [P, 128] of pictures of people whose names are known.

    Returns:
        The person of each track that can be recognised.
    """
    seen = [_seen(shot["shot_index"], track) for shot in shots for track in shot["tracks"] if _is_known(track)]
    seen.sort(key=lambda one: one.key)
    groups = [[seen[place] for place in group] for group in _groups(seen)]
    distances = [{name: _distance(group, pictures) for name, pictures in (named or {}).items()} for group in groups]
    names = _known_names(groups, distances)
    unknown = [group for group, name in zip(groups, names, strict=True) if name is None]
    unknown.sort(key=lambda group: (-sum(one.end_pts - one.start_pts for one in group), group[0].key))
    numbered = {group[0].key: f"person {number}" for number, group in enumerate(unknown, start=1)}
    return {
        one.key: Person(number, name or numbered[group[0].key], near)
        for number, (group, name, near) in enumerate(zip(groups, names, distances, strict=True))
        for one in group
    }


def people_in(row: Row, people: Mapping[TrackKey, Person]) -> dict[int, Person]:
    """The people of a shot by track index: of the tracks that can be recognised.

    Args:
        row: TRACKED_SHOT or wider.
        people: of its film.
    """
    keys = {track["track_index"]: (row["shot_index"], track["track_index"]) for track in row["tracks"]}
    return {index: people[key] for index, key in keys.items() if key in people}


def names_in(row: Row, people: Mapping[TrackKey, Person]) -> dict[int, str]:
    """Their names by track index; arguments as of `people_in`."""
    return {track: person.name for track, person in people_in(row, people).items()}


def _is_known(track: Row) -> bool:
    return bool(track["descriptor"]) and track["face_height_px"] >= MIN_FACE_HEIGHT_PX


def _seen(shot_index: int, track: Row) -> _Seen:
    key = (shot_index, track["track_index"])
    return _Seen(key, track["start_pts"], track["end_pts"], np.asarray(track["descriptor"], np.float64))


def _groups(seen: Sequence[_Seen]) -> list[list[int]]:
    """Places of the tracks of each person, in order; people by their first track."""
    if len(seen) < 2:
        return [[place] for place in range(len(seen))]
    apart = pdist(np.stack([one.descriptor for one in seen]))  # condensed: half a gigabyte for ten thousand tracks
    for first, second in _beside(seen):
        apart[first * len(seen) - first * (first + 1) // 2 + second - first - 1] = APART
    labels = fcluster(linkage(apart, "average"), ONE_PERSON, "distance")
    groups: dict[int, list[int]] = defaultdict(list)
    for place, label in enumerate(labels.tolist()):
        groups[label].append(place)
    return sorted(groups.values())


def _beside(seen: Sequence[_Seen]) -> Iterator[tuple[int, int]]:
    """Pairs of tracks that are seen at once."""
    by_shot: dict[int, list[int]] = defaultdict(list)
    for place, one in enumerate(seen):
        by_shot[one.key[0]].append(place)
    for places in by_shot.values():
        yield from ((one, other) for one, other in combinations(places, 2) if seen[one].is_beside(seen[other]))


def _known_names(groups: Sequence[Sequence[_Seen]], distances: Sequence[Mapping[str, float]]) -> list[str | None]:
    """The name of each group, nearest first; a name is not given to two groups that are seen at once."""
    offers = sorted(
        (distance, place, name)
        for place, known in enumerate(distances)
        for name, distance in known.items()
        if distance <= ONE_PERSON
    )
    names: list[str | None] = [None] * len(groups)
    for _, place, name in offers:
        others = [groups[other] for other, given in enumerate(names) if given == name]
        is_taken = any(one.is_beside(two) for other in others for one in groups[place] for two in other)
        if names[place] is None and not is_taken:
            names[place] = name
    return names


def _distance(group: Sequence[_Seen], pictures: Floats) -> float:
    """Mean distance of a group's tracks from the nearest of somebody's pictures."""
    away = [float(np.linalg.norm(pictures - one.descriptor, axis=1).min()) for one in group]
    return sum(away) / len(away)
