"""Films that were admitted before: the same bytes are not decoded again only to learn the same facts."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pipelines.admission import FACTS, VERSION
from pipelines.cue_cells import CueSheetError
from pipelines.cue_sheet import sheet_digest
from pipelines.stage import Row
from pipelines.storage import ObjectStore, content_key, file_digest


class DubKind(NamedTuple):
    """What the catalog says of a dub beside its files: languages tell which sounds of files are meant."""

    column: str  # that names the dub
    language: str
    source_language: str | None = None  # of the film's own sound


class KnownFilms:
    """Facts of admitted films by the digests of their files, and those digests, each worked out once.

    Args:
        store_uri: where they are kept; None keeps nothing. Nothing is written before `keep`.
    """

    def __init__(self, store_uri: str | None = None) -> None:
        self._store = ObjectStore(store_uri) if store_uri else None
        self._digests: dict[Path, str] = {}

    def digest(self, path: Path) -> str:
        """SHA-256 of a file; a film in several languages is read once.

        Raises:
            OSError: it cannot be read.
        """
        if path not in self._digests:
            self._digests[path] = file_digest(path)
        return self._digests[path]

    def dub_digest(self, dub: Path, dub_kind: str) -> str:
        """SHA-256 of a dub; of a cue sheet a digest of it and of its takes.

        Raises:
            CueSheetError: a sheet cannot be followed.
            OSError: a file cannot be read.
        """
        return sheet_digest(dub, self.digest) if dub_kind == "cue_sheet" else self.digest(dub)

    def facts(self, film: Path, dub: Path, kind: DubKind, me_stem: Path | None) -> Row | None:
        """What is known of these files together; None when they must be looked at.

        Args:
            film: the film.
            dub: its dub.
            kind: what is looked for in files with several sounds.
            me_stem: music and effects.
        """
        if self._store is None or not all(path.is_file() for path in (film, dub, me_stem) if path):
            return None
        try:
            key = _key([self.digest(film), self.dub_digest(dub, kind.column), *self._digests_of(me_stem)], kind)
        except (CueSheetError, OSError):  # the examiner says what is wrong with it
            return None
        found: Row | None = self._store.get_json(key) if self._store.has(key) else None
        return found

    def keep(self, films: Sequence[Row]) -> None:
        """Remember admitted films, FILM rows."""
        for film in films if self._store else ():
            me_stem = Path(film["me_uri"]) if film["me_uri"] else None
            kind = DubKind(film["dub_kind"], film["language"], film["source_language"])
            key = _key([film["film_id"], film["dub_digest"], *self._digests_of(me_stem)], kind)
            assert self._store is not None
            if not self._store.has(key):
                self._store.put_json(key, {name: film[name] for name in (*FACTS, "dub_channel")})

    def _digests_of(self, me_stem: Path | None) -> list[str]:
        return [self.digest(me_stem)] if me_stem else []


def _key(digests: list[str], kind: DubKind) -> str:
    facts = {"files": digests, "dub_kind": kind.column, "language": kind.language, "source": kind.source_language}
    return content_key("admitted", VERSION, facts)
