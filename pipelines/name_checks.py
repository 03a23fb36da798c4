"""Checks of what a film says of itself in words."""

from collections.abc import Sequence

from pipelines.media.ledger import Ledger, StreamLedger
from pipelines.proof import Check

CORE_TAGS = ("title", "artist", "date", "comment", "copyright", "description", "timecode", "reel_name")
MAX_DETAIL = 300


def tags(before: Ledger, after: Ledger, named: Sequence[str] | None) -> Check:
    """What the film says of itself, its timecode too, but for what the manifest names as lost.

    Args:
        before: of the source.
        after: of the delivered film.
        named: what the manifest says that is lost; without a manifest only the title and its like are looked for.
    """
    kept = (key for key in before.tags if key in CORE_TAGS or named is not None)
    wanted = {key: before.tags[key] for key in kept if f"tag {key}" not in (named or ())}
    found = {key: after.tags.get(key) for key in wanted}
    return Check("tags", wanted == found, "equal" if wanted == found else f"{wanted} became {found}"[:MAX_DETAIL])


def titles(before: Sequence[StreamLedger], after: Sequence[StreamLedger], named: Sequence[str] | None) -> Check:
    """The names of the copied streams, but for those that the manifest names as lost.

    Args:
        before: streams of the source.
        after: the same streams of the delivered film.
        named: what the manifest says that is lost; without a manifest nothing is looked for.
    """
    pairs = enumerate(zip(before, after, strict=False)) if named is not None else ()
    lost = [
        f"{old.title} became {new.title}"
        for place, (old, new) in pairs
        if old.title not in (None, new.title) and f"title of track {place}" not in (named or ())
    ]
    return Check("titles", not lost, "; ".join(lost)[:MAX_DETAIL] or "equal")
