"""The check of what frames and container say of the picture: its size, its samples, its colours, how it is turned."""

import json
from collections.abc import Sequence
from typing import Any

from pipelines.media.ledger import Ledger
from pipelines.media.presentation import CROPPED
from pipelines.proof import Check


def picture_tags(before: Ledger, after: Ledger, named: Sequence[str] | None = None) -> Check:
    """Size, sample format, four colour tags, rotation and mirroring of every frame, in order; shape of pixels; crop.

    What the container says of colours is what the source's said, or what the frames say.

    Args:
        before: of the source.
        after: of the delivered film.
        named: what the manifest says that is lost: the crop may be, and is none then.
    """
    is_named = CROPPED in (named or ()) and not any(after.crop)
    wrong = _apart(before.colour, after.colour)
    own = tuple(after.colour.get(key) for key in ("primaries", "transfer", "matrix"))
    if after.declared_colour not in (before.declared_colour, own):
        wrong["the container says"] = [before.declared_colour, after.declared_colour]
    if before.crop != after.crop and not is_named:
        wrong["the container hides"] = [before.crop, after.crop]
    if not wrong:
        wrong = _later(before, after)
    return Check("picture_tags", not wrong, json.dumps(wrong) if wrong else "equal")


def _later(before: Ledger, after: Ledger) -> dict[str, Any]:
    """What is wrong with frames when nothing is with the first: how many, and what of the first of them."""
    pairs = enumerate(zip(before.shown_as, after.shown_as, strict=False))  # `frame_count` says where some are missing
    places = [(place, apart) for place, (old, new) in pairs if (apart := _apart(old, new))]
    return {f"{len(places)} frames, the first frame {places[0][0]}": places[0][1]} if places else {}


def _apart(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {key: [value, new.get(key)] for key, value in old.items() if value != new.get(key)}
