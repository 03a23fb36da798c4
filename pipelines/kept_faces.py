"""What storage knows of the faces of a shot, whoever found them: with these nothing is looked for again."""

from dataclasses import dataclass
from fractions import Fraction

from pipelines.face_config import FaceConfig
from pipelines.stage import Row
from pipelines.storage import ObjectStore, content_key

NOTHING: Row = {"tracks_uri": None, "tracks": []}


@dataclass(frozen=True, kw_only=True, slots=True)
class ShotSpan:
    """A shot of a film."""

    film_id: str
    start_pts: int
    end_pts: int
    time_base: Fraction


class KeptFaces:
    """The faces of shots under the keys of what they depend on: neither the dub nor its language."""

    def __init__(self, store: ObjectStore, config: FaceConfig) -> None:
        self._store, self._config = store, config

    def of(self, shot: ShotSpan) -> Row | None:
        """`tracks_uri`, the key of the TRACK_FRAME table, and `tracks`, TRACK_FACTS without who speaks.

        None where nothing was kept.
        """
        return self._store.find_facts(self._key("shot-faces", shot), "tracks_uri")

    def keep(self, shot: ShotSpan, facts: Row) -> None:
        """What `of` returns from now on."""
        self._store.put_json(self._key("shot-faces", shot), facts)

    def frames_key(self, shot: ShotSpan) -> str:
        """Of the TRACK_FRAME table of a shot."""
        return self._key("track-frames", shot)

    def _key(self, what: str, shot: ShotSpan) -> str:
        facts = {"film": shot.film_id, "span": [shot.start_pts, shot.end_pts], **self._config.facts}
        return content_key(what, 1, facts)
