"""What a film says of itself and its tracks in words; containers drop in silence what they have no place for."""

from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Stream

from pipelines.media.container import picture_stream
from pipelines.media.roles import roles_of

OWN_TAGS = ("major_brand", "minor_version", "compatible_brands", "encoder", "duration")  # written by the muxer itself
TIMECODE_TAGS = ("timecode", "reel_name")  # from which MOV and MP4 make the track of timecodes
TITLES = ("title", "name", "filename", "handler_name")  # MP4 keeps the title of a track as its name
UNSPOKEN = "und"  # MP4 writes it where nothing is known


@dataclass(frozen=True, slots=True)
class TrackNames:
    """What a track says of itself."""

    kind: str
    title: str | None
    language: str | None  # as its container writes it; None where it says nothing
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Names:
    """Tags and titles.

    Attributes:
        tags: of the film, and the timecode of whichever stream has one; names in small letters.
        tracks: each but the picture and data, in order.
    """

    tags: dict[str, str]
    tracks: list[TrackNames]


def names_of(film: InputContainer, picture_index: int) -> Names:
    """Those of an open film, whose picture is the stream of this index."""
    timecodes = {key: one.metadata[key] for one in film.streams for key in TIMECODE_TAGS if key in one.metadata}
    own = {key.casefold(): value for key, value in film.metadata.items()}
    tags = {key: value for key, value in (timecodes | own).items() if key not in OWN_TAGS}
    kept = [one for one in film.streams if one.index != picture_index and one.type != "data"]
    return Names(tags, [_track(one) for one in kept])


def _track(stream: Stream) -> TrackNames:
    title = next((stream.metadata[key] for key in TITLES if key in stream.metadata), None)
    language = stream.metadata.get("language")
    return TrackNames(stream.type, title, None if language == UNSPOKEN else language, roles_of(stream))


def lost_names(before: Names, delivered: Path) -> list[str]:
    """What of them a delivered film, whose first sound is a new one, does not say."""
    with av.open(str(delivered), metadata_errors="surrogateescape") as film:
        after = names_of(film, picture_stream(film).index)
    dub = next(place for place, one in enumerate(after.tracks) if one.kind == "audio")
    copied = [one for place, one in enumerate(after.tracks) if place != dub]
    lost = [f"tag {key}" for key, value in before.tags.items() if after.tags.get(key) != value]
    lost += ["language of the dub"] * (after.tracks[dub].language is None)
    for place, (old, new) in enumerate(zip(before.tracks, copied, strict=False)):
        lost += [f"title of track {place}"] * (old.title not in (None, new.title))
        lost += [f"language of track {place}"] * (old.language not in (None, new.language))
        lost += [f"role {role} of track {place}" for role in sorted(old.roles - new.roles)]
    return lost
