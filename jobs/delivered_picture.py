"""What is told of a delivered film's picture: which frames are its own, and what was encoded again."""

from collections.abc import Mapping
from html import escape
from typing import Any

from jobs.html_table import html_table
from schemas.reason import Whole

Manifest = Mapping[str, Any]

WHOLE_WORDS = {
    Whole.CODEC: "nothing is known of how to cut its codec; it is delivered in H.264",
    Whole.CONTAINER: "the delivered container cannot hold its picture as it is coded",
    Whole.NO_IDR: "its GOPs are open or it refreshes bit by bit, so no frame but the first stands alone",
    Whole.DOLBY_VISION: "the Dolby Vision metadata of new frames cannot be made, and is left out",
    Whole.PIXEL_FORMAT: "no encoder of its codec keeps its samples",
    Whole.PARAMETER_SETS: "its parameter sets cannot be read, or leave no id for another",
    Whole.TIMES: "its packets do not say when they are decoded",
    Whole.UNLIKE: "the encoder does not follow its order of frames",
    Whole.ENCODER: "a part of it could not be encoded by itself",
    Whole.PROOF_FAILED: "the spliced film did not hold",
}
RUN_HEADS = {
    "first_pts": "from pts",
    "num_frames": "frames",
    "edited": "painted",
    "crf": "CRF",
    "psnr_db_min": "worst frame, dB",
    "num_bytes_before": "bytes before",
    "num_bytes": "bytes",
}


def encoded_whole(manifest: Manifest) -> str:
    """What is told of a delivery whose whole picture was encoded again; empty of others."""
    picture = manifest.get("picture", {})
    if picture.get("method") != "transcode":
        return ""
    return f"ENCODED WHOLE: {WHOLE_WORDS[Whole(picture['reason'])]} ({picture['detail']})"


def left_out(manifest: Manifest) -> str:
    """What is told of streams, and of what frames carry, that no delivery can hold; empty where there is none."""
    names = manifest.get("left_out", [])
    return f"LEFT OUT, as they cannot be copied: {', '.join(names)}" if names else ""


def film_notes(film: Mapping[str, Any]) -> list[str]:
    """What is told of a film that is odd and dubbed all the same; of a row of FILM or a manifest."""
    notes = film.get("notes") or []
    return [f"{note['note'].replace('_', ' ').upper()}: {note['detail']}" for note in notes]


def picture_section(manifest: Manifest) -> str:
    """HTML of what became of the frames; nothing without a manifest."""
    if "picture" not in manifest:
        return ""
    counts = manifest["num_frames"]
    words = (
        f"{counts['copied']} of {counts['all']} frames are the film's own packets; {counts['re_encoded_untouched']} "
        f"were encoded again beside painted ones, {counts['edited']} are painted."
    )
    told = [*film_notes(manifest), encoded_whole(manifest), left_out(manifest), words]
    lines = "".join(f"<p>{escape(line)}</p>" for line in told if line)
    runs = [[run[name] for name in RUN_HEADS] for run in manifest["picture"]["runs"]]
    table = f'<div class="wide">{html_table(list(RUN_HEADS.values()), runs)}</div>' if runs else ""
    return f"<h2>Picture</h2>{lines}{table}"


def picture_metrics(manifest: Manifest) -> dict[str, float]:
    """Figures of a delivered film's picture."""
    picture = manifest.get("picture", {})
    if not picture:
        return {}
    runs, metrics = picture["runs"], {"re_encoded_share": float(picture["re_encoded_share"])}
    if runs:
        metrics["re_encoded_psnr_db_min"] = min(float(run["psnr_db_min"]) for run in runs)
        before = sum(run["num_bytes_before"] for run in runs)
        metrics["re_encoded_growth"] = sum(run["num_bytes"] for run in runs) / max(before, 1)
    return metrics
