"""Checks that the files are those of which the manifest beside a delivered film speaks: it vouches for no others."""

from pathlib import Path
from typing import Any

from pipelines.proof import Check
from pipelines.storage import file_digest

SHOWN = 12  # hex digits: enough to tell two files apart
ALONE = "whether this is the film that was delivered, and what was painted: no manifest lies beside it"
SOUND = "the sound of the dub: give it with --dub FILE"
MOUTHS = "painted mouths, each by itself: an older version delivered the film, and signed none"
WORDS = {
    "film_digest": "the delivered film",
    "film_id": "the source",
    "dub_digest": "the dub (of one that was moved the mix as it was moved, of a cue sheet its takes put together)",
    "me_digest": "the music and effects (of those that were moved as they were moved)",
}


def digests(manifest: dict[str, Any], source: Path, delivered: Path, dub: Path | None, me: Path | None) -> list[Check]:
    """One check for each of the files whose digest the manifest says, to the bit.

    Args:
        manifest: beside the delivered film; empty where none lies there.
        source: as it was given to the proof.
        delivered: the same.
        dub: the same; None where none was.
        me: music and effects, the same.
    """
    files = {"film_digest": delivered, "film_id": source, "dub_digest": dub, "me_digest": me}
    return [_digest(name, manifest[name], path) for name, path in files.items() if path and manifest.get(name)]


def not_compared(manifest: dict[str, Any], checks: list[Check]) -> tuple[str, ...]:
    """What the checks leave open, in words.

    The sound of a dub that was not given is the one that was compared when the film was delivered, where the bytes of
    the film are those of then and the manifest has the proof of then.

    Args:
        manifest: beside the delivered film; empty where none lies there.
        checks: all that were made.
    """
    made = {check.name: check.ok for check in checks}
    then = {check["name"]: check["ok"] for check in manifest.get("proof", {}).get("checks", [])}
    is_vouched = made.get("film_digest", False) and then.get("dub_sound", False)
    runs = [run for shot in manifest.get("shots", []) for run in shot.get("changed", [])]
    left = {
        ALONE: "film_digest" not in made,
        SOUND: "dub_sound" not in made and not is_vouched,
        MOUTHS: any("frames" not in run for run in runs),
    }
    return tuple(words for words, is_left in left.items() if is_left)


def _digest(name: str, wanted: str, path: Path) -> Check:
    found = file_digest(path)
    other = f"{path.name} ({found[:SHOWN]}) is not {WORDS[name]} of which the manifest speaks ({wanted[:SHOWN]})"
    return Check(name, found == wanted, "equal" if found == wanted else other)
