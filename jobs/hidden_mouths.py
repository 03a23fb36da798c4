"""What is told of painted mouths of which a part, or nearly all, is behind something: found while they were laid."""

from collections.abc import Mapping
from typing import Any

from schemas.reason import Reason, Verdict

LEAST_TOLD = 0.005  # of a mask: less reads as 0 %


def hidden_faces(shot: Mapping[str, Any]) -> list[int]:
    """`track_index` of the faces that a shot, of JUDGED_SHOT or a manifest, leaves as `mouth_hidden`."""
    left = Verdict.LEAVE.value, Reason.MOUTH_HIDDEN.value
    return [one["track_index"] for one in shot.get("verdicts") or [] if (one["verdict"], one["reason"]) == left]


def all_hidden(manifest: Mapping[str, Any]) -> str:
    """Which shots were to be painted, and keep their picture as hardly anything of a mouth is seen; else empty."""
    shots = [shot for shot in manifest.get("shots", []) if _is_found(shot) and shot["reason"] == Reason.MOUTH_HIDDEN]
    told = "; ".join(f"shot {shot['shot_index']} ({_percent(shot)} of the mask)" for shot in shots)
    remedy = "delivered as filmed; --set mask.least_cover=1 paints over what is before them"
    return f"mouths are hidden in {told}: {remedy}" if told else ""


def hidden_words(manifest: Mapping[str, Any]) -> str:
    """For a report, which shots keep how much of what was to be painted; empty where nothing is before a mouth."""
    shots = [shot for shot in manifest.get("shots", []) if _is_found(shot)]
    told = ", ".join(f"shot {shot['shot_index']}: {_percent(shot)}{_ending(shot)}" for shot in shots)
    return f"Something is before a mouth, and stays as filmed; of the mask of the worst face, {told}." if told else ""


def _is_found(shot: Mapping[str, Any]) -> bool:
    return (shot.get("covered_share") or 0.0) >= LEAST_TOLD


def _percent(shot: Mapping[str, Any]) -> str:
    return f"{100 * shot['covered_share']:.0f} %"


def _ending(shot: Mapping[str, Any]) -> str:
    return " (not painted)" if shot["reason"] == Reason.MOUTH_HIDDEN else ""
