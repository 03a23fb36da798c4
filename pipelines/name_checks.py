"""Checks of what a film says of itself in words."""

from collections.abc import Sequence

from pipelines.media.language_code import language_code
from pipelines.media.ledger import Ledger, StreamLedger
from pipelines.proof import Check

CORE_TAGS = ("title", "artist", "date", "comment", "copyright", "description", "timecode", "reel_name")
UNSPOKEN = "und"  # MP4 writes it where nothing is known
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


def languages(before: Sequence[StreamLedger], after: Sequence[StreamLedger], named: Sequence[str] | None) -> Check:
    """The languages of the copied streams, but for those that the manifest names as lost.

    Args:
        before: streams of the source.
        after: the same streams of the delivered film.
        named: what the manifest says that is lost.
    """
    lost = [f"language of track {place}" in (named or ()) for place in range(len(after))]
    wanted, found = ([one.language or UNSPOKEN for one in some] for some in (before, after))
    kept = [old if is_lost else new for old, new, is_lost in zip(wanted, found, lost, strict=False)]
    ok = wanted == [*kept, *found[len(kept) :]]
    return Check("languages", ok, "equal" if ok else f"{wanted} became {found}"[:MAX_DETAIL])


def dub_language(dub: StreamLedger | None, tag: str | None, named: Sequence[str] | None) -> Check:
    """The dub's track has the language that it is in; a title does not stand for it.

    Args:
        dub: the dub's track; None where there is none.
        tag: BCP-47, as the manifest says; without a manifest any language is good.
        named: what the manifest says that is lost.
    """
    found = (dub.language if dub else None) or UNSPOKEN
    wanted = (language_code(tag) if tag else found) or UNSPOKEN
    ok = found == wanted and (found != UNSPOKEN or "language of the dub" in (named or ()))
    return Check("dub_language", ok, f"{found}, {wanted} wanted")


def dub_title(dub: StreamLedger | None, tag: str | None) -> Check:
    """The dub's track is called the dub, in its language.

    Args:
        dub: the dub's track; None where there is none.
        tag: BCP-47, as the manifest says; without a manifest any title is good.
    """
    found = dub.title if dub else None
    wanted = f"Dub {tag}" if tag else found
    return Check("dub_title", found == wanted, str(found) if found == wanted else f"{found}, {wanted} wanted")


def picture_names(before: Ledger, after: Ledger) -> Check:
    """The picture's title and language, where the container is of the same kind, and what it is marked for."""
    old, new = before.picture, after.picture
    wrong = [f"marks {_marks(old)} became {_marks(new)}"] if _marks(old) != _marks(new) else []
    if before.container == after.container:
        named = [(old.title, new.title)] if old.title else []
        pairs = [*named, (old.language or UNSPOKEN, new.language or UNSPOKEN)]
        wrong += [f"{one} became {other}" for one, other in pairs if one != other]
    return Check("picture_names", not wrong, "; ".join(wrong)[:MAX_DETAIL] or "equal")


def track_tags(before: Ledger, after: Ledger, copied: Sequence[StreamLedger]) -> Check:
    """Whatever else picture and copied streams say of themselves, where the container is of the same kind.

    Args:
        before: of the source.
        after: of the delivered film.
        copied: its streams that the source has too.
    """
    pairs = zip([before.picture, *before.streams], [after.picture, *copied], strict=False)
    lost = [
        f"{key} of a {old.kind} stream: {value} became {new.tags.get(key)}"
        for old, new in (pairs if before.container == after.container else ())
        for key, value in old.tags.items()
        if new.tags.get(key) != value and old.kind != "attachment"
    ]
    return Check("track_tags", not lost, "; ".join(lost)[:MAX_DETAIL] or "equal")


def _marks(picture: StreamLedger) -> set[str]:
    return set(picture.disposition) - {"default"}  # which players take for the only picture anyway
