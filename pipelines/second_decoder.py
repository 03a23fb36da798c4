"""A check that does not trust the decoder: both films as the FFmpeg of this machine shows them."""

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.media.ledger import Ledger
from pipelines.media.outside_decoder import (
    OutsideDecoderError,
    OutsideDecoderStoppedError,
    OutsideFrames,
    outside_frames,
)
from pipelines.media.picture import plane_frames
from pipelines.proof import Check
from pipelines.splice_proof import classes_of

NAME, PROGRAM = "second_decoder", "ffmpeg"
LEFT = "the picture as a second decoder shows it: "  # and why
EXACT_CODECS = ("h264", "hevc")  # their standards leave no decoder a choice of samples


def has_program() -> bool:
    """Whether this machine has a second decoder; nobody needs one."""
    return shutil.which(PROGRAM) is not None


def second_decoder(
    source: Path, delivered: Path, before: Ledger, after: Ledger, manifest: dict[str, Any]
) -> Check | str:
    """Another decoder shows the same frames: the source's outside of changed GOPs, in them those that the first shows.

    A film is not held to what that decoder makes of its source: where it shows other frames of it than ours, nothing
    is compared.

    Args:
        source: the film as it was.
        delivered: the film as it is.
        before: of the source.
        after: of the delivered film; as many frames.
        manifest: beside the delivered film; empty where none lies there.

    Returns:
        The check; in words what was not compared, and why, where it could not be made.
    """
    program = shutil.which(PROGRAM) or PROGRAM
    try:
        own = outside_frames(program, source, before.time_base, len(before.pts))
    except OutsideDecoderError as error:
        return f"{LEFT}{PROGRAM} does not decode the source: {error}"
    if not _is_in_step(own, before):
        shown = f"{len(own.pts)} frames of the source, not those of the same {len(before.pts)} moments"
        return f"{LEFT}{PROGRAM} shows {shown}"
    try:
        made = outside_frames(program, delivered, after.time_base, len(after.pts))
    except OutsideDecoderStoppedError as error:
        return f"{LEFT}{PROGRAM} did not decode the delivered film: {error}"
    except OutsideDecoderError as error:
        return Check(NAME, False, f"{PROGRAM} does not decode the delivered film: {error}")
    return _compared(own, made, delivered, after, _kept(before, after, manifest))


def _compared(own: OutsideFrames, made: OutsideFrames, delivered: Path, after: Ledger, kept: Sequence[bool]) -> Check:
    if not _is_in_step(made, after):
        return Check(NAME, False, f"{len(made.pts)} frames are shown, not the same {len(after.pts)} moments")
    other = [place for place, is_kept in enumerate(kept) if is_kept and own.digests[place] != made.digests[place]]
    is_exact = after.coded.codec in EXACT_CODECS
    new = dict(_digests(delivered, after, kept)) if is_exact else {}
    unlike = [place for place, digest in new.items() if made.digests[place] != digest]
    if other or unlike:
        told = f"{len(other)} frames outside of changed GOPs are not the source's" if other else ""
        more = f"{len(unlike)} of changed GOPs are not what the first decoder shows" if unlike else ""
        where = f", frame {min([*other, *unlike])} first"
        return Check(NAME, False, "; ".join(filter(None, (told, more))) + where)
    inside = len(kept) - sum(kept)
    told = "as the first shows them" if is_exact else "at their moments"
    return Check(NAME, True, f"{sum(kept)} frames are the source's, {inside} of changed GOPs are {told}")


def _is_in_step(found: OutsideFrames, film: Ledger) -> bool:
    """As many frames at the same moments, counted from the first: programs begin to count where they like."""
    first = found.pts[0] if found.pts else 0
    return [pts - first for pts in found.pts] == [pts - film.pts[0] for pts in film.pts]


def _kept(before: Ledger, after: Ledger, manifest: dict[str, Any]) -> list[bool]:
    """Whether each frame lies outside of changed GOPs: as the manifest says, without one as packets say."""
    picture = manifest.get("picture")
    if picture is None:
        classes = classes_of(before, after, ())
        return classes.copied if classes else [False] * len(before.pts)
    kept = np.full(len(before.pts), picture["method"] == "splice")
    for run in picture["runs"]:
        first = before.pts.index(run["first_pts"]) if run["first_pts"] in before.pts else 0
        kept[first : first + run["num_frames"]] = False
    found: list[bool] = kept.tolist()
    return found


def _digests(delivered: Path, after: Ledger, kept: Sequence[bool]) -> Iterator[tuple[int, bytes]]:
    """Of each frame of changed GOPs its place, and the digest of what the first decoder shows."""
    for is_kept, found in groupby(range(len(kept)), key=lambda place: kept[place]):
        if is_kept:
            continue
        places = list(found)
        shown = plane_frames(delivered, after.pts[places[0]], after.pts[places[-1]] + 1)
        for place, (_, planes) in zip(places, shown, strict=True):
            digest = hashlib.md5(usedforsecurity=False)
            for plane in planes:
                digest.update(np.ascontiguousarray(plane).data)
            yield place, digest.digest()
