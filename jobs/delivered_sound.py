"""What is told of a delivered film's sound: in its report, in MLflow, and in a notice where it clips."""

import math
from collections.abc import Mapping
from html import escape
from typing import Any

from jobs.html_table import html_table
from pipelines.conform import beside_effects, is_found

Manifest = Mapping[str, Any]

MIXES = {
    "as_delivered": "the dub's full mix, as it came",
    "with_music_and_effects": "the dialogue stem and the music and effects, added sample by sample",
    "in_centre": "the dialogue stem in place of the centre of the film's own sound",
    "dialogue_only": "DIALOGUE ONLY: no music and no effects",
}
HEADS = {
    "role": "sound",
    "codec": "codec",
    "sample_rate_hz": "Hz",
    "layout": "channels",
    "length_s": "length, s",
    "integrated_lufs": "loudness, LUFS",
    "range_lu": "range, LU",
    "true_peak_dbtp": "true peak, dBTP",
    "num_clipped": "clipped samples",
    "speech_s": "speech, s",
}
MEASURES = ("integrated_lufs", "range_lu", "true_peak_dbtp", "num_clipped", "speech_s")


def sound_section(manifest: Manifest) -> str:
    """HTML of what is heard, how it lies on the film, and how loud it is; nothing without a manifest."""
    if not manifest:
        return ""
    track = manifest["dub_track"]
    form = f"{track['layout']}, {track['sample_rate_hz']} Hz, {track['codec']}"
    words = [f"The dub track is {MIXES[track['mix']]}: {form}.", *_lag(manifest), clipping(manifest)]
    rows = [[sound[name] for name in HEADS] + [_flaws(sound)] for sound in manifest["sounds"]]
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in words if line)
    return f'<h2>Sound</h2>{paragraphs}<div class="wide">{html_table([*HEADS.values(), "flaws"], rows)}</div>'


def sound_metrics(manifest: Manifest) -> dict[str, float]:
    """Figures of a delivered film's sound; positive lag = dub late."""
    metrics: dict[str, float] = {}
    for sound in manifest.get("sounds", []):
        figures = {f"{name}.{sound['role']}": sound[name] for name in MEASURES}
        metrics |= {name: float(value) for name, value in figures.items() if value is not None}
    words = manifest.get("words") or {}
    metrics |= {name: float(value) for name, value in words.items() if value is not None and name != "lines"}
    if recognised := manifest.get("recognised"):
        metrics["recognised_words_timed"] = float(recognised["words_timed"])
    return metrics | _lag_metrics(manifest.get("conform"), "") | _lag_metrics(manifest.get("me_conform"), "me_")


def _lag_metrics(conform: Mapping[str, Any] | None, prefix: str) -> dict[str, float]:
    """How a sound lay on the film, and lies now; nothing that is not believed."""
    if not conform:
        return {}
    after = _lag_after(conform)
    known = conform["moved"] or after is not None
    found = {"lag_s": float(conform["lag_s"]), "drift_ppm": (float(conform["rate"]) - 1) * 1e6} if known else {}
    found |= {} if after is None else {"lag_after_s": after}
    return {f"{prefix}{name}": value for name, value in found.items()}


def clipping(manifest: Manifest) -> str:
    """What is told of a dub track whose sum is louder than full scale; empty of others."""
    peak = float(manifest.get("dub_track", {}).get("peak", 0.0))
    return "" if peak <= 1 else f"its dub track clips: its peak is {20 * math.log10(peak):+.1f} dB over full scale"


def _lag(manifest: Manifest) -> list[str]:
    """What was done about a mix, or about music and effects, that were not in time."""
    found = [("mix", manifest["conform"]), ("me_stem", manifest.get("me_conform"))]
    told = [
        _lag_in_words(name, conform) for name, conform in found if conform and (name == "mix" or is_found(conform))
    ]
    return told + [f"{text[0].upper()}{text[1:]}." for text in beside_effects(manifest)]


def _lag_in_words(name: str, conform: Mapping[str, Any]) -> str:
    after = _lag_after(conform)
    left = "its lag is not known" if after is None else f"it is {1000 * after:.2f} ms late"
    return f"Its {name} is {conform['detail']}; as delivered {left}."


def _lag_after(conform: Mapping[str, Any]) -> float | None:
    return None if conform["lag_after_s"] is None else float(conform["lag_after_s"])


def _flaws(sound: Mapping[str, Any]) -> str:
    return "; ".join(flaw["detail"] for flaw in sound["flaws"])
