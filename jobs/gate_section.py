"""What the gate measured of painted shots: in a report, in notices, in metrics."""

from collections.abc import Mapping, Sequence
from typing import Any

from jobs.hidden_mouths import hidden_words
from jobs.html_table import html_table
from pipelines.stage import Row
from schemas.reason import Reason

MEASURES = {
    "seam_ratio": "seam",
    "flicker_ratio": "flicker",
    "sharpness_ratio": "sharpness",
    "movement_ratio": "movement",
    "identity_distance": "identity",
    "sync": "sync",
    "sync_loss": "sync lost",
}


def gate_section(manifest: Mapping[str, Any]) -> str:
    """HTML: a row for each try to paint each shot.

    Args:
        manifest: of the delivery.
    """
    unjudged = [str(shot["shot_index"]) for shot in manifest.get("shots", []) if is_unjudged(shot)]
    told = f"<p>Painted, and not judged: shots {', '.join(unjudged)}.</p>" if unjudged else ""
    rows = [_cells(shot, one) for shot in manifest.get("shots", []) for one in shot.get("tries") or []]
    table = html_table(["shot", "try", *MEASURES.values(), "beyond its bound"], rows) if rows else ""
    words = told if told or rows else "<p>Nothing was painted that is delivered.</p>"
    hidden = f"<p>{hidden}</p>" if (hidden := hidden_words(manifest)) else ""
    return f'<h2>Painted shots beside the film</h2>{words}{hidden}<div class="wide">{table}</div>'


def is_unjudged(shot: Mapping[str, Any]) -> bool:
    """Whether a shot is delivered painted without having been judged."""
    return bool(shot.get("num_frames_changed")) and not shot.get("tries")


def held_back(manifest: Mapping[str, Any]) -> str:
    """Which shots passed no try, in words; empty where none was held back."""
    told = [_words(shot) for shot in manifest.get("shots", []) if shot["reason"] == Reason.GATE_FAILED]
    return f"the gate holds back {'; '.join(told)}: delivered as filmed" if told else ""


def gate_metrics(shots: Sequence[Row]) -> dict[str, float]:
    """How many shots were judged, painted again, and held back.

    Args:
        shots: JUDGED_SHOT.
    """
    tried = [tries for shot in shots if (tries := shot.get("tries"))]
    return {
        "shots_judged": float(len(tried)),
        "shots_unjudged": float(sum(is_unjudged(shot) for shot in shots)),
        "shots_painted_again": float(sum(len(tries) > 1 for tries in tried)),
        "shots_held_back": float(sum(shot["reason"] == Reason.GATE_FAILED for shot in shots)),
    }


def _cells(shot: Mapping[str, Any], one: Mapping[str, Any]) -> list[object]:
    figures = [None if one[name] is None else f"{one[name]:.2f}" for name in MEASURES]
    return [shot["shot_index"], one["how"].replace("_", " "), *figures, ", ".join(one["failed"])]


def _words(shot: Mapping[str, Any]) -> str:
    tries = shot.get("tries") or []
    broken = ", ".join(tries[-1]["failed"]) if tries else ""
    return f"shot {shot['shot_index']} after {len(tries)} tries ({broken})"
