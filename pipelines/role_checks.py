"""Checks of what the tracks of a delivered film are marked to be for."""

from collections.abc import Sequence

from pipelines.media.language_code import is_in
from pipelines.media.ledger import StreamLedger
from pipelines.proof import Check

MATROSKA = "matroska"  # MP4 and MOV have no mark for the original
CHOSEN = {"default", "forced"}  # how a track is chosen, not what is heard in it
ONE_MARK = {"captions": "hearing_impaired", "descriptions": "visual_impaired"}  # in MP4, which is read as both
MAX_DETAIL = 300


def dispositions(before: Sequence[StreamLedger], after: Sequence[StreamLedger], named: Sequence[str] | None) -> Check:
    """Copied streams keep their roles, but for those that the manifest names as lost; `default` is the dub's.

    Args:
        before: streams of the source.
        after: the same streams of the delivered film.
        named: what the manifest says that is lost.
    """
    lost = set(named or ())
    wanted = [
        [role for role in _roles(stream) if f"role {role} of track {place}" not in lost]
        for place, stream in enumerate(before)
    ]
    found = [_roles(stream) for stream in after]
    return Check("dispositions", wanted == found, "equal" if wanted == found else _became(wanted, found))


def original(
    before: Sequence[StreamLedger], after: Sequence[StreamLedger], container: str, language: str | None = None
) -> Check:
    """The film's own sound alone is marked as the original: no dub, commentary or description is.

    Where the source marks some itself these are, else the one sound without a role that was its default, or its first.

    Args:
        before: streams of the source.
        after: the same streams of the delivered film.
        container: FFmpeg's name of what it was read with.
        language: BCP-47 tag of the film's own sound: where any without a role is tagged so, only such count.
    """
    wanted, found = _original(before, language), [place for place, one in enumerate(after) if _is_marked(one)]
    ok = wanted == found or (not found and MATROSKA not in container)
    return Check("original", ok, "as it was" if ok else f"streams {wanted} were to be marked, {found} are")


def _original(streams: Sequence[StreamLedger], language: str | None) -> list[int]:
    sounds = [(place, one) for place, one in enumerate(streams) if one.kind == "audio"]
    marked = [place for place, one in enumerate(streams) if _is_marked(one)]
    if any(_is_marked(one) for _, one in sounds):
        return marked
    plain = [(place, one) for place, one in sounds if CHOSEN.issuperset(one.disposition)]
    plain = [(place, one) for place, one in plain if is_in(one.language, language)] or plain
    plain.sort(key=lambda each: "default" not in each[1].disposition)  # keeps the order of those that are alike
    return sorted([*marked, *(place for place, _ in plain[:1])])


def _is_marked(stream: StreamLedger) -> bool:
    return "original" in stream.disposition


def _roles(stream: StreamLedger) -> list[str]:
    ours = {"original", "default"} if stream.kind == "audio" else {"original"}
    return sorted({ONE_MARK.get(name, name) for name in stream.disposition if name not in ours})


def _became(wanted: list[list[str]], found: list[list[str]]) -> str:
    return f"{wanted} became {found}"[:MAX_DETAIL]
