"""The digest of all that a delivered film is made of: what was delivered under it need not be written again."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pipelines.media.encode import EncodeConfig
from pipelines.references import nameless
from pipelines.stage import Row
from pipelines.storage import content_key
from pipelines.stored_sound import dub_facts

VERSION = 8  # raised when the same facts give another film


def manifest_key(film: Row, shots: Sequence[Row], encode: EncodeConfig, facts: dict[str, Any]) -> str:
    """The digest of all that a delivery is made of."""
    made_of = {"dub_id": film["dub_id"], "encode": asdict(encode), "facts": facts}
    if film["script_digest"]:
        made_of |= {"script": film["script_digest"]}
    if film["lines_uri"] or film["conform"]:  # the same takes may be placed, the same mix be moved otherwise
        made_of |= {"dub_digest": film["dub_digest"], "lines": base_name(film["lines_uri"])}
    if film["sound_place"]:
        made_of |= {"sound_place": film["sound_place"]}
    made_of |= dub_facts(film)
    if film["me_conform"]:
        made_of |= {"me_digest": film["me_digest"]}
    by_shot = {str(shot["shot_index"]): _made_of(shot) for shot in shots}
    return content_key("stitch", VERSION, made_of | {"shots": by_shot})


def _made_of(shot: Row) -> dict[str, Any]:
    return {
        "patch": base_name(shot["patch_uri"]),
        "review_patch": base_name(shot["review_patch_uri"]),
        "reason": shot["reason"],
        "verdicts": nameless(shot["verdicts"]),
    }


def base_name(uri: str | None) -> str | None:
    """What the store calls an object, wherever the store lies."""
    return uri and uri.rsplit("/", 1)[-1]
