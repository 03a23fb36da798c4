"""Rows that name objects of the store: by key they are stored, by uri they are used.

A store that is moved, or reached by another address, gives the same keys and other uris.
"""

from collections.abc import Callable, Sequence

from pipelines.eligibility import Eligibility
from pipelines.paint_spans import spans_to_paint
from pipelines.stage import Row
from pipelines.storage import ObjectStore
from schemas.reason import Verdict

SCORES = ("speech_scores", "speaking_score", "descriptor")  # of a track
UNSEEN = (
    "original_voices",
    "sounds_uri",
    "dub_words",
    "dub_text",
    "recognised_text",
    "dub_lines",
    "unlined_speech_s",
)  # of a shot: no pixel depends on them
URI_COLUMNS = ("tracks_uri", "sounds_uri", "crops_uri", "patch_uri", "review_patch_uri")


def relocated(row: Row, store: ObjectStore) -> Row:
    """The row with its objects where this store has them."""
    return _mapped(row, lambda uri: store.uri(_key(uri)))


def keyed(row: Row) -> Row:
    """The row with keys for uris: what content keys are made of."""
    return _mapped(row, _key)


def nameless(verdicts: Sequence[Row]) -> list[Row]:
    """Verdicts without who it is: whom a picture shows changes no pixel of it."""
    return [
        {name: value for name, value in verdict.items() if name not in ("person", "measured")} for verdict in verdicts
    ]


def scoreless(row: Row, eligibility: Eligibility) -> Row:
    """A PLANNED_SHOT with where each track is painted in place of how surely, and in whose voice, it is heard.

    The scores of a shot follow the voices of all other shots; its pixels depend on what is painted alone, nor on
    what its sounds measure.
    """
    wanted = {one["track_index"] for one in row["verdicts"] if one["verdict"] != Verdict.LEAVE}
    tracks = [
        {name: value for name, value in track.items() if name not in SCORES}
        | {"painted": spans_to_paint(row, track, eligibility) if track["track_index"] in wanted else []}
        for track in row["tracks"]
    ]
    return {name: value for name, value in row.items() if name not in UNSEEN} | {"tracks": tracks}


def is_whole(row: Row, store: ObjectStore) -> bool:
    """Whether every object that the row names is in the store."""
    return all(store.has(_key(uri)) for uri in _uris(row))


def _uris(row: Row) -> list[str]:
    named = [row.get(name) for name in URI_COLUMNS] + [track["painted_uri"] for track in row.get("painted") or []]
    return [uri for uri in named if uri]


def _mapped(row: Row, change: Callable[[str], str]) -> Row:
    changed: Row = {name: change(row[name]) for name in URI_COLUMNS if row.get(name)}
    if "painted" in row:
        changed["painted"] = [track | {"painted_uri": change(track["painted_uri"])} for track in row["painted"]]
    return row | changed


def _key(uri: str) -> str:
    return uri.rsplit("/", 1)[-1]
