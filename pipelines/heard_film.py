"""What of a whole film's lines is heard, from its shots."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from pipelines.stage import Row
from schemas.reason import LineDoubt


def heard_lines_of(shots: Iterable[Row]) -> list[Row]:
    """HEARD_LINE of a film, in the order of its sheet.

    Args:
        shots: ALIGNED_SHOT or wider, all of the film's.
    """
    return sorted((line for shot in shots for line in shot["dub_lines"]), key=lambda line: int(line["line_index"]))


def words_summary(shots: Sequence[Row]) -> dict[str, Any] | None:
    """Figures of how a film's lines are heard; None without lines.

    Args:
        shots: ALIGNED_SHOT or wider, all of the film's.
    """
    lines = heard_lines_of(shots)
    if not lines:
        return None
    known = [line for line in lines if line["word_error_rate"] is not None]
    errors = sum(line["word_error_rate"] * line["num_words"] for line in known)
    words = sum(line["num_words"] for line in known)
    late = [line["start_error_s"] for line in lines if line["start_error_s"] is not None]
    return {
        "lines": len(lines),
        "lines_without_speech": sum(line["doubt"] == LineDoubt.NO_SPEECH for line in lines),
        "lines_to_look_at": sum(line["doubt"] is not None for line in lines),
        "words_timed": sum(not word["recognised"] for shot in shots for word in shot["dub_words"]),
        "words_expected": words,
        "word_error_rate": errors / words if words else None,
        "start_error_s": median(late) if late else None,
        "speech_outside_lines_s": sum(shot["unlined_speech_s"] or 0.0 for shot in shots),
    }


def recognised_summary(shots: Sequence[Row]) -> dict[str, Any] | None:
    """What is heard of a film's dub whose text nobody gave, shot by shot; None where nothing was recognised.

    Args:
        shots: ALIGNED_SHOT or wider, all of the film's.
    """
    in_order = sorted(shots, key=lambda shot: int(shot["shot_index"]))
    texts = {shot["shot_index"]: shot["recognised_text"] for shot in in_order if shot["recognised_text"]}
    if not texts:
        return None
    words = sum(word["recognised"] for shot in shots for word in shot["dub_words"])
    return {"words_timed": words, "shots": [{"shot_index": index, "text": text} for index, text in texts.items()]}
